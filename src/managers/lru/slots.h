// Slots: the entries of one shard of a ledger, 28 bytes each: what a hit reads (hash, chain, the
// policy's word) apart from what only writes and evictions read (key, cost, flags).
// Thread safety: the shard's lock, but for what is marked "any thread". A slot's memory is never
// given back, so a reader that comes too late touches a stranger's word at worst.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/bytes.h"
#include "managers/lru/key_arena.h"
#include "managers/lru/segments.h"

namespace chainstore {

inline constexpr uint32_t kNoSlot = 0;

class Slots {
 public:
  enum Flag : uint16_t {
    kUsed = 0x8000,
    kBusy = 0x4000,     // a write, an eviction or a check of the key is under way
    kPresent = 0x2000,  // the store holds the entry, or may hold it
  };

  // ---- Any thread ----
  uint32_t hash(uint32_t slot) const noexcept { return Load(hot_[slot].hash); }
  uint32_t next(uint32_t slot) const noexcept {
    return std::atomic_ref(hot_[slot].next).load(std::memory_order_acquire);
  }
  uint64_t word(uint32_t slot) const noexcept { return Load(hot_[slot].word); }
  void set_word(uint32_t slot, uint64_t word) noexcept { Store(hot_[slot].word, word); }
  // Unless it is not `from` any more.
  void change_word(uint32_t slot, uint64_t from, uint64_t to) noexcept {
    std::atomic_ref(hot_[slot].word).compare_exchange_strong(from, to, std::memory_order_relaxed);
  }

  // ---- Under the lock ----
  // A slot with this key, which is neither busy nor present. Throws std::bad_alloc.
  uint32_t Add(Bytes key, uint32_t hash);
  void Free(uint32_t slot) noexcept;
  void set_next(uint32_t slot, uint32_t next) noexcept {
    std::atomic_ref(hot_[slot].next).store(next, std::memory_order_release);
  }
  Bytes key(uint32_t slot) const noexcept {
    return keys_.At(cold_[slot].key_at, cold_[slot].size_and_flags & kSizeMask);
  }
  uint64_t cost(uint32_t slot) const noexcept {
    return uint64_t{cold_[slot].cost_high} << 32 | cold_[slot].cost_low;
  }
  void set_cost(uint32_t slot, uint64_t cost) noexcept;
  bool Is(uint32_t slot, Flag flag) const noexcept { return cold_[slot].size_and_flags & flag; }
  void Set(uint32_t slot, Flag flag, bool on) noexcept;
  // May be chosen to go.
  bool Evictable(uint32_t slot) const noexcept {
    return (cold_[slot].size_and_flags & (kUsed | kBusy | kPresent)) == (kUsed | kPresent);
  }
  uint32_t count() const noexcept { return count_; }
  // All slots that were ever used are below it.
  uint32_t end() const noexcept { return end_; }
  static constexpr uint64_t kMaxCost = (uint64_t{1} << 48) - 1;

 private:
  static constexpr uint16_t kSizeMask = 0x07ff;
  struct Hot {
    uint32_t hash;
    uint32_t next;
    uint64_t word;
  };
  struct Cold {
    uint32_t key_at;  // in a free slot: the next free slot
    uint16_t size_and_flags;
    uint16_t cost_high;
    uint32_t cost_low;
  };
  template <class T>
  static T Load(T& from) noexcept {
    return std::atomic_ref(from).load(std::memory_order_relaxed);
  }
  template <class T>
  static void Store(T& to, T value) noexcept {
    std::atomic_ref(to).store(value, std::memory_order_relaxed);
  }

  Segments<Hot> hot_;
  Segments<Cold> cold_;
  KeyArena keys_;
  uint32_t end_ = 1;  // slot 0 is none
  uint32_t free_ = kNoSlot;
  uint32_t count_ = 0;
};

}  // namespace chainstore
