// Flush and close tell the truth, and nothing is lost without a word.
#include <gtest/gtest.h>

#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

using Lines = std::vector<std::string>;

class DrainTest : public SimTest {
 protected:
  void TearDown() override {
    if (store && !store->closed()) return SimTest::TearDown();
    while (!remote->held.empty()) remote->Answer1();
    if (store) store->error_sink().Set(nullptr, nullptr, nullptr);
    store = nullptr;
  }
  size_t Causes(const Status& status) { return status.error()->causes().size(); }
};

// ---- Flush ----

TEST_F(DrainTest, FlushWaitsForWhatWasAcknowledgedBeforeIt) {
  remote->hold = true;
  Open();
  Put("a", "1");
  Put("b", "1");
  auto flush = Flush();
  Put("late", "1");
  Put("b", "2");
  clock->RunAll();
  EXPECT_EQ(flush->code(), Code::kWouldBlock);
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(flush->code(), Code::kWouldBlock);
  EXPECT_TRUE(remote->flushed.empty());
  remote->Answer1();  // b: the newer write counts, it was sent in the older one's place
  clock->RunAll();
  EXPECT_EQ(flush->code(), Code::kOk);
  EXPECT_EQ(store->counters().undelivered, 1u);
  EXPECT_EQ(remote->flushed, (Lines{""}));
}

TEST_F(DrainTest, FlushOfAKeyUnderWayDoesNotWaitForItsLaterWrites) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  auto flush = Flush("k");
  Put("k", "2");
  auto both = Flush("k");
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(flush->ok());
  EXPECT_EQ(both->code(), Code::kWouldBlock);
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(both->ok());
}

TEST_F(DrainTest, FlushLooksOnlyBelowItsPrefix) {
  remote->hold = true;
  Open();
  Put("a/1", "v");
  Put("b/1", "v");
  auto a = Flush("a/"), c = Flush("c/");
  clock->RunAll();
  EXPECT_TRUE(c->ok());
  EXPECT_EQ(a->code(), Code::kWouldBlock);
  EXPECT_EQ(remote->held.front().key, "a/1");
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(a->ok());
  EXPECT_EQ(remote->flushed, (Lines{"c/", "a/"}));
}

TEST_F(DrainTest, FlushSaysWhatIsParked) {
  remote->answer = [](const Remote::Sent& sent, Status* status) {
    if (sent.key.find("bad") == std::string::npos) return Remote::Verdict::kApply;
    *status = Failed(Code::kTooLarge);
    return Remote::Verdict::kRefuse;
  };
  Open();
  Put("bad1", "v");
  clock->RunAll();
  Put("bad2", "v");
  Put("good", "v");
  auto flush = Flush(), other = Flush("good");
  clock->RunAll();
  EXPECT_TRUE(other->ok());
  ASSERT_EQ(flush->code(), Code::kPartial);
  ASSERT_EQ(Causes(*flush), 2u);
  EXPECT_EQ(flush->error()->causes()[0]->code(), Code::kTooLarge);
  EXPECT_EQ(*flush->error()->causes()[0]->FindDetail("key"), "bad1");
  EXPECT_EQ(*flush->error()->causes()[1]->FindDetail("key"), "bad2");
  EXPECT_EQ(remote->ValueOf("good"), "v");
}

TEST_F(DrainTest, FlushEndsWithItsCall) {
  FailAll(Code::kBusy);
  Open();
  Put("k", "v");
  Call limited = Later();
  limited.deadline_ns = clock->In(100);
  Call cancelled = Later();
  cancelled.cancel = MakeRef<CancelToken>();
  auto timed = Flush("", limited), token = Flush("", cancelled);
  EXPECT_EQ(Flush("", Later().With(Wait::kNever))->code(), Code::kWouldBlock);
  clock->Advance(100);
  EXPECT_EQ(timed->code(), Code::kTimeout);
  cancelled.cancel->Fire();
  clock->RunAll();
  EXPECT_EQ(token->code(), Code::kCancelled);
  EXPECT_TRUE(remote->flushed.empty());
}

TEST_F(DrainTest, FlushAnswersWhatTheInnerFlushAnswers) {
  Open();
  remote->flush_status = Failed(Code::kIo);
  EXPECT_EQ(Flush("p")->code(), Code::kIo);
  Put("p", "v");
  auto flush = Flush("p");
  clock->RunAll();
  EXPECT_EQ(flush->code(), Code::kIo);
}

TEST_F(DrainTest, FlushWaitsForAWriteThatReplacedAParkedOne) {
  FailAll(Code::kInvalid);
  Open();
  Put("k", "1");
  clock->RunAll();
  remote->answer = nullptr;
  remote->hold = true;
  Put("k", "2");
  auto flush = Flush();
  clock->RunAll();
  EXPECT_EQ(flush->code(), Code::kWouldBlock);
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(flush->ok());
}

// ---- Close ----

TEST_F(DrainTest, CloseDrainsAndThenClosesBelow) {
  remote->hold = true;
  Open();
  Put("a", "1");
  Put("b", "1");
  auto flush = Flush();
  auto close = StartClose();
  EXPECT_EQ(CodeOf(Put("c", "1")), Code::kClosed);
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(close->code(), Code::kWouldBlock);
  EXPECT_FALSE(remote->closed());
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(close->ok());
  EXPECT_TRUE(remote->closed());
  EXPECT_EQ(remote->data.size(), 2u);
  EXPECT_NE(flush->code(), Code::kWouldBlock);
  EXPECT_TRUE(clock->timers.empty()) << "a timer keeps the closed queue alive";
  EXPECT_TRUE(reports.All(*store).empty());
}

TEST_F(DrainTest, CloseDrainsAsLongAsDeliveriesSucceed) {
  settings.concurrency = 1;
  remote->hold = true;
  Open();
  for (int i = 0; i < 10; ++i) Put("k" + std::to_string(i), "v");
  auto close = StartClose();
  for (int i = 0; i < 10; ++i) {
    clock->Advance(settings.drain_idle_ms - 1);
    ASSERT_EQ(close->code(), Code::kWouldBlock);
    remote->Answer1();
    clock->RunAll();
  }
  EXPECT_TRUE(close->ok());
}

TEST_F(DrainTest, CloseGivesUpWhenNothingSucceedsAndReportsEachLoss) {
  FailAll(Code::kBusy);
  Open();
  for (int i = 0; i < 40; ++i) Put("k" + std::to_string(i), "v");
  Del("d");
  const Ending delivered = Put("k0", "w", Later(Ack::kDelivered));
  auto close = StartClose();
  clock->Advance(settings.drain_idle_ms - 1);
  EXPECT_EQ(close->code(), Code::kWouldBlock);
  clock->Advance(1);
  ASSERT_EQ(close->code(), Code::kPartial);
  EXPECT_NE(close->error()->message().find("41 writes"), std::string::npos);
  EXPECT_EQ(Causes(*close), 16u);
  EXPECT_EQ(CodeOf(delivered), Code::kClosed);
  Lines lost;
  for (const std::string& line : reports.All(*store)) {
    if (line.starts_with("lost")) lost.push_back(line);
  }
  std::sort(lost.begin(), lost.end());
  ASSERT_EQ(lost.size(), 41u);
  EXPECT_EQ(lost[0], "lost del d");
  EXPECT_EQ(lost[1], "lost put k0");
  EXPECT_EQ(std::unique(lost.begin(), lost.end()), lost.end());
  EXPECT_TRUE(clock->timers.empty());
}

TEST_F(DrainTest, CloseTriesAtOnceWhatBackedOffAndWhatABrokenStoreHeldUp) {
  FailAll(Code::kIo);
  settings.settle_ms = 0;
  Open();
  for (int i = 0; i < 20; ++i) Put("k" + std::to_string(i), "v");
  clock->Advance(300'000);
  ASSERT_EQ(store->counters().breaker, Breaker::State::kOpen);
  remote->answer = nullptr;
  auto close = StartClose();
  EXPECT_TRUE(close->ok());
  EXPECT_EQ(remote->data.size(), 20u);
}

TEST_F(DrainTest, CloseWithADeadlineGivesUpThenAndNotBefore) {
  FailAll(Code::kBusy);
  Open();
  Put("k", "v");
  Call call = Later();
  call.deadline_ns = clock->In(60'000);
  auto close = StartClose(call);
  clock->Advance(59'999);
  EXPECT_EQ(close->code(), Code::kWouldBlock);
  clock->Advance(1);
  EXPECT_EQ(close->code(), Code::kPartial);
}

TEST_F(DrainTest, CloseEndsWithItsToken) {
  FailAll(Code::kBusy);
  Open();
  Put("k", "v");
  Call call = Later();
  call.cancel = MakeRef<CancelToken>();
  auto close = StartClose(call);
  EXPECT_EQ(close->code(), Code::kWouldBlock);
  call.cancel->Fire();
  clock->RunAll();
  EXPECT_EQ(close->code(), Code::kPartial);
}

TEST_F(DrainTest, AKeyThatSettlesIsNotGivenUp) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  remote->Fail1(Failed(Code::kTimeout));
  Put("k", "2");
  remote->hold = false;
  auto close = StartClose();
  clock->Advance(settings.settle_ms - 1);
  EXPECT_EQ(close->code(), Code::kWouldBlock);
  clock->Advance(1);
  EXPECT_TRUE(close->ok());
  EXPECT_EQ(remote->ValueOf("k"), "2");
}

TEST_F(DrainTest, CloseKeepGivesUpAtOnce) {
  remote->hold = true;
  Open();
  Put("flying", "v");
  clock->RunAll();
  Put("waiting", "v");
  Call keep = Later();
  keep.flags = Call::kKeep;
  bool closed = false;
  Status status;
  // The inner store has to answer what is under way before it closes.
  store->Close(keep, [&](Status&& ending) {
    closed = true;
    status = std::move(ending);
  });
  clock->RunAll();
  EXPECT_TRUE(closed);
  EXPECT_EQ(status.code(), Code::kPartial);
  EXPECT_EQ(reports.All(*store).size(), 2u);
  // A late answer is dropped.
  remote->Answer1();
  clock->RunAll();
}

TEST_F(DrainTest, CloseReportsWhatIsParkedAsLost) {
  FailAll(Code::kInvalid);
  Open();
  Put("k", "v");
  clock->RunAll();
  remote->answer = nullptr;
  auto close = StartClose();
  ASSERT_EQ(close->code(), Code::kPartial);
  EXPECT_EQ(reports.All(*store), (Lines{"parked put k", "lost put k"}));
}

TEST_F(DrainTest, CloseOverAClosedStoreGivesUpAtOnce) {
  Open();
  bool below = false;
  remote->Close({}, [&below](Status&&) { below = true; });
  while (!below) std::this_thread::yield();
  FailAll(Code::kClosed);
  Put("k", "v");
  auto close = StartClose();
  EXPECT_EQ(close->code(), Code::kPartial);
}

TEST_F(DrainTest, WritesThatWaitForRoomAreLetInWhileItDrains) {
  settings.max_entries = 1;
  remote->hold = true;
  Open();
  Put("a", "1");
  const Ending waits = Put("b", "1");
  auto close = StartClose();
  remote->hold = false;
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(waits), Code::kOk);
  EXPECT_TRUE(close->ok());
  EXPECT_EQ(remote->ValueOf("b"), "1");
}

TEST_F(DrainTest, WritesThatWaitAreClosedWhenItGivesUp) {
  settings.max_entries = 1;
  remote->hold = true;
  Open();
  Put("a", "1");
  const Ending room = Put("b", "1"), line = Put("b", "2");
  auto flush = Flush();
  auto close = StartClose();
  clock->Advance(settings.drain_idle_ms);
  EXPECT_EQ(close->code(), Code::kPartial);
  EXPECT_EQ(CodeOf(room), Code::kClosed);
  EXPECT_EQ(CodeOf(line), Code::kClosed);
  EXPECT_EQ(flush->code(), Code::kClosed);
}

TEST_F(DrainTest, AnIfAbsentThatIsBeingDecidedEndsAlsoAfterTheClose) {
  remote->hold_gets = true;
  Open();
  const Ending put = Put("k", "1", Later(Ack::kDefault, Call::kIfAbsent));
  auto close = StartClose();
  EXPECT_EQ(close->code(), Code::kWouldBlock);
  clock->Advance(settings.drain_idle_ms);
  EXPECT_TRUE(close->ok());
  EXPECT_FALSE(*put);
  remote->held_gets.front()();
  remote->held_gets.clear();
  clock->RunAll();
  EXPECT_EQ(CodeOf(put), Code::kClosed);
}

TEST_F(DrainTest, TheLastUserLettingGoLosesTheQueueAndSaysSo) {
  remote->hold = true;
  Open();
  Put("k", "v");
  clock->RunAll();
  // What goes on below does not keep the store: its end comes on a worker, and tells.
  struct Heard {
    Mutex mutex;
    CondVar changed;
    Lines lines CS_GUARDED_BY(mutex);
    bool released CS_GUARDED_BY(mutex) = false;
  } heard;
  store->error_sink().Set(
      [](void* user_data, const Error* error) {
        auto* self = static_cast<Heard*>(user_data);
        MutexLock lock(self->mutex);
        self->lines.push_back(error->message());
      },
      &heard,
      [](void* user_data) {
        auto* self = static_cast<Heard*>(user_data);
        MutexLock lock(self->mutex);
        self->released = true;
        self->changed.NotifyAll();
      });
  WriteBehind* raw = store.get();
  store = nullptr;
  // The worker posts to the simulation; the pause until it has is the real world's.
  while (!raw->gate().closed()) std::this_thread::yield();
  for (;;) {
    clock->RunAll();
    MutexLock lock(heard.mutex);
    if (heard.released) break;
    lock.Unlock();
    std::this_thread::yield();
    lock.Lock();
  }
  MutexLock lock(heard.mutex);
  ASSERT_EQ(heard.lines.size(), 2u);
  EXPECT_NE(heard.lines[0].find("it is lost"), std::string::npos);
  EXPECT_NE(heard.lines[1].find("1 writes"), std::string::npos);
}

}  // namespace
}  // namespace chainstore::behind
