// Budget: the ceiling. A write reserves what its entry costs at most before it begins; what the
// store takes, plus what is reserved, never exceeds the capacity.
// What the store takes: what it says itself (Store::UsedBytes) or, if it does not know, what the
// ledger's entries cost together, plus what was in it before this process and is not yet counted.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "base/mutex.h"
#include "core/await.h"
#include "core/limit.h"
#include "core/store.h"
#include "managers/lru/ledger.h"

namespace chainstore {

class Budget {
 public:
  Budget(const Store& inner, const Ledger& ledger, Ref<Runtime> runtime, uint64_t max_bytes);

  // 256 TiB is no limit.
  static constexpr uint64_t kMaxBytes = Slots::kMaxCost;
  uint64_t max_bytes() const noexcept { return max_bytes_.load(std::memory_order_relaxed); }
  void set_max_bytes(uint64_t max_bytes) noexcept;

  // `waiting`: the cost is among those announced by Want.
  bool TryReserve(uint64_t cost, bool waiting) noexcept;
  // A Notify must follow, once the entry is evictable.
  void Release(uint64_t cost) noexcept;
  // A write that has to wait announces its cost: those that come later leave room for it, so that
  // a large one is not overtaken for ever by small ones.
  void Want(uint64_t cost) noexcept { wanted_.fetch_add(cost, std::memory_order_relaxed); }
  void Unwant(uint64_t cost) noexcept { wanted_.fetch_sub(cost, std::memory_order_relaxed); }
  // By how much what is known to be taken, and what is reserved, exceeds `limit`: what is not yet
  // counted may turn out to be nothing, so it is no reason to free more than a write needs.
  uint64_t Excess(uint64_t limit) const noexcept;

  // What was in the store before and is not in the ledger yet.
  void SetUncounted(uint64_t bytes) noexcept { uncounted_.store(bytes); }
  void Counted(uint64_t bytes) noexcept;

  // ---- Waiting for room ----
  // Something was freed, or became evictable.
  void Notify() noexcept;
  // Changes with each Notify.
  uint64_t Epoch() const noexcept { return epoch_.load(std::memory_order_seq_cst); }
  // `go_on` runs once there was a Notify since `epoch` was read, or the call's time is up: inline
  // if that is so already or the wait is kHere, else on the runtime.
  void Wait(uint64_t epoch, const Call& call, Done<Status> go_on);

 private:
  struct Waiter {
    uint64_t id;
    Ref<Awaited<Status>> here;
    Done<Status> later;
  };
  void WaitHere(uint64_t epoch, const Call& call, Done<Status> go_on);
  // Adds the waiter if there was no Notify since `epoch`.
  bool Enlist(uint64_t epoch, Waiter* waiter);
  // Takes a waiter out whose wait has ended.
  void Forget(uint64_t id);
  uint64_t Taken() const noexcept;
  static uint64_t Reserved(uint64_t word) noexcept { return word & kMaxBytes; }

  const Store& inner_;
  const Ledger& ledger_;
  const Ref<Runtime> runtime_;
  std::atomic<uint64_t> max_bytes_;
  std::atomic<uint64_t> uncounted_{0};
  std::atomic<uint64_t> wanted_{0};
  // Low 48 bits: bytes reserved. High 16: a count of changes, so that a reservation that replaced
  // another one of the same size between a look and a swap does not pass for it.
  alignas(64) std::atomic<uint64_t> word_{0};

  alignas(64) std::atomic<uint64_t> epoch_{0};
  std::atomic<uint64_t> next_waiter_{0};
  std::atomic<uint32_t> waiters_{0};
  Mutex mutex_;
  std::deque<Waiter> waiting_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
