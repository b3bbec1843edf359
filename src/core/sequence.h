// RunSequence: one asynchronous step after the other. A step that completes inline costs no stack:
// the loop only returns to a step that completes later.
// Thread safety: the steps run one at a time, each on the thread that ended the one before it.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "base/function.h"
#include "base/ref.h"

namespace chainstore {

template <class Step>
class Sequence final : public RefCounted<Sequence<Step>> {
 public:
  Sequence(size_t count, Step step, UniqueFunction<void()> end)
      : count_(count), step_(std::move(step)), end_(std::move(end)) {}

  void Run() {
    while (index_ < count_) {
      state_.store(kRunning, std::memory_order_relaxed);
      step_(index_++, [self = Ref<Sequence>(this)] {
        // Whoever comes second goes on: the loop (inline), or this continuation (later).
        if (self->state_.exchange(kAnswered, std::memory_order_acq_rel) == kLeft) self->Run();
      });
      if (state_.exchange(kLeft, std::memory_order_acq_rel) == kRunning) return;
    }
    end_();
  }

 private:
  enum : int { kRunning, kAnswered, kLeft };
  const size_t count_;
  Step step_;
  UniqueFunction<void()> end_;
  size_t index_ = 0;
  std::atomic<int> state_{kRunning};
};

// Runs `step(index, next)` for 0 .. count - 1, one after the other, and then `end`. A step calls
// `next` (a UniqueFunction<void()>) once, inline or later.
template <class Step>
void RunSequence(size_t count, Step step, UniqueFunction<void()> end) {
  MakeRef<Sequence<Step>>(count, std::move(step), std::move(end))->Run();
}

}  // namespace chainstore
