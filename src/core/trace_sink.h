// TraceSink: where the traces of a store's operations go: the function of cs_on_trace, or with
// CHAINSTORE_TRACE=1 the standard error. One at a time, in order, on a worker.
// Thread safety: any thread.
#pragma once

#include <deque>
#include <string>

#include "base/mutex.h"
#include "base/ref.h"

namespace chainstore {

class Store;

class TraceSink {
 public:
  using Function = void (*)(void* user_data, const char* json, size_t size);
  using Release = void (*)(void* user_data);

  explicit TraceSink(Store* owner) : owner_(owner) {}
  // Whether the environment asks for traces of every store.
  static bool InEnvironment();
  // Replaces the function (null: none). The old one's release runs when it can be called no more.
  void Set(Function function, void* user_data, Release release);
  // The owner must be alive: a reference to it is held until the trace is delivered.
  void Post(std::string json);

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
  void DeliverAll();

  // For a function that is slower than the operations: the oldest are dropped beyond this.
  static constexpr size_t kMaxWaiting = 4096;
  Store* const owner_;
  Mutex mutex_;
  Ref<Handler> handler_ CS_GUARDED_BY(mutex_);
  std::deque<std::string> waiting_ CS_GUARDED_BY(mutex_);
  bool delivering_ CS_GUARDED_BY(mutex_) = false;
};

}  // namespace chainstore
