// Gate: counts what is under way in a store, so that close can wait for it.
// Thread safety: any thread. Invariant: once closed, Enter fails for ever; the function given to
// Close runs exactly once, when the last one that entered has left.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/function.h"
#include "base/mutex.h"

namespace chainstore {

class Gate {
 public:
  ~Gate();
  bool Enter() noexcept;
  void Leave() noexcept;
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  // False: it was closed before, and `on_drained` is dropped.
  bool Close(UniqueFunction<void()> on_drained);

 private:
  // Counted in stripes by thread: two threads that pass at once share no cache line. The sum is
  // looked at only after closing, when it can only fall.
  static constexpr size_t kStripes = 8;
  struct alignas(64) Stripe {
    std::atomic<int64_t> count{0};
  };
  int64_t Sum() const noexcept;
  void FinishIfDrained();

  std::atomic<bool> closed_{false};
  Stripe stripes_[kStripes];
  Mutex mutex_;
  UniqueFunction<void()> on_drained_ CS_GUARDED_BY(mutex_);
};

// Leaves the gate when it goes; movable, so that a continuation can carry it.
class GatePass {
 public:
  GatePass() = default;
  explicit GatePass(Gate& gate) : gate_(gate.Enter() ? &gate : nullptr) {}
  GatePass(GatePass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  GatePass& operator=(GatePass&& other) noexcept {
    std::swap(gate_, other.gate_);
    return *this;
  }
  ~GatePass() {
    if (gate_) gate_->Leave();
  }
  explicit operator bool() const noexcept { return gate_ != nullptr; }

 private:
  Gate* gate_ = nullptr;
};

}  // namespace chainstore
