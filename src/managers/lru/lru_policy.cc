#include "managers/lru/lru_policy.h"

#include <algorithm>
#include <cassert>

namespace chainstore {

void LruPolicy::Seeded(uint32_t slot, uint64_t order) noexcept {
  slots_.set_word(slot, order);
  // It may be older than what is collected, which then is not the oldest any more.
  oldest_.clear();
}

uint32_t LruPolicy::Victim() {
  const uint32_t oldest = PopOldest();
  if (oldest != kNoSlot) return oldest;
  CollectOldest();
  return PopOldest();
}

uint32_t LruPolicy::PopOldest() noexcept {
  while (!oldest_.empty()) {
    const Candidate candidate = oldest_.back();
    oldest_.pop_back();
    if (slots_.Evictable(candidate.slot) && slots_.word(candidate.slot) == candidate.stamp) {
      return candidate.slot;
    }
  }
  return kNoSlot;
}

void LruPolicy::CollectOldest() {
  if (slots_.count() == 0) return;
  CollectUpTo(SampleThreshold());
  // Rare: all that are that old are busy.
  if (oldest_.empty()) CollectUpTo(kGone - 1);
  std::sort(oldest_.begin(), oldest_.end(),
            [](const Candidate& a, const Candidate& b) { return a.stamp > b.stamp; });
}

uint64_t LruPolicy::SampleThreshold() const {
  // With 1,024 samples the collection is a sixteenth give or take a few per cent. A small table is
  // sampled whole, and then at least eight are collected.
  constexpr uint32_t kSamples = 1024;
  const uint32_t step = std::max(1u, slots_.end() / kSamples);
  std::vector<uint64_t> samples;
  samples.reserve(slots_.end() / step + 1);
  for (uint32_t slot = 1; slot < slots_.end(); slot += step) {
    if (const uint64_t stamp = slots_.word(slot); stamp != kGone) samples.push_back(stamp);
  }
  if (samples.size() <= 8) return kGone - 1;
  const size_t rank = std::max<size_t>(8, samples.size() / kFraction);
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(std::min(rank, samples.size()) - 1);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

void LruPolicy::CollectUpTo(uint64_t threshold) {
  for (uint32_t slot = 1; slot < slots_.end(); ++slot) {
    const uint64_t stamp = slots_.word(slot);
    if (stamp <= threshold && slots_.Evictable(slot)) oldest_.push_back({stamp, slot});
  }
}

}  // namespace chainstore
