#include "core/error_sink.h"

namespace chainstore {

void ErrorSink::Set(Function function, void* user_data, Release release) {
  Ref<Handler> handler;
  if (function) handler = MakeRef<Handler>(function, user_data, release);
  {
    MutexLock lock(mutex_);
    std::swap(handler, handler_);
  }
  DeliverSoon();  // the old handler goes with `handler`, outside the lock
}

void ErrorSink::Post(const Status& failure) {
  if (!failure.error()) return;
  {
    MutexLock lock(mutex_);
    waiting_.push_back(failure.error_ref());
    if (waiting_.size() > (handler_ ? kMaxWaiting : kKept)) waiting_.pop_front();
  }
  DeliverSoon();
}

void ErrorSink::DeliverSoon() noexcept {
  {
    MutexLock lock(mutex_);
    if (!handler_ || waiting_.empty() || delivering_) return;
    delivering_ = true;
  }
  try {
    owner_->runtime().Post(Lane::kFast, [this, owner = Ref<Store>(owner_)] { DeliverAll(); });
  } catch (...) {
    MutexLock lock(mutex_);
    delivering_ = false;  // no memory: the next failure tries again
  }
}

void ErrorSink::DeliverAll() {
  for (;;) {
    Ref<Handler> handler;
    Ref<const Error> error;
    {
      MutexLock lock(mutex_);
      if (!handler_ || waiting_.empty()) {
        delivering_ = false;
        return;
      }
      handler = handler_;
      error = std::move(waiting_.front());
      waiting_.pop_front();
    }
    handler->function(handler->user_data, error.get());
  }
}

}  // namespace chainstore
