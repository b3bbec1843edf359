// LruPolicy: exact LRU without a list. A hit only stamps its slot with the ticker's time. For
// evictions the oldest sixteenth is collected now and then in one pass over the words and sorted;
// whoever was touched since is skipped, because everything else is younger than the rest of the
// collection: its head is always the least recently used entry.
// Thread safety: as Policy.
#pragma once

#include <vector>

#include "managers/lru/policy.h"
#include "managers/lru/ticker.h"

namespace chainstore {

class LruPolicy final : public Policy {
 public:
  LruPolicy(Slots& slots, Ticker& ticker) : slots_(slots), ticker_(ticker) {}

  void Touched(uint32_t slot) noexcept override { slots_.set_word(slot, ticker_.Next()); }
  void Inserted(uint32_t slot) noexcept override { slots_.set_word(slot, ticker_.Next()); }
  void Seeded(uint32_t slot, uint64_t order) noexcept override;
  void Removed(uint32_t slot) noexcept override { slots_.set_word(slot, kGone); }
  uint32_t Victim() override;
  uint64_t Order(uint32_t slot) const noexcept override { return slots_.word(slot); }

 private:
  struct Candidate {
    uint64_t stamp;
    uint32_t slot;
  };
  static constexpr uint64_t kGone = UINT64_MAX;

  // The head of the collection, without those that were touched since.
  uint32_t PopOldest() noexcept;
  void CollectOldest();
  // A stamp that about one slot in kFraction lies at or below.
  uint64_t SampleThreshold() const;
  void CollectUpTo(uint64_t threshold);

  static constexpr uint32_t kFraction = 16;
  Slots& slots_;
  Ticker& ticker_;
  std::vector<Candidate> oldest_;  // sorted, the oldest last
};

}  // namespace chainstore
