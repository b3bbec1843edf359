#include "base/clock.h"

#include <ctime>

namespace chainstore {
namespace {

int64_t ReadNs(clockid_t id) noexcept {
  timespec now;
  clock_gettime(id, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  // CLOCK_MONOTONIC is what std::chrono::steady_clock, and so CondVar, waits by.
  int64_t SteadyNs() const noexcept override { return ReadNs(CLOCK_MONOTONIC); }
  int64_t WallMs() const noexcept override { return ReadNs(CLOCK_REALTIME) / 1'000'000; }
  int64_t WallUs() const noexcept override { return ReadNs(CLOCK_REALTIME) / 1'000; }
};

}  // namespace

int64_t Clock::DeadlineAfterMs(uint64_t timeout_ms) const noexcept {
  const int64_t now = SteadyNs();
  const uint64_t room_ms = static_cast<uint64_t>(kForeverNs - now) / 1'000'000;
  if (timeout_ms >= room_ms) return kForeverNs;
  return now + static_cast<int64_t>(timeout_ms) * 1'000'000;
}

const Clock& Clock::System() noexcept {
  // Never destroyed: library threads may outlive main's static destructors.
  static const auto* clock = new SystemClock;
  return *clock;
}

}  // namespace chainstore
