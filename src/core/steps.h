// Steps: an operation made of steps, each of which ends inline or later, on whatever thread. Steps
// that end inline cost no stack: the loop only leaves for a step that is not done yet.
// Thread safety: one step at a time; Resume may come from any thread.
#pragma once

#include <atomic>

#include "base/ref.h"

namespace chainstore {

class Steps : public RefCounted<Steps> {
 public:
  virtual ~Steps() = default;

  void Run() {
    const Ref<Steps> self(this);
    for (;;) {
      state_.store(kRunning, std::memory_order_relaxed);
      if (!Step()) return;
      if (state_.exchange(kLeft, std::memory_order_acq_rel) == kRunning) return;
    }
  }

 protected:
  // Begins a step, of which Resume tells the end, once; whoever does that holds a reference. False:
  // the operation has ended, and Resume will not come.
  virtual bool Step() = 0;
  void Resume() {
    if (state_.exchange(kAnswered, std::memory_order_acq_rel) == kLeft) Run();
  }

 private:
  enum : int { kRunning, kAnswered, kLeft };
  std::atomic<int> state_{kRunning};
};

}  // namespace chainstore
