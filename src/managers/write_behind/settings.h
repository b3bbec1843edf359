// Settings: what the options of a write-behind mean, checked. Immutable.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "core/option.h"

namespace chainstore::behind {

inline constexpr int64_t kNsPerMs = 1'000'000;  // settings are in ms, the clock is in ns

// What a write meets when the queue is full.
enum class Overflow : uint8_t {
  kBlock,    // waits for room, at most until its deadline or cancel
  kFail,     // CS_BUSY
  kThrough,  // is written to the inner store before it is acknowledged
};

struct Settings {
  uint64_t max_entries = 100'000;
  uint64_t max_bytes = uint64_t{256} << 20;
  Overflow overflow = Overflow::kBlock;
  uint32_t concurrency = 16;
  int64_t attempt_timeout_ms = 300'000;
  int64_t settle_ms = 30'000;
  int64_t retry_min_ms = 50;
  int64_t retry_max_ms = 60'000;
  int64_t drain_idle_ms = 10'000;

  // `options` may be null.
  static Result<Settings> Parse(const Options* options);
};

}  // namespace chainstore::behind
