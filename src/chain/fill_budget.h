// FillBudget: bounds the back-fills that are under way. One that does not fit is not done: the
// next read of the key fills.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace chainstore {

class FillBudget {
 public:
  static constexpr size_t kMaxFills = 1024;
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  bool Begin(size_t bytes) noexcept {
    const size_t count = count_.fetch_add(1, std::memory_order_relaxed);
    const size_t before = bytes_.fetch_add(bytes, std::memory_order_relaxed);
    // One fill is let in whatever its size: else a large value would never be filled.
    if (count == 0 || (count < kMaxFills && before + bytes <= kMaxBytes)) return true;
    End(bytes);
    return false;
  }
  void End(size_t bytes) noexcept {
    count_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

 private:
  std::atomic<size_t> count_{0};
  std::atomic<size_t> bytes_{0};
};

}  // namespace chainstore
