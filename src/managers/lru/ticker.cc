#include "managers/lru/ticker.h"

namespace chainstore {

size_t Ticker::ThisThreadsStripe() noexcept {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return mine;
}

}  // namespace chainstore
