// ErrorSink: a store's error handler (cs_on_error). Failures are delivered one at a time, in order,
// on a worker; the last 64 before there is a handler are kept for it.
// Thread safety: any thread.
#pragma once

#include <deque>

#include "base/mutex.h"
#include "base/status.h"
#include "core/store.h"

namespace chainstore {

class ErrorSink {
 public:
  using Function = void (*)(void* user_data, const Error* error);
  using Release = void (*)(void* user_data);

  explicit ErrorSink(Store* owner) : owner_(owner) {}
  // Replaces the handler (null: none). The old one's release runs when it can be called no more.
  // Throws std::bad_alloc; nothing has changed then.
  void Set(Function function, void* user_data, Release release);
  // The owner must be alive: a reference to it is held until the failure is delivered.
  void Post(const Status& failure);

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
  void DeliverSoon() noexcept;
  void DeliverAll();

  static constexpr size_t kKept = 64;
  // For a handler that is slower than the failures: the oldest are dropped beyond this.
  static constexpr size_t kMaxWaiting = 4096;
  Store* const owner_;
  Mutex mutex_;
  Ref<Handler> handler_ CS_GUARDED_BY(mutex_);
  std::deque<Ref<const Error>> waiting_ CS_GUARDED_BY(mutex_);
  bool delivering_ CS_GUARDED_BY(mutex_) = false;
};

}  // namespace chainstore
