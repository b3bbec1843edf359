// WriteQueue: the writes of one environment, first come, first served. Whoever finds no leader
// leads: it takes what has queued up, has it done in one transaction, and answers all of it, so
// that concurrent writers share a commit (group commit).
//
// A write that blocks its caller's thread (kHere) can lead on that thread. Writes that do not
// (kLater) are led by a task on the slow lane; a kHere write that finds such a task posted but not
// running leads in its place, because nothing that blocks may wait for the executor.
// Thread safety: any thread. Invariants: while a write is queued, a leader runs or its task is
// posted; a group holds what was first in the queue; a write is answered exactly once.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/function.h"
#include "base/mutex.h"
#include "base/ref.h"
#include "core/call.h"
#include "core/runtime.h"
#include "stores/lmdb/map_space.h"

namespace chainstore::lmdb {

// One write in the queue. A kHere write lives on its caller's stack, a kLater write on the heap.
class Write {
 public:
  Write(const Call& call, MDB_dbi dbi, uint64_t bytes) : call_(call), dbi_(dbi), bytes_(bytes) {}
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  virtual ~Write() = default;

  // Writes into `txn`; may run again, in another transaction, if that one had to be given up.
  // Returns 0 or what is wrong with the transaction now. A write that was refused before it
  // changed anything sets `rc` and returns 0.
  virtual int Apply(MDB_txn* txn, MapSpace* space) noexcept = 0;
  // Only of a kLater write: it is answered. On a library thread, under no lock.
  virtual void Complete() noexcept {}

  const Call& call() const noexcept { return call_; }
  MDB_dbi dbi() const noexcept { return dbi_; }
  uint64_t bytes() const noexcept { return bytes_; }

  // How it ended. kTimeout, kCancelled and kBusy (the queue is full): it did not happen.
  Code ended = Code::kOk;
  int rc = 0;  // LMDB's code or an errno; 0 and kOk: committed

 private:
  const Call call_;
  const MDB_dbi dbi_;
  const uint64_t bytes_;
};

class WriteQueue final : public RefCounted<WriteQueue> {
 public:
  // Has a group done, and sets the `rc` of each; called by one thread at a time.
  using Commit = UniqueFunction<void(std::span<Write* const> group)>;

  WriteQueue(Ref<Runtime> runtime, Commit commit)
      : runtime_(std::move(runtime)), commit_(std::move(commit)) {}

  // Returns when `write` is answered.
  void RunHere(Write* write) CS_EXCLUDES(mutex_);
  // Complete of `write` runs when it is answered: perhaps before this returns, if it was refused.
  void Start(std::unique_ptr<Write> write) CS_EXCLUDES(mutex_);

  // Not yet taken by a leader.
  size_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }

  static constexpr size_t kMaxGroupWrites = 512;
  static constexpr uint64_t kMaxGroupBytes = uint64_t{16} << 20;
  // Of kLater writes: those of kHere are as many as there are threads.
  static constexpr size_t kMaxQueuedWrites = size_t{1} << 16;
  static constexpr uint64_t kMaxQueuedBytes = uint64_t{256} << 20;

 private:
  class Waiter;
  struct Queued {
    Write* write;
    Waiter* waiter;  // of a kHere write
  };
  enum class Leader : uint8_t { kNone, kPosted, kRunning };

  void WaitForTurn(const Queued& queued) CS_EXCLUDES(mutex_);
  bool Withdraw(Write* write) CS_EXCLUDES(mutex_);
  void Lead(const Write* own) CS_EXCLUDES(mutex_);
  void LeadPosted() CS_EXCLUDES(mutex_);
  void LetOthersQueue() noexcept;
  std::vector<Queued> Take() CS_EXCLUDES(mutex_);
  void Perform(const std::vector<Queued>& group);
  void HandOver() CS_EXCLUDES(mutex_);
  void CompleteAll(std::vector<Write*> writes, bool inline_allowed);

  const Ref<Runtime> runtime_;
  Commit commit_;
  size_t last_group_size_ = 0;  // the leader's
  std::atomic<size_t> queued_{0};

  Mutex mutex_;
  std::deque<Queued> queue_ CS_GUARDED_BY(mutex_);
  uint64_t queued_bytes_ CS_GUARDED_BY(mutex_) = 0;
  size_t queued_here_ CS_GUARDED_BY(mutex_) = 0;
  Leader leader_ CS_GUARDED_BY(mutex_) = Leader::kNone;
  bool task_posted_ CS_GUARDED_BY(mutex_) = false;
};

}  // namespace chainstore::lmdb
