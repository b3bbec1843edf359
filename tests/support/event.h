// Event: one thread tells another that something has happened, once and for all.
// Thread safety: any thread. It may be destroyed as soon as Wait has returned.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/mutex.h"

namespace chainstore {

class Event {
 public:
  void Set() {
    const std::shared_ptr<State> state = state_;  // the waiter may destroy *this from here on
    MutexLock lock(state->mutex);
    state->set = true;
    state->changed.NotifyAll();
  }
  void Wait() {
    MutexLock lock(state_->mutex);
    while (!state_->set) state_->changed.Wait(state_->mutex);
  }
  bool IsSet() const {
    MutexLock lock(state_->mutex);
    return state_->set;
  }

 private:
  struct State {
    Mutex mutex;
    CondVar changed;
    bool set CS_GUARDED_BY(mutex) = false;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace chainstore
