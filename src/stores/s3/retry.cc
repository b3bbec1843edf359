#include "stores/s3/retry.h"

#include <algorithm>
#include <random>

namespace chainstore::s3 {

int RetryBudget::Take(Retry retry) {
  const int cost = retry == Retry::kThrottle ? kThrottleCost : kFaultCost;
  MutexLock lock(mutex_);
  if (tokens_ < cost) return 0;
  tokens_ -= cost;
  return cost;
}

void RetryBudget::Give(int taken) {
  MutexLock lock(mutex_);
  tokens_ = std::min(kCapacity, tokens_ + std::max(taken, 1));
}

int64_t LongestPauseNs(Retry retry, int next) noexcept {
  constexpr int64_t kMs = 1'000'000;
  constexpr int64_t kCap = 20'000 * kMs;
  int64_t pause = retry == Retry::kThrottle ? 1000 * kMs : 50 * kMs;
  for (int i = 2; i < next && pause < kCap; ++i) pause *= 2;
  return std::min(pause, kCap);
}

int64_t PauseNs(Retry retry, int next) {
  std::random_device random;
  return std::uniform_int_distribution<int64_t>(0, LongestPauseNs(retry, next))(random);
}

}  // namespace chainstore::s3
