#include "stores/lmdb/write_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "support/event.h"

namespace chainstore::lmdb {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

Ref<Runtime> MakeRuntime(uint32_t workers = 0) {
  RuntimeSettings settings;
  settings.workers = workers;
  return MakeRef<RuntimeSlot>(settings)->Acquire();
}

class NumberedWrite : public Write {
 public:
  explicit NumberedWrite(int number, const Call& call = Call(), uint64_t bytes = 1)
      : Write(call, 0, bytes), number(number) {}
  int Apply(MDB_txn*, MapSpace*) noexcept override { return 0; }
  const int number;
};

class LaterWrite final : public NumberedWrite {
 public:
  LaterWrite(int number, const Call& call, uint64_t bytes, std::function<void(Write&)> done)
      : NumberedWrite(number, call, bytes), done_(std::move(done)) {}
  void Complete() noexcept override { done_(*this); }

 private:
  const std::function<void(Write&)> done_;
};

// A queue whose commits are recorded, and the first of which waits to be let go.
class HeldQueue {
 public:
  explicit HeldQueue(Ref<Runtime> runtime = MakeRuntime())
      : queue_(MakeRef<WriteQueue>(std::move(runtime), [this](std::span<Write* const> group) {
          if (!began_.IsSet()) {
            began_.Set();
            let_go_.Wait();
          }
          std::vector<int> numbers;
          for (Write* write : group) {
            numbers.push_back(static_cast<NumberedWrite*>(write)->number);
          }
          MutexLock lock(mutex_);
          groups_.push_back(std::move(numbers));
        })) {}
  ~HeldQueue() {
    let_go_.Set();
    for (std::thread& thread : threads_) thread.join();
    while (answered_ < started_) sched_yield();
  }

  // A write that blocks a thread of its own; its answer.
  std::shared_ptr<std::atomic<int>> Here(int number, const Call& call = Call()) {
    auto answer = std::make_shared<std::atomic<int>>(kPending);
    threads_.emplace_back([this, number, call, answer] {
      NumberedWrite write(number, call);
      queue_->RunHere(&write);
      *answer = static_cast<int>(write.ended);
    });
    return answer;
  }
  // The first, which is then being committed.
  void Hold() {
    Here(0);
    began_.Wait();
  }
  void AwaitQueued(size_t count) {
    while (queue_->queued() != count) sched_yield();
  }
  void Later(int number, const Call& call = Call(), uint64_t bytes = 1,
             std::function<void(Write&)> done = nullptr) {
    ++started_;
    queue_->Start(std::make_unique<LaterWrite>(number, call, bytes, [this, done](Write& write) {
      if (done) done(write);
      ++answered_;
    }));
  }
  void LetGo() { let_go_.Set(); }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    while (answered_ < started_) sched_yield();
  }
  std::vector<std::vector<int>> groups() {
    MutexLock lock(mutex_);
    return groups_;
  }
  WriteQueue& queue() { return *queue_; }

  static constexpr int kPending = 1000;

 private:
  Event began_;
  Event let_go_;
  Mutex mutex_;
  std::vector<std::vector<int>> groups_ CS_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
  std::atomic<int> started_{0};
  std::atomic<int> answered_{0};
  const Ref<WriteQueue> queue_;
};

constexpr int kOk = static_cast<int>(Code::kOk);

TEST(WriteQueueTest, WhatQueuesUpDuringACommitSharesTheNextInItsOrder) {
  HeldQueue held;
  held.Hold();
  std::vector<int> expected;
  for (int number = 1; number <= 10; ++number) {
    if (number % 3 == 0)
      held.Later(number);
    else
      held.Here(number);
    held.AwaitQueued(static_cast<size_t>(number));
    expected.push_back(number);
  }
  held.LetGo();
  held.Join();
  EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{0}, expected));
}

TEST(WriteQueueTest, LeadsWritesThatBlockNobodyOnTheRuntime) {
  HeldQueue held;
  Event done;
  held.LetGo();
  held.Later(1, Call(), 1, [&done](Write& write) {
    EXPECT_EQ(write.ended, Code::kOk);
    EXPECT_TRUE(Runtime::OnLibraryThread());
    done.Set();
  });
  done.Wait();
  held.Join();
  EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{1}));
}

// What blocks a thread must not wait for the executor, which may wait for that thread.
TEST(WriteQueueTest, AHereWriteLeadsWhereTheRuntimeDoesNotGetRoundToIt) {
  const Ref<Runtime> runtime = MakeRuntime(2);
  Event blocked, unblock;
  runtime->Post(Lane::kSlow, [&blocked, unblock]() mutable {  // may outlive this test's own
    blocked.Set();
    unblock.Wait();
  });
  blocked.Wait();
  {
    HeldQueue held(runtime);
    held.LetGo();
    held.Later(1);
    held.Later(2);
    NumberedWrite here(3);
    held.queue().RunHere(&here);
    EXPECT_EQ(here.ended, Code::kOk);
    EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{1, 2, 3}));
    unblock.Set();
  }
}

TEST(WriteQueueTest, AnsweringOthersNeverRunsOnASyncCallersThread) {
  HeldQueue held;
  held.Hold();
  std::atomic<bool> on_library_thread{false};
  held.Here(1);
  held.AwaitQueued(1);
  held.Later(2, Call(), 1, [&](Write&) { on_library_thread = Runtime::OnLibraryThread(); });
  held.LetGo();
  held.Join();
  EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{0}, std::vector<int>{1, 2}));
  EXPECT_TRUE(on_library_thread);
}

TEST(WriteQueueTest, ADeadlineEndsTheWaitOfAWriteThatIsOnlyQueued) {
  HeldQueue held;
  held.Hold();
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(5);
  const auto timed = held.Here(1, call);
  const auto other = held.Here(2);
  while (*timed == HeldQueue::kPending) sched_yield();
  EXPECT_EQ(*timed, static_cast<int>(Code::kTimeout)) << "while the other commit still runs";
  held.LetGo();
  held.Join();
  EXPECT_EQ(*other, kOk);
  EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{0}, std::vector<int>{2}));
}

TEST(WriteQueueTest, ACancelEndsTheWaitOfAWriteThatIsOnlyQueued) {
  HeldQueue held;
  held.Hold();
  Call call;
  call.cancel = MakeRef<CancelToken>();
  const auto cancelled = held.Here(1, call);
  held.AwaitQueued(1);
  call.cancel->Fire();
  while (*cancelled == HeldQueue::kPending) sched_yield();
  EXPECT_EQ(*cancelled, static_cast<int>(Code::kCancelled));
  const auto afterwards = held.Here(2, call);
  held.LetGo();
  held.Join();
  EXPECT_EQ(*afterwards, static_cast<int>(Code::kCancelled));
  EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{0})) << "a group of none is no commit";
}

TEST(WriteQueueTest, AWriteThatIsBeingCommittedIsWaitedForInSpiteOfItsDeadline) {
  HeldQueue held;
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(200);
  call.cancel = MakeRef<CancelToken>();
  const auto first = held.Here(1, call);
  // The first commit is under way when something else can queue up behind it.
  held.Here(2);
  held.AwaitQueued(1);
  call.cancel->Fire();
  EXPECT_EQ(*first, HeldQueue::kPending);
  held.LetGo();
  held.Join();
  // Who came first is up to the scheduler: either way it happened or did not, and says so.
  if (*first == kOk)
    EXPECT_THAT(held.groups(), SizeIs(2));
  else
    EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{2}));
}

TEST(WriteQueueTest, ALaterWriteThatIsPastItsTimeIsDroppedWhenItsTurnComes) {
  HeldQueue held;
  held.Hold();
  Call late;
  late.deadline_ns = 1;
  Call cancelled;
  cancelled.cancel = MakeRef<CancelToken>();
  std::vector<Code> ended;
  Mutex mutex;
  const auto note = [&](Write& write) {
    MutexLock lock(mutex);
    ended.push_back(write.ended);
  };
  held.Later(1, late, 1, note);
  held.Later(2, cancelled, 1, note);
  held.Later(3, Call(), 1, note);
  cancelled.cancel->Fire();
  held.LetGo();
  held.Join();
  EXPECT_THAT(held.groups(), ElementsAre(std::vector<int>{0}, std::vector<int>{3}));
  MutexLock lock(mutex);
  EXPECT_THAT(ended, ElementsAre(Code::kTimeout, Code::kCancelled, Code::kOk));
}

TEST(WriteQueueTest, RefusesWritesBeyondItsLimits) {
  HeldQueue held;
  held.Hold();
  std::atomic<int> busy{0};
  const auto count_busy = [&busy](Write& write) { busy += write.ended == Code::kBusy; };
  held.Later(1, Call(), WriteQueue::kMaxQueuedBytes, count_busy);
  EXPECT_EQ(busy, 0);
  held.Later(2, Call(), 1, count_busy);
  EXPECT_EQ(busy, 1) << "too many bytes";
  for (size_t i = 1; i < WriteQueue::kMaxQueuedWrites; ++i) held.Later(3, Call(), 0, count_busy);
  EXPECT_EQ(busy, 1);
  held.Later(4, Call(), 0, count_busy);
  EXPECT_EQ(busy, 2) << "too many writes";
  const auto here = held.Here(5);  // those are as many as there are threads
  held.AwaitQueued(WriteQueue::kMaxQueuedWrites + 1);
  held.LetGo();
  held.Join();
  EXPECT_EQ(*here, kOk);
  EXPECT_EQ(busy, 2);
}

TEST(WriteQueueTest, BoundsAGroup) {
  HeldQueue held;
  held.Hold();
  for (size_t i = 0; i < WriteQueue::kMaxGroupWrites + 1; ++i) held.Later(1);
  held.Later(2, Call(), WriteQueue::kMaxGroupBytes);
  held.Later(3, Call(), WriteQueue::kMaxGroupBytes + 1);
  held.Later(4);
  held.LetGo();
  held.Join();
  const auto groups = held.groups();
  ASSERT_THAT(groups, SizeIs(6));
  EXPECT_THAT(groups[1], SizeIs(WriteQueue::kMaxGroupWrites));
  EXPECT_THAT(groups[2], ElementsAre(1));
  EXPECT_THAT(groups[3], ElementsAre(2));
  EXPECT_THAT(groups[4], ElementsAre(3));
  EXPECT_THAT(groups[5], ElementsAre(4));
}

// Every kind of write at once, some given up: each is answered once, and committed exactly if it
// says so.
TEST(WriteQueueTest, AnswersEachOfManyConcurrentWritesOnce) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 400;
  std::vector<std::atomic<int>> committed(kThreads * kWrites);
  std::vector<std::atomic<int>> ok(kThreads * kWrites);
  std::atomic<int> answered{0};
  std::atomic<bool> committing{false};
  const auto queue = MakeRef<WriteQueue>(MakeRuntime(), [&](std::span<Write* const> group) {
    EXPECT_FALSE(committing.exchange(true)) << "one leader at a time";
    for (Write* write : group) ++committed[static_cast<NumberedWrite*>(write)->number];
    committing = false;
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < kWrites; ++i) {
        const int number = t * kWrites + i;
        Call call;
        if (random() % 4 == 0) call.deadline_ns = Clock::System().SteadyNs() + random() % 50'000;
        if (random() % 4 == 0) call.cancel = MakeRef<CancelToken>();
        const auto note = [&, number](Write& write) {
          ok[number] += write.ended == Code::kOk;
          ++answered;
        };
        if (random() % 2) {
          queue->Start(std::make_unique<LaterWrite>(number, call, 1, note));
          if (call.cancel) call.cancel->Fire();
        } else {
          std::thread firing;
          if (call.cancel && random() % 4 == 0) firing = std::thread([&] { call.cancel->Fire(); });
          NumberedWrite write(number, call);
          queue->RunHere(&write);
          note(write);
          if (firing.joinable()) firing.join();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (answered < kThreads * kWrites) sched_yield();
  for (size_t i = 0; i < committed.size(); ++i) EXPECT_EQ(committed[i], ok[i]) << i;
  EXPECT_EQ(answered, kThreads * kWrites);
}

}  // namespace
}  // namespace chainstore::lmdb
