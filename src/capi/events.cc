// cs_on_error and cs_on_trace: the store's ErrorSink and TraceSink, with the thread marked while
// the user's functions run.
#include <new>

#include "capi/calling_out.h"
#include "capi/guard.h"
#include "core/error_sink.h"
#include "core/trace_sink.h"

namespace chainstore {
namespace {

// A function of the user's as its sink keeps it.
template <class Fn>
struct Handler {
  Fn fn;
  void* user_data;
  void (*release)(void* user_data);

  static void Forget(void* context) {
    const std::unique_ptr<Handler> handler(static_cast<Handler*>(context));
    if (!handler->release) return;
    CallingOut mark;
    handler->release(handler->user_data);
  }
};

template <class Fn, class... Arguments>
void Deliver(void* context, Arguments... arguments) {
  const auto* handler = static_cast<Handler<Fn>*>(context);
  CallingOut mark;
  handler->fn(handler->user_data, arguments...);
}

void DeliverError(void* context, const Error* error) { Deliver<cs_error_fn>(context, Wrap(error)); }

void DeliverTrace(void* context, const char* json, size_t size) {
  Deliver<cs_trace_fn>(context, json, size);
}

template <class Sink, class Fn>
void SetHandler(Sink& sink, typename Sink::Function deliver, Fn fn, void* user_data,
                void (*release)(void* user_data)) {
  if (!fn) return sink.Set(nullptr, nullptr, nullptr);
  std::unique_ptr<Handler<Fn>> handler(new Handler<Fn>{fn, user_data, release});
  sink.Set(deliver, handler.get(), &Handler<Fn>::Forget);
  (void)handler.release();  // the sink's from here on
}

}  // namespace
}  // namespace chainstore

extern "C" {

cs_status cs_on_error(cs_store* store, cs_error_fn fn, void* user_data,
                      void (*release)(void* user_data)) {
  using chainstore::Unwrap;
  if (!store) return CS_INVALID;
  if (Unwrap(store)->runtime().IsForked()) return CS_FORKED;
  return chainstore::Guard([&]() -> cs_status {
    chainstore::SetHandler(Unwrap(store)->error_sink(), &chainstore::DeliverError, fn, user_data,
                           release);
    return CS_OK;
  });
}

cs_status cs_on_trace(cs_store* store, cs_trace_fn fn, void* user_data,
                      void (*release)(void* user_data)) {
  using chainstore::Unwrap;
  if (!store) return CS_INVALID;
  if (Unwrap(store)->runtime().IsForked()) return CS_FORKED;
  return chainstore::Guard([&]() -> cs_status {
    chainstore::SetHandler(Unwrap(store)->trace_sink(), &chainstore::DeliverTrace, fn, user_data,
                           release);
    Unwrap(store)->SetTraced(fn != nullptr || chainstore::TraceSink::InEnvironment());
    return CS_OK;
  });
}

}  // extern "C"
