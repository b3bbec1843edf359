// Ledger: what an LRU knows of the store it wraps: each key with what its entry costs and how
// recently it was used, and a lock per key that writes, evictions and checks of the key hold while
// they work on the inner store. That lock is what keeps the ledger equal to the store: whatever
// happens to an entry, one holder at a time learns of it and unlocks with the outcome.
// Thread safety: any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "managers/lru/ledger_shard.h"
#include "managers/lru/ticker.h"

namespace chainstore {

class Ledger {
 public:
  // `shards` is a power of two.
  Ledger(uint32_t shards, const Ref<Runtime>& runtime, PolicyKind policy = PolicyKind::kLru);

  // A hit. False: the key is not known.
  bool Touch(const Key& key) noexcept { return ShardOf(key).Touch(key.hash); }
  // Perhaps: without a lock, by hash.
  bool MayHold(const Key& key) noexcept { return ShardOf(key).MayHold(key.hash); }
  // The entry is there and nobody works on it.
  bool HoldsIdle(const Key& key) { return ShardOf(key).HoldsIdle(key); }

  // Locks the key and tells what is known of it. False: it is locked.
  bool TryLock(const Key& key, Held* held) { return ShardOf(key).TryLock(key, held); }
  // As KeySlots::Acquire; `held` must stay valid until `enter` has run, and is filled in before.
  void Lock(const Key& key, const Call& call, Held* held, Done<Status> enter) {
    ShardOf(key).Lock(key, call, held, std::move(enter));
  }
  void Unlock(const Held& held, Outcome outcome, uint64_t cost = 0) {
    Count(held, outcome, cost);
    Free(held, outcome, cost);
  }
  // The two halves of Unlock, for whoever has a reservation to release in between: what is
  // evictable must not be hidden by room that is only seemingly taken.
  void Count(const Held& held, Outcome outcome, uint64_t cost);
  void Free(const Held& held, Outcome outcome, uint64_t cost);

  // The entry was deleted by the holder, who keeps the key locked.
  void Empty(Held* held);

  // Locked keys whose holders do not wait: as long as there are some, others may wait for what
  // they leave. A holder that waits itself says so.
  // Work differs whenever somebody began to work in between: whoever sees the same value twice, and
  // in it no work but its own, was alone all the time.
  uint64_t Work() const noexcept { return work_.load(std::memory_order_seq_cst); }
  static uint64_t Working(uint64_t work) noexcept { return work & (LedgerShard::kBegun - 1); }
  void Idle(size_t keys) noexcept { work_.fetch_sub(keys, std::memory_order_seq_cst); }
  void Busy(size_t keys) noexcept {
    work_.fetch_add(LedgerShard::kBegun + keys, std::memory_order_seq_cst);
  }

  // Locks the entry that should go next. False: there is none that could.
  bool TakeVictim(Held* held, std::string* key);

  // What all known entries cost.
  uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_seq_cst); }
  uint64_t count();

  // Start: see LedgerShard.
  void BeginPage();
  void EndPages();
  bool Seed(const Key& key, uint64_t cost, uint64_t order);

  Ticker& ticker() noexcept { return ticker_; }
  std::vector<std::unique_ptr<LedgerShard>>& shards() noexcept { return shards_; }

 private:
  LedgerShard& ShardOf(const Key& key) noexcept { return *shards_[(key.hash >> 32) & mask_]; }

  const uint64_t mask_;
  Ticker ticker_;
  std::atomic<uint32_t> next_victim_{0};
  std::atomic<uint64_t> work_{0};
  alignas(64) std::atomic<uint64_t> bytes_{0};
  std::vector<std::unique_ptr<LedgerShard>> shards_;
};

}  // namespace chainstore
