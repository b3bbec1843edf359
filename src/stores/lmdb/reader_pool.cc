#include "stores/lmdb/reader_pool.h"

#include <sched.h>

#include <cassert>
#include <utility>

#include "base/thread_slot.h"

namespace chainstore::lmdb {
void ReaderPool::Lease::Release() noexcept {
  if (!slot_) return;
  // Read first: threads that share the flag must not pass its cache line about.
  if (!slot_->used.load(std::memory_order_relaxed)) {
    slot_->used.store(true, std::memory_order_relaxed);
  }
  std::exchange(slot_, nullptr)->busy.store(false, std::memory_order_release);
  txn_ = nullptr;
}

ReaderPool::~ReaderPool() {
  for ([[maybe_unused]] const Slot& slot : slots_)
    assert(!slot.txn && "a ReaderPool was not closed");
}

uint64_t ReaderPool::NewestSnapshot() const noexcept {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_last_txnid;
}

ReaderPool::Slot* ReaderPool::TakeSlot() noexcept {
  // Threads that read at once should find transactions of their own.
  const size_t first = ThreadSlot::Get();
  for (;;) {
    for (size_t i = 0; i < kSlots; ++i) {
      Slot& slot = slots_[(first + i) % kSlots];
      if (slot.busy.load(std::memory_order_relaxed)) continue;
      if (!slot.busy.exchange(true, std::memory_order_acquire)) return &slot;
    }
    // Reads are short: whoever has a slot needs the processor, not time.
    sched_yield();
  }
}

ReaderPool::Slot* ReaderPool::TakeBegunSlot() noexcept {
  for (;;) {
    bool others_read = false;
    for (Slot& slot : slots_) {
      if (slot.busy.exchange(true, std::memory_order_acquire)) {
        others_read = true;
        continue;
      }
      if (slot.txn) return &slot;
      slot.busy.store(false, std::memory_order_release);
    }
    if (!others_read) return nullptr;
    sched_yield();
  }
}

int ReaderPool::Acquire(Lease* lease) noexcept {
  lease->Release();
  Slot* slot = TakeSlot();
  // Whoever wants quiet must not have to race for each slot.
  while (mode_.load(std::memory_order_relaxed) != Mode::kOpen) {
    const bool is_broken = broken();
    slot->busy.store(false, std::memory_order_release);
    if (is_broken) return MDB_PANIC;
    sched_yield();
    slot = TakeSlot();
  }
  const uint64_t snapshot = slot->snapshot.load(std::memory_order_relaxed);
  if (snapshot == kNoSnapshot || snapshot != NewestSnapshot() ||
      slot->epoch != epoch_.load(std::memory_order_acquire)) {
    int rc = Renew(slot);
    if (rc != 0) {
      slot->busy.store(false, std::memory_order_release);
      if (rc != MDB_READERS_FULL || !(slot = TakeBegunSlot())) return rc;
      if ((rc = Renew(slot)) != 0) {
        slot->busy.store(false, std::memory_order_release);
        return rc;
      }
    }
    // Sequentially consistent with OnTimer: it sees this snapshot, or we see that it looked.
    if (!timer_started_.load(std::memory_order_seq_cst)) StartTimer();
  }
  lease->slot_ = slot;
  lease->txn_ = slot->txn;
  lease->snapshot_ = slot->snapshot.load(std::memory_order_relaxed);
  return 0;
}

int ReaderPool::Renew(Slot* slot) noexcept {
  Reset(slot);
  slot->epoch = epoch_.load(std::memory_order_acquire);
  int rc = MDB_BAD_RSLOT;
  if (slot->txn) {
    rc = mdb_txn_renew(slot->txn);
    if (rc != 0) {
      mdb_txn_abort(std::exchange(slot->txn, nullptr));
      if (rc != MDB_BAD_RSLOT) return rc;
    }
  }
  // Also where another process has taken our entry of the reader table for a dead one's.
  if (rc != 0) rc = Begin(slot);
  if (rc == 0) slot->snapshot.store(mdb_txn_id(slot->txn), std::memory_order_seq_cst);
  return rc;
}

int ReaderPool::Begin(Slot* slot) noexcept {
  int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &slot->txn);
  if (rc == MDB_READERS_FULL) {
    int dead = 0;
    mdb_reader_check(env_, &dead);
    rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &slot->txn);
  }
  if (rc != 0) slot->txn = nullptr;
  return rc;
}

void ReaderPool::Reset(Slot* slot) noexcept {
  if (slot->snapshot.load(std::memory_order_relaxed) == kNoSnapshot) return;
  mdb_txn_reset(slot->txn);
  slot->snapshot.store(kNoSnapshot, std::memory_order_relaxed);
}

void ReaderPool::DropOldSnapshots() noexcept {
  if (broken()) return;
  const uint64_t newest = NewestSnapshot();
  for (Slot& slot : slots_) {
    const uint64_t snapshot = slot.snapshot.load(std::memory_order_relaxed);
    if (snapshot == kNoSnapshot || snapshot == newest) continue;
    // One that is in use renews before its next read.
    if (slot.busy.load(std::memory_order_relaxed) ||
        slot.busy.exchange(true, std::memory_order_acquire)) {
      continue;
    }
    if (slot.snapshot.load(std::memory_order_relaxed) != newest) Reset(&slot);
    slot.busy.store(false, std::memory_order_release);
  }
}

int ReaderPool::WhileQuiet(UniqueFunction<int()> change) {
  if (broken()) return MDB_PANIC;
  mode_.store(Mode::kQuiet, std::memory_order_relaxed);
  for (Slot& slot : slots_) {
    while (slot.busy.exchange(true, std::memory_order_acquire)) sched_yield();
    Reset(&slot);
  }
  const int rc = change();
  mode_.store(rc == 0 ? Mode::kOpen : Mode::kBroken, std::memory_order_relaxed);
  for (Slot& slot : slots_) slot.busy.store(false, std::memory_order_release);
  return rc;
}

// ---- The timer ----

void ReaderPool::StartTimer() {
  if (timer_started_.exchange(true, std::memory_order_relaxed)) return;
  MutexLock lock(timer_mutex_);
  if (closed_) return;
  timer_due_ns_ = runtime_->clock().DeadlineAfterMs(kIdleMs);
  timer_ = runtime_->At(timer_due_ns_, [self = Ref<ReaderPool>(this)] { self->OnTimer(); });
}

void ReaderPool::OnTimer() {
  bool more = false;
  {
    MutexLock lock(timer_mutex_);
    if (closed_) return;
    // Before looking: a reader that comes after the look starts the timer again.
    timer_started_.store(false, std::memory_order_seq_cst);
    for (Slot& slot : slots_) {
      if (slot.snapshot.load(std::memory_order_seq_cst) == kNoSnapshot) continue;
      if (slot.used.exchange(false, std::memory_order_relaxed) ||
          slot.busy.exchange(true, std::memory_order_acquire)) {
        more = true;
        continue;
      }
      Reset(&slot);
      slot.busy.store(false, std::memory_order_release);
    }
  }
  if (more) StartTimer();
}

void ReaderPool::Close() {
  {
    MutexLock lock(timer_mutex_);
    closed_ = true;
    // A timer that is running waits for the lock, and finds it closed.
    if (timer_ != 0) runtime_->CancelTimer(timer_, timer_due_ns_);
  }
  for (Slot& slot : slots_) {
    assert(!slot.busy.load(std::memory_order_relaxed));
    if (slot.txn) mdb_txn_abort(std::exchange(slot.txn, nullptr));
    slot.snapshot.store(kNoSnapshot, std::memory_order_relaxed);
  }
}

}  // namespace chainstore::lmdb
