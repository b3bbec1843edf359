// TraceSink: where the traces of a store's operations go: the function of cs_on_trace, or with
// CHAINSTORE_TRACE=1 the standard error.
// Thread safety: any thread.
#pragma once

#include <string>

#include "core/event_sink.h"

namespace chainstore {

class TraceSink final : public EventSink<std::string, const char*, size_t> {
 public:
  explicit TraceSink(Store* owner);
  // Whether the environment asks for traces of every store.
  static bool InEnvironment();
  // As EventSink's; none is the standard error, if the environment asks for that.
  void Set(Function function, void* user_data, Release release);

 private:
  void Deliver(Function function, void* user_data, const std::string& json) override {
    function(user_data, json.data(), json.size());
  }
};

}  // namespace chainstore
