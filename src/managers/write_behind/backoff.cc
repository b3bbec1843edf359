#include "managers/write_behind/backoff.h"

#include <algorithm>

namespace chainstore::behind {

int64_t BackoffMs(uint32_t attempt, int64_t min_ms, int64_t max_ms, uint64_t random) noexcept {
  // Beyond 30 doublings every ceiling in milliseconds is above every sensible maximum.
  const uint32_t doublings = std::min(attempt, 30u);
  const int64_t ceiling_ms =
      min_ms > (max_ms >> doublings) ? max_ms : std::min(max_ms, min_ms << doublings);
  const uint64_t choices = static_cast<uint64_t>(ceiling_ms - min_ms) + 1;
  return min_ms + static_cast<int64_t>(random % choices);
}

}  // namespace chainstore::behind
