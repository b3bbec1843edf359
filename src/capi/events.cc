// cs_on_error and cs_on_trace: the store's ErrorSink and TraceSink, with the thread marked while
// the user's functions run.
#include <new>

#include "capi/calling_out.h"
#include "capi/guard.h"
#include "core/error_sink.h"
#include "core/trace_sink.h"

namespace chainstore {
namespace {

struct Handler {
  cs_error_fn function;
  void* user_data;
  void (*release)(void* user_data);
};

void Deliver(void* context, const Error* error) {
  const auto* handler = static_cast<Handler*>(context);
  CallingOut mark;
  handler->function(handler->user_data, Wrap(error));
}

void Forget(void* context) {
  const std::unique_ptr<Handler> handler(static_cast<Handler*>(context));
  if (!handler->release) return;
  CallingOut mark;
  handler->release(handler->user_data);
}

struct TraceHandler {
  cs_trace_fn function;
  void* user_data;
  void (*release)(void* user_data);
};

void DeliverTrace(void* context, const char* json, size_t size) {
  const auto* handler = static_cast<TraceHandler*>(context);
  CallingOut mark;
  handler->function(handler->user_data, json, size);
}

void ForgetTrace(void* context) {
  const std::unique_ptr<TraceHandler> handler(static_cast<TraceHandler*>(context));
  if (!handler->release) return;
  CallingOut mark;
  handler->release(handler->user_data);
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
    std::unique_ptr<chainstore::Handler> handler;
    if (fn) handler.reset(new chainstore::Handler{fn, user_data, release});
    Unwrap(store)->error_sink().Set(fn ? &chainstore::Deliver : nullptr, handler.get(),
                                    &chainstore::Forget);
    (void)handler.release();  // the sink's from here on
    return CS_OK;
  });
}

cs_status cs_on_trace(cs_store* store, cs_trace_fn fn, void* user_data,
                      void (*release)(void* user_data)) {
  using chainstore::Unwrap;
  if (!store) return CS_INVALID;
  if (Unwrap(store)->runtime().IsForked()) return CS_FORKED;
  return chainstore::Guard([&]() -> cs_status {
    std::unique_ptr<chainstore::TraceHandler> handler;
    if (fn) handler.reset(new chainstore::TraceHandler{fn, user_data, release});
    Unwrap(store)->trace_sink().Set(fn ? &chainstore::DeliverTrace : nullptr, handler.get(),
                                    &chainstore::ForgetTrace);
    (void)handler.release();  // the sink's from here on
    Unwrap(store)->SetTraced(fn != nullptr || chainstore::TraceSink::InEnvironment());
    return CS_OK;
  });
}

}  // extern "C"
