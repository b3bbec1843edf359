#include "managers/write_behind/breaker.h"

#include <algorithm>

namespace chainstore::behind {

bool Breaker::Sent() noexcept {
  if (state_ == State::kClosed) return false;
  probing_ = true;
  return true;
}

bool Breaker::Alive() noexcept {
  const bool changed = state_ != State::kClosed;
  *this = Breaker();
  return changed;
}

bool Breaker::Failed(bool refused, bool was_probe, int64_t now_ns, uint64_t random) noexcept {
  if (state_ == State::kClosed) {
    ++failures_;
    if (!refused && failures_ < kThreshold) return false;
    state_ = refused ? State::kPaused : State::kOpen;
    ScheduleProbe(now_ns, random);
    return true;
  }
  // Operations that were out before it opened may fail long after: they say nothing new.
  if (!was_probe) return false;
  probing_ = false;
  const State before = state_;
  state_ = refused ? State::kPaused : State::kOpen;
  ScheduleProbe(now_ns, random);
  return state_ != before;
}

void Breaker::ScheduleProbe(int64_t now_ns, uint64_t random) noexcept {
  const int64_t jitter_ms = static_cast<int64_t>(random % static_cast<uint64_t>(probe_ms_ / 2));
  next_probe_ns_ = now_ns + (probe_ms_ + jitter_ms) * 1'000'000;
  probe_ms_ = std::min(probe_ms_ * 2, kMaxProbeMs);
}

}  // namespace chainstore::behind
