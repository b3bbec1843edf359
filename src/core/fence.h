// Fence: what a back-fill and a read have to know about the writes of their key. Generations and
// busy marks are a fixed table of striped words; bars are exact, behind a striped count. The rules
// are those of the executable model (ARCHITECTURE.md, "Freshness").
// Thread safety: any thread. Collisions of stripes only make it more careful: a fill is dropped, a
// trip is not shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "base/mutex.h"

namespace chainstore {

class Fence {
 public:
  // What a trip notes before it looks below: equal again at its end means that no write of the key
  // was under way or happened since.
  struct Ticket {
    uint32_t generation = 0;
    bool busy = false;
  };

  Fence();

  Ticket Note(const Key& key) const noexcept;
  bool StillIdle(const Key& key, const Ticket& ticket) const noexcept;
  void BeginWrite(const Key& key) noexcept;
  void EndWrite(const Key& key) noexcept;

  // Bars: stores (bits) that reads of the key pass by. A get that finds none pays one load.
  uint64_t Barred(const Key& key) const;
  void Bar(const Key& key, uint64_t stores);
  // Lifts what is not outstanding of `stores`.
  void Unbar(const Key& key, uint64_t stores);
  // Stores with a call of the key that was given up and has not come back. They are barred, and
  // get no other call of the key, until it has.
  uint64_t Outstanding(const Key& key) const;
  void BeginOutstanding(const Key& key, uint64_t stores);
  void EndOutstanding(const Key& key, uint64_t stores);
  // A store that is no longer anybody's: its bit may be given to another one.
  void Forget(uint64_t stores);
  // Keys barred at present. At kMaxBars a further bar bars whole stores, for good: which of their
  // keys are stale is not known any more. (It fits the 16 bits of a stripe's count.)
  size_t bar_count() const noexcept { return bar_count_.load(std::memory_order_relaxed); }
  static constexpr size_t kMaxBars = 32768;

 private:
  // Per stripe: generation in the upper 32 bits, then 16 bits of keys busy and 16 of keys barred.
  static constexpr size_t kStripes = 4096;
  static constexpr uint64_t kGeneration = uint64_t{1} << 32;
  static constexpr uint64_t kBusy = uint64_t{1} << 16;
  static constexpr uint64_t kBarred = 1;
  static constexpr uint64_t kBusyMask = 0xffff'0000;
  static constexpr uint64_t kBarredMask = 0xffff;

  std::atomic<uint64_t>& Word(const Key& key) noexcept { return words_[key.hash % kStripes]; }
  const std::atomic<uint64_t>& Word(const Key& key) const noexcept {
    return words_[key.hash % kStripes];
  }

  const std::unique_ptr<std::atomic<uint64_t>[]> words_;
  std::atomic<size_t> bar_count_{0};
  std::atomic<uint64_t> barred_stores_{0};  // whole stores, when the bars were too many
  mutable Mutex mutex_;
  struct Bars {
    uint64_t barred = 0;
    uint64_t outstanding = 0;  // a part of `barred`
  };
  using BarMap = std::unordered_map<std::string, Bars>;
  BarMap::iterator Erase(BarMap::iterator at) CS_REQUIRES(mutex_);
  BarMap bars_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
