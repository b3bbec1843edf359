#include "managers/metrics/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace chainstore {

size_t Histogram::BucketOf(uint64_t ns) noexcept {
  ns = std::min(ns, (uint64_t{1} << kMostBits) - 1);
  const auto bits = static_cast<unsigned>(std::bit_width(ns));
  if (bits <= kExactBits) return ns;
  const unsigned shift = bits - kExactBits;  // the leading bits that are kept stay in [128, 256)
  return 2 * kHalf + (shift - 1) * kHalf + (static_cast<size_t>(ns >> shift) - kHalf);
}

double Histogram::MiddleNs(size_t bucket) noexcept {
  if (bucket < 2 * kHalf) return static_cast<double>(bucket);
  const size_t beyond = bucket - 2 * kHalf;
  const auto shift = static_cast<int>(beyond / kHalf) + 1;
  return std::ldexp(static_cast<double>(beyond % kHalf + kHalf) + 0.5, shift);
}

void Histogram::Add(uint64_t ns) noexcept {
  counts_[BucketOf(ns)].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(ns, std::memory_order_relaxed);
}

uint64_t Histogram::Count() const noexcept {
  uint64_t count = 0;
  for (const auto& each : counts_) count += each.load(std::memory_order_relaxed);
  return count;
}

double Histogram::SumSeconds() const noexcept {
  return static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
}

double Histogram::QuantileSeconds(double rank) const noexcept {
  const uint64_t count = Count();
  if (count == 0) return 0;
  const auto wanted =
      std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(rank * static_cast<double>(count))));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket].load(std::memory_order_relaxed);
    if (seen >= wanted) return MiddleNs(bucket) / 1e9;
  }
  return MiddleNs(kBuckets - 1) / 1e9;
}

}  // namespace chainstore
