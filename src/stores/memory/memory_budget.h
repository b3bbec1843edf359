// MemoryBudget: the bytes of a memory store, reserved before they are used.
// Thread safety: any thread. Invariant: used never goes above max, except that max may be lowered
// below it: then only what shrinks is let through until used is below it again.
#pragma once

#include <atomic>
#include <cstdint>

namespace chainstore {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  bool Reserve(uint64_t bytes) noexcept {
    uint64_t used = used_bytes_.load(std::memory_order_relaxed);
    do {
      const uint64_t max = max_bytes_.load(std::memory_order_relaxed);
      if (used > max || bytes > max - used) return false;
    } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void Release(uint64_t bytes) noexcept { used_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t used_bytes() const noexcept { return used_bytes_.load(std::memory_order_relaxed); }
  uint64_t max_bytes() const noexcept { return max_bytes_.load(std::memory_order_relaxed); }
  void set_max_bytes(uint64_t bytes) noexcept {
    max_bytes_.store(bytes, std::memory_order_relaxed);
  }

 private:
  // On a line of its own: every put writes it, and gets must not share it.
  alignas(64) std::atomic<uint64_t> used_bytes_{0};
  std::atomic<uint64_t> max_bytes_;
};

}  // namespace chainstore
