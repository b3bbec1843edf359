// RunParallel: asynchronous steps, at most so many at once.
// Thread safety: steps run on whatever thread ended the one before them in their lane; `end` runs
// once, after all of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "core/sequence.h"

namespace chainstore::s3 {

template <class Step>
class Parallel final : public RefCounted<Parallel<Step>> {
 public:
  Parallel(size_t count, size_t lanes, Step step, UniqueFunction<void()> end)
      : count_(count), lanes_left_(lanes), step_(std::move(step)), end_(std::move(end)) {}

  // One lane takes the next step that nobody has, until there is none. That a lane makes `count_`
  // rounds costs nothing, and keeps a step that completes inline from taking stack.
  void RunLane() {
    RunSequence(
        count_,
        [self = Ref<Parallel>(this)](size_t, UniqueFunction<void()> next) {
          const size_t at = self->next_.fetch_add(1, std::memory_order_acq_rel);
          if (at >= self->count_) return next();
          self->step_(at, std::move(next));
        },
        [self = Ref<Parallel>(this)] {
          if (self->lanes_left_.fetch_sub(1, std::memory_order_acq_rel) == 1) self->end_();
        });
  }

 private:
  const size_t count_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> lanes_left_;
  Step step_;
  UniqueFunction<void()> end_;
};

// Runs `step(index, next)` for 0 .. count - 1, at most `limit` at once, and then `end`. A step
// calls `next` once, inline or later. `step` is called by several threads at once.
template <class Step>
void RunParallel(size_t count, size_t limit, Step step, UniqueFunction<void()> end) {
  const size_t lanes = count < limit ? count : limit;
  if (lanes == 0) return end();
  auto parallel = MakeRef<Parallel<Step>>(count, lanes, std::move(step), std::move(end));
  for (size_t lane = 0; lane < lanes; ++lane) parallel->RunLane();
}

}  // namespace chainstore::s3
