// When to ask a server again: RetryBudget, which bounds what all requests of a store together send
// again, and the pause before the next attempt.
// Thread safety: any thread.
#pragma once

#include <cstdint>

#include "base/mutex.h"

namespace chainstore::s3 {

enum class Retry : uint8_t {
  kNever,     // an answer
  kFault,     // the server or the network failed
  kThrottle,  // too many requests
};

// Tokens: a retry takes some, a success gives back. A server that fails for good so gets few
// retries, however many requests there are.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;
  static constexpr int kFaultCost = 14;
  static constexpr int kThrottleCost = 5;
  // What was taken, for Give; 0: there is nothing left.
  int Take(Retry retry) CS_EXCLUDES(mutex_);
  // After a success: what its last retry took, or 1 if it needed none.
  void Give(int taken) CS_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  int tokens_ CS_GUARDED_BY(mutex_) = kCapacity;
};

// The longest pause before attempt `next` (2 is the first retry): 50 ms, for a throttle 1 s, and
// twice that each time, at most 20 s.
int64_t LongestPauseNs(Retry retry, int next) noexcept;
// Full jitter: anything up to that, evenly.
int64_t PauseNs(Retry retry, int next);

}  // namespace chainstore::s3
