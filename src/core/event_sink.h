// EventSink: hands the events of a store to one function of its user, one at a time, in order, on a
// worker. What comes before there is a function is kept for it, the last `kept` of it.
// Thread safety: any thread.
#pragma once

#include <deque>
#include <utility>

#include "base/mutex.h"
#include "base/ref.h"
#include "core/store.h"

namespace chainstore {

template <class Event, class... Arguments>
class EventSink {
 public:
  using Function = void (*)(void* user_data, Arguments...);
  using Release = void (*)(void* user_data);

  EventSink(Store* owner, size_t kept) : owner_(owner), kept_(kept) {}
  virtual ~EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  // Replaces the function (null: none). The old one's release runs when it can be called no more.
  // Throws std::bad_alloc; nothing has changed then.
  void Set(Function function, void* user_data, Release release) {
    Ref<Handler> handler;
    if (function) handler = MakeRef<Handler>(function, user_data, release);
    {
      MutexLock lock(mutex_);
      std::swap(handler, handler_);
    }
    DeliverSoon();  // the old handler goes with `handler`, outside the lock
  }

  // The owner must be alive: a reference to it is held until the event is delivered.
  void Post(Event event) {
    {
      MutexLock lock(mutex_);
      waiting_.push_back(std::move(event));
      if (waiting_.size() > (handler_ ? kMaxWaiting : kept_)) waiting_.pop_front();
    }
    DeliverSoon();
  }

 private:
  struct Handler final : RefCounted<Handler> {
    Handler(Function function, void* user_data, Release release)
        : function(function), user_data(user_data), release(release) {}
    ~Handler() {
      if (release) release(user_data);
    }
    const Function function;
    void* const user_data;
    const Release release;
  };
  virtual void Deliver(Function function, void* user_data, const Event& event) = 0;

  void DeliverSoon() noexcept {
    if (owner_->runtime().IsForked()) return;
    {
      MutexLock lock(mutex_);
      if (!handler_ || waiting_.empty() || delivering_) return;
      delivering_ = true;
    }
    try {
      owner_->runtime().Post(Lane::kFast, [this, owner = Ref<Store>(owner_)] { DeliverAll(); });
    } catch (...) {
      MutexLock lock(mutex_);
      delivering_ = false;  // no memory: the next event tries again
    }
  }

  void DeliverAll() {
    for (;;) {
      Ref<Handler> handler;
      Event event;
      {
        MutexLock lock(mutex_);
        if (!handler_ || waiting_.empty()) {
          delivering_ = false;
          return;
        }
        handler = handler_;
        event = std::move(waiting_.front());
        waiting_.pop_front();
      }
      Deliver(handler->function, handler->user_data, event);
    }
  }

  // For a function that is slower than the events: the oldest are dropped beyond this.
  static constexpr size_t kMaxWaiting = 4096;
  Store* const owner_;
  const size_t kept_;
  Mutex mutex_;
  Ref<Handler> handler_ CS_GUARDED_BY(mutex_);
  std::deque<Event> waiting_ CS_GUARDED_BY(mutex_);
  bool delivering_ CS_GUARDED_BY(mutex_) = false;
};

}  // namespace chainstore
