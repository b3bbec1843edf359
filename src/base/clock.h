// Clock: the only source of time. SystemClock is the real one; tests drive a ManualClock.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace chainstore {

inline constexpr int64_t kForeverNs = INT64_MAX;

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic: for deadlines and durations.
  virtual int64_t SteadyNs() const noexcept = 0;
  // Unix time: for expiry and versions.
  virtual int64_t WallMs() const noexcept = 0;
  virtual int64_t WallUs() const noexcept = 0;

  // `timeout_ms` from now, saturated: a time limit that overflows is no limit.
  int64_t DeadlineAfterMs(uint64_t timeout_ms) const noexcept;

  static const Clock& System() noexcept;
};

// A wall clock that a test moves; steady time stays real, because threads really wait with it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t wall_ms) : wall_ms_(wall_ms) {}
  int64_t SteadyNs() const noexcept override { return System().SteadyNs(); }
  int64_t WallMs() const noexcept override { return wall_ms_.load(); }
  int64_t WallUs() const noexcept override { return wall_ms_.load() * 1000; }
  void AdvanceMs(int64_t ms) noexcept { wall_ms_.fetch_add(ms); }

 private:
  std::atomic<int64_t> wall_ms_;
};

}  // namespace chainstore
