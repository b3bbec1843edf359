// Histogram: durations in buckets that are linear within each power of two, as HdrHistogram's
// (Tene, hdrhistogram.org), so that a quantile is right to within 1/128: two significant digits.
// Thread safety: any thread; a reader sees each count, not one moment of all.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace chainstore {

class Histogram {
 public:
  void Add(uint64_t ns) noexcept;
  uint64_t Count() const noexcept;
  double SumSeconds() const noexcept;
  // The duration below which `rank` (0 to 1) of the counted ones lie. 0 without any.
  double QuantileSeconds(double rank) const noexcept;

 private:
  // Exact below 256 ns; then 128 buckets for each power of two up to 2^42 ns (73 minutes).
  static constexpr unsigned kExactBits = 8;
  static constexpr size_t kHalf = size_t{1} << (kExactBits - 1);
  static constexpr unsigned kMostBits = 42;
  static constexpr size_t kBuckets = 2 * kHalf + (kMostBits - kExactBits) * kHalf;

  static size_t BucketOf(uint64_t ns) noexcept;
  static double MiddleNs(size_t bucket) noexcept;

  std::array<std::atomic<uint64_t>, kBuckets> counts_{};
  std::atomic<uint64_t> sum_ns_{0};
};

}  // namespace chainstore
