// Ticker: the time by which recency is told: a number that grows with every touch.
// Thread safety: any thread; plain loads and stores, no thread waits for another one's cache line
// more than once in `interval` touches. Invariant: on one thread it grows strictly; between threads
// it is out of order by at most `interval` touches (1: by those that are under way).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace chainstore {

class Ticker {
 public:
  // Ticks of this process lie above every order that is known from before (see LruPolicy::Seeded).
  static constexpr uint64_t kFirst = uint64_t{1} << 57;

  // A power of two.
  explicit Ticker(uint64_t interval) : interval_(interval) {}

  uint64_t Next() noexcept {
    std::atomic<uint64_t>& mine = stripes_[ThisThreadsStripe()].last;
    const uint64_t tick =
        std::max(mine.load(std::memory_order_relaxed), published_.load(std::memory_order_relaxed)) +
        1;
    mine.store(tick, std::memory_order_relaxed);
    if ((tick & (interval_ - 1)) == 0) published_.store(tick, std::memory_order_relaxed);
    return tick;
  }
  // The greatest so far.
  uint64_t Last() const noexcept {
    uint64_t last = published_.load(std::memory_order_relaxed);
    for (const Stripe& stripe : stripes_) {
      last = std::max(last, stripe.last.load(std::memory_order_relaxed));
    }
    return last;
  }
  // How far a tick that is still to come may lie below Last().
  uint64_t Lag() const noexcept { return interval_ * kStripes; }

 private:
  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::atomic<uint64_t> last{kFirst};
  };
  static size_t ThisThreadsStripe() noexcept;

  const uint64_t interval_;
  alignas(64) std::atomic<uint64_t> published_{kFirst};
  Stripe stripes_[kStripes];
};

}  // namespace chainstore
