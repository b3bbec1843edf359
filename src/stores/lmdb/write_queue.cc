#include "stores/lmdb/write_queue.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace chainstore::lmdb {

// Where the thread of a kHere write waits. A futex and not a CondVar: whoever wakes a group of
// waiters holds no lock that they would all have to take next, which is what limited the rate of
// writes that need no fsync.
class WriteQueue::Waiter final : private CancelWatch {
 public:
  enum State : uint32_t { kWaiting, kCancelled, kLeads, kAnswered };

  ~Waiter() { Stop(); }
  bool Watch(const Ref<CancelToken>& token) { return CancelWatch::Watch(token); }

  // The last thing that is done to a waiter: it may be gone before this returns.
  void Set(State state) noexcept {
    state_.store(state, std::memory_order_release);
    // Only an address by now; a stray wake-up of something else there is allowed for everywhere.
    syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }
  State state() const noexcept {
    return static_cast<State>(state_.load(std::memory_order_acquire));
  }
  // Returns when the state is not `seen` any more, or the time is up.
  void Wait(State seen, int64_t deadline_ns) noexcept {
    timespec until = {deadline_ns / 1'000'000'000, deadline_ns % 1'000'000'000};
    const bool limited = deadline_ns != kForeverNs;
    while (state() == seen) {
      // Clock::SteadyNs is CLOCK_MONOTONIC, by which FUTEX_WAIT_BITSET waits.
      const long rc = syscall(SYS_futex, &state_, FUTEX_WAIT_BITSET_PRIVATE, uint32_t{seen},
                              limited ? &until : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
      if (rc != 0 && errno == ETIMEDOUT) return;
    }
  }

 private:
  void Wake() noexcept override {
    uint32_t waiting = kWaiting;
    if (state_.compare_exchange_strong(waiting, kCancelled, std::memory_order_acq_rel)) {
      syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    }
  }

  std::atomic<uint32_t> state_{kWaiting};
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));
};

void WriteQueue::RunHere(Write* write) {
  Waiter waiter;
  if (!waiter.Watch(write->call().cancel)) {
    write->ended = Code::kCancelled;
    return;
  }
  const Queued queued{write, &waiter};
  bool leads = false;
  {
    MutexLock lock(mutex_);
    queue_.push_back(queued);
    queued_bytes_ += write->bytes();
    ++queued_here_;
    queued_.store(queue_.size(), std::memory_order_relaxed);
    leads = leader_ != Leader::kRunning;
    if (leads) leader_ = Leader::kRunning;
  }
  if (leads) return Lead(write);
  WaitForTurn(queued);
}

void WriteQueue::WaitForTurn(const Queued& queued) {
  Waiter& waiter = *queued.waiter;
  waiter.Wait(Waiter::kWaiting, queued.write->call().deadline_ns);
  const Waiter::State seen = waiter.state();
  if (seen == Waiter::kWaiting || seen == Waiter::kCancelled) {
    if (Withdraw(queued.write)) {
      queued.write->ended = seen == Waiter::kWaiting ? Code::kTimeout : Code::kCancelled;
      return;
    }
    // Somebody is at work on it, or has just made it the leader: that comes to an end by itself.
    while (waiter.state() == Waiter::kWaiting) waiter.Wait(Waiter::kWaiting, kForeverNs);
    while (waiter.state() == Waiter::kCancelled) waiter.Wait(Waiter::kCancelled, kForeverNs);
  }
  if (waiter.state() == Waiter::kLeads) Lead(queued.write);
}

bool WriteQueue::Withdraw(Write* write) {
  MutexLock lock(mutex_);
  const auto found = std::find_if(queue_.begin(), queue_.end(),
                                  [write](const Queued& each) { return each.write == write; });
  if (found == queue_.end() || found->waiter->state() == Waiter::kLeads) return false;
  queue_.erase(found);
  queued_bytes_ -= write->bytes();
  --queued_here_;
  queued_.store(queue_.size(), std::memory_order_relaxed);
  return true;
}

void WriteQueue::Start(std::unique_ptr<Write> write) {
  bool post = false;
  {
    MutexLock lock(mutex_);
    if (queue_.size() < kMaxQueuedWrites && queued_bytes_ + write->bytes() <= kMaxQueuedBytes) {
      queued_bytes_ += write->bytes();
      queue_.push_back({write.release(), nullptr});
      queued_.store(queue_.size(), std::memory_order_relaxed);
      if (leader_ == Leader::kNone) {
        leader_ = Leader::kPosted;
        post = !std::exchange(task_posted_, true);
      }
    }
  }
  if (write) {
    write->ended = Code::kBusy;
    write->Complete();
  } else if (post) {
    runtime_->Post(Lane::kSlow, [self = Ref<WriteQueue>(this)] { self->LeadPosted(); });
  }
}

void WriteQueue::LeadPosted() {
  {
    MutexLock lock(mutex_);
    task_posted_ = false;
    if (leader_ != Leader::kPosted) return;
    leader_ = Leader::kRunning;
  }
  Lead(nullptr);
}

// With `own`, until that one is answered; else one group.
void WriteQueue::Lead(const Write* own) {
  for (;;) {
    LetOthersQueue();
    const std::vector<Queued> group = Take();
    Perform(group);
    bool answered = own == nullptr;
    std::vector<Write*> later;
    for (const Queued& each : group) {
      if (each.write == own)
        answered = true;
      else if (each.waiter)
        each.waiter->Set(Waiter::kAnswered);
      else
        later.push_back(each.write);
    }
    if (answered) HandOver();
    // From here on a leader that blocks nobody else's thread owes the queue nothing.
    CompleteAll(std::move(later), own == nullptr);
    if (answered) return;
  }
}

// Those who were answered with the last group are likely to be back in a moment: a group that
// begins without them would make them wait for two commits.
void WriteQueue::LetOthersQueue() noexcept {
  constexpr int kFruitlessYields = 4;
  size_t seen = queued_.load(std::memory_order_relaxed);
  for (int fruitless = 0; seen < last_group_size_ && fruitless < kFruitlessYields; ++fruitless) {
    sched_yield();
    const size_t now = queued_.load(std::memory_order_relaxed);
    if (now > seen) fruitless = 0;
    seen = now;
  }
}

std::vector<WriteQueue::Queued> WriteQueue::Take() {
  std::vector<Queued> group;
  MutexLock lock(mutex_);
  uint64_t bytes = 0;
  while (!queue_.empty() && group.size() < kMaxGroupWrites) {
    const Queued next = queue_.front();
    if (!group.empty() && bytes + next.write->bytes() > kMaxGroupBytes) break;
    queue_.pop_front();
    bytes += next.write->bytes();
    queued_here_ -= next.waiter != nullptr;
    group.push_back(next);
  }
  queued_bytes_ -= bytes;
  queued_.store(queue_.size(), std::memory_order_relaxed);
  last_group_size_ = group.size();
  return group;
}

void WriteQueue::Perform(const std::vector<Queued>& group) {
  std::vector<Write*> due;
  due.reserve(group.size());
  for (const Queued& each : group) {
    each.write->ended = each.write->call().Check();
    if (each.write->ended == Code::kOk) due.push_back(each.write);
  }
  if (!due.empty()) commit_(due);
}

void WriteQueue::HandOver() {
  bool post = false;
  {
    MutexLock lock(mutex_);
    if (queue_.empty()) {
      leader_ = Leader::kNone;
      return;
    }
    if (queued_here_ > 0) {
      const auto next = std::find_if(queue_.begin(), queue_.end(),
                                     [](const Queued& each) { return each.waiter != nullptr; });
      // Under the lock: a waiter that gives up withdraws under it, and must see this.
      next->waiter->Set(Waiter::kLeads);
      return;
    }
    leader_ = Leader::kPosted;
    post = !std::exchange(task_posted_, true);
  }
  if (post) runtime_->Post(Lane::kSlow, [self = Ref<WriteQueue>(this)] { self->LeadPosted(); });
}

void WriteQueue::CompleteAll(std::vector<Write*> writes, bool inline_allowed) {
  if (writes.empty()) return;
  const auto complete = [](const std::vector<Write*>& each) {
    for (Write* write : each) {
      const std::unique_ptr<Write> owned(write);
      owned->Complete();
    }
  };
  // A sync caller's thread is no library thread: completions of others never run on it.
  if (inline_allowed) return complete(writes);
  runtime_->Post(Lane::kFast, [complete, writes = std::move(writes)] { complete(writes); });
}

}  // namespace chainstore::lmdb
