// Backoff: how long a failed delivery waits. "Full jitter" (M. Brooker, "Exponential Backoff And
// Jitter", AWS 2015): uniform below a ceiling that doubles, so that keys that failed together do
// not come back together.
#pragma once

#include <cstdint>

namespace chainstore::behind {

// After the `attempt`-th failure (from 1): uniform in [min_ms, min(max_ms, min_ms * 2^attempt)].
// `random` is any 64 random bits.
int64_t BackoffMs(uint32_t attempt, int64_t min_ms, int64_t max_ms, uint64_t random) noexcept;

}  // namespace chainstore::behind
