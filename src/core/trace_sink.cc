#include "core/trace_sink.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/store.h"

namespace chainstore {

bool TraceSink::InEnvironment() {
  const char* const value = getenv("CHAINSTORE_TRACE");
  return value && strcmp(value, "1") == 0;
}

void TraceSink::Set(Function function, void* user_data, Release release) {
  Ref<Handler> handler;
  if (function) handler = MakeRef<Handler>(function, user_data, release);
  MutexLock lock(mutex_);
  std::swap(handler, handler_);
  lock.Unlock();  // the old handler goes with `handler`, outside the lock
}

void TraceSink::Post(std::string json) {
  if (owner_->runtime().IsForked()) return;
  {
    MutexLock lock(mutex_);
    waiting_.push_back(std::move(json));
    if (waiting_.size() > kMaxWaiting) waiting_.pop_front();
    if (delivering_) return;
    delivering_ = true;
  }
  try {
    owner_->runtime().Post(Lane::kFast, [this, owner = Ref<Store>(owner_)] { DeliverAll(); });
  } catch (...) {
    MutexLock lock(mutex_);
    delivering_ = false;  // no memory: the next trace tries again
  }
}

void TraceSink::DeliverAll() {
  for (;;) {
    Ref<Handler> handler;
    std::string json;
    {
      MutexLock lock(mutex_);
      if (waiting_.empty()) {
        delivering_ = false;
        return;
      }
      handler = handler_;
      json = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (handler) {
      handler->function(handler->user_data, json.data(), json.size());
    } else if (InEnvironment()) {
      json += '\n';
      (void)!write(STDERR_FILENO, json.data(), json.size());
    }
  }
}

}  // namespace chainstore
