// Breaker: the circuit breaker of one inner store. An outage costs a probe now and then, less than
// one a second, and not an attempt for every key that waits.
//   kClosed  deliveries go out as they come
//   kOpen    transient failures came in a row: one probe at a time
//   kPaused  the store as a whole refuses (denied, closed, ...): the same, and reported as such
// Thread safety: none; the queue's lock guards it. Time and chance come from outside.
#pragma once

#include <cstdint>

namespace chainstore::behind {

class Breaker {
 public:
  enum class State : uint8_t { kClosed, kOpen, kPaused };
  // This many transient failures without a success between them are no accident of single keys.
  static constexpr uint32_t kThreshold = 5;
  // The wait between two probes is at least the first and doubles up to the second; chance adds up
  // to a half.
  static constexpr int64_t kMinProbeMs = 1'000;
  static constexpr int64_t kMaxProbeMs = 10'000;

  State state() const noexcept { return state_; }
  // Whether an operation may be sent now.
  bool Allows(int64_t now_ns) const noexcept {
    return state_ == State::kClosed || (!probing_ && now_ns >= next_probe_ns_);
  }
  // When Allows turns true by itself; meaningless while it is closed or a probe is out.
  int64_t next_probe_ns() const noexcept { return next_probe_ns_; }
  bool probing() const noexcept { return probing_; }

  // An allowed operation goes out. True: it is a probe, which its outcome has to say again.
  bool Sent() noexcept;
  // The store answered something that shows it working. True: the breaker was not closed.
  bool Alive() noexcept;
  // A transient failure, or (refused) one that concerns the whole store. True: the state changed.
  bool Failed(bool refused, bool was_probe, int64_t now_ns, uint64_t random) noexcept;
  // Whoever closes the queue does not wait for the next probe's time.
  void ProbeNow() noexcept {
    next_probe_ns_ = 0;
    probe_ms_ = kMinProbeMs;
  }

 private:
  void ScheduleProbe(int64_t now_ns, uint64_t random) noexcept;

  State state_ = State::kClosed;
  bool probing_ = false;
  uint32_t failures_ = 0;  // transient ones in a row, while closed
  int64_t probe_ms_ = kMinProbeMs;
  int64_t next_probe_ns_ = 0;
};

}  // namespace chainstore::behind
