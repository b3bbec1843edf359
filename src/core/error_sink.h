// ErrorSink: a store's error handler (cs_on_error). The last 64 failures before there is a handler
// are kept for it.
// Thread safety: any thread.
#pragma once

#include "base/status.h"
#include "core/event_sink.h"

namespace chainstore {

class ErrorSink final : public EventSink<Ref<const Error>, const Error*> {
 public:
  explicit ErrorSink(Store* owner) : EventSink(owner, 64) {}
  // An answer, which is no failure, is passed by.
  void Post(const Status& failure) {
    if (failure.error()) EventSink::Post(failure.error_ref());
  }

 private:
  void Deliver(Function function, void* user_data, const Ref<const Error>& error) override {
    function(user_data, error.get());
  }
};

}  // namespace chainstore
