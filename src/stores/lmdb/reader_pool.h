// ReaderPool: the read transactions of one environment. A transaction is begun once and then kept:
// the next reader renews it, and not even that while nothing was committed since (what it sees is
// then what a new one would see). Beginning one per read would take the reader table's lock.
//
// Pages that a transaction can still see cannot be used again, so none keeps its snapshot for long
// without being in use: a writer makes idle ones let go of old snapshots before it begins, and
// those that nobody used for kIdleMs let go by a timer (another process may be the one that
// writes). Thread safety: any thread; each transaction is used by one lease at a time (MDB_NOTLS).
// Limit: kSlots transactions; who finds all in use yields until one is free.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <cstdint>

#include "base/function.h"
#include "base/mutex.h"
#include "base/ref.h"
#include "core/runtime.h"

namespace chainstore::lmdb {

class ReaderPool final : public RefCounted<ReaderPool> {
 private:
  struct Slot;

 public:
  // A transaction to read in, given back when it goes.
  class Lease {
   public:
    Lease() = default;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { Release(); }
    MDB_txn* txn() const noexcept { return txn_; }
    uint64_t snapshot() const noexcept { return snapshot_; }
    void Release() noexcept;

   private:
    friend class ReaderPool;
    Slot* slot_ = nullptr;
    MDB_txn* txn_ = nullptr;
    uint64_t snapshot_ = 0;
  };

  // `env` must outlive the pool's use: until Close.
  ReaderPool(MDB_env* env, Ref<Runtime> runtime) : env_(env), runtime_(std::move(runtime)) {}
  ~ReaderPool();

  // Returns 0 or LMDB's code. MDB_MAP_RESIZED: the environment has to adopt the file's new size.
  int Acquire(Lease* lease) noexcept;
  // Idle transactions let go of snapshots that are not the newest.
  void DropOldSnapshots() noexcept;
  // Runs `change` while no transaction is active, nor can become so. If it fails (not 0), the
  // environment cannot be touched again: Acquire answers MDB_PANIC from then on.
  int WhileQuiet(UniqueFunction<int()> change);
  bool broken() const noexcept { return mode_.load(std::memory_order_relaxed) == Mode::kBroken; }
  // A bucket was opened: a transaction that began before does not know it.
  void ForgetSnapshots() noexcept { epoch_.fetch_add(1, std::memory_order_release); }
  // Ends all transactions, once nobody reads any more.
  void Close() CS_EXCLUDES(timer_mutex_);

  static constexpr size_t kSlots = 64;
  static constexpr uint64_t kIdleMs = 100;

 private:
  static constexpr uint64_t kNoSnapshot = UINT64_MAX;
  enum class Mode : uint8_t { kOpen, kQuiet, kBroken };
  struct alignas(64) Slot {
    std::atomic<bool> busy{false};
    // Of the transaction. Written by whoever has made the slot busy.
    std::atomic<uint64_t> snapshot{kNoSnapshot};
    std::atomic<bool> used{false};  // since the timer last looked
    uint32_t epoch = 0;
    MDB_txn* txn = nullptr;
  };

  uint64_t NewestSnapshot() const noexcept;
  Slot* TakeSlot() noexcept;
  // One that has a transaction, for when the reader table has no room for more; null: none has.
  Slot* TakeBegunSlot() noexcept;
  int Renew(Slot* slot) noexcept;
  int Begin(Slot* slot) noexcept;
  static void Reset(Slot* slot) noexcept;
  void StartTimer() CS_EXCLUDES(timer_mutex_);
  void OnTimer() CS_EXCLUDES(timer_mutex_);

  MDB_env* const env_;
  const Ref<Runtime> runtime_;
  std::atomic<uint32_t> epoch_{0};
  std::atomic<Mode> mode_{Mode::kOpen};
  Slot slots_[kSlots];

  std::atomic<bool> timer_started_{false};
  Mutex timer_mutex_;
  bool closed_ CS_GUARDED_BY(timer_mutex_) = false;
  Runtime::TimerId timer_ CS_GUARDED_BY(timer_mutex_) = 0;
  int64_t timer_due_ns_ CS_GUARDED_BY(timer_mutex_) = 0;
};

}  // namespace chainstore::lmdb
