// Constructors of the managers that watch, change or disturb calls: timeout, logging, key_hash,
// fault.
#include <memory>

#include "capi/calling_out.h"
#include "capi/guard.h"
#include "capi/inner.h"
#include "capi/options.h"
#include "managers/fault/fault.h"
#include "managers/key_hash/key_hash.h"
#include "managers/logging/logging.h"
#include "managers/timeout/timeout.h"

namespace chainstore {
namespace {

using NewStore = Result<Ref<Store>>;

NewStore NewTimeoutOf(cs_store* inner, uint64_t timeout_ms, const cs_options* options) {
  if (Status wrong = CheckInner("timeout", inner); !wrong.ok()) return wrong;
  return NewTimeout(Ref<Store>(Unwrap(inner)), timeout_ms, OptionsOf(options));
}

NewStore NewKeyHashOf(cs_store* inner, const char* digest, const cs_options* options) {
  if (Status wrong = CheckInner("hash", inner); !wrong.ok()) return wrong;
  return NewKeyHash(Ref<Store>(Unwrap(inner)), digest ? digest : "", OptionsOf(options));
}

NewStore NewFaultOf(cs_store* inner, const cs_options* options) {
  if (Status wrong = CheckInner("fault", inner); !wrong.ok()) return wrong;
  return NewFault(Ref<Store>(Unwrap(inner)), OptionsOf(options));
}

// The user's log function, with the thread marked while it runs.
struct LogTarget {
  cs_log log;
  void* user_data;
  void (*release)(void* user_data);

  static void Log(void* self, int32_t level, const char* message, size_t size) {
    const auto* target = static_cast<LogTarget*>(self);
    CallingOut mark;
    target->log(target->user_data, level, message, size);
  }
  static void Release(void* self) {
    const std::unique_ptr<LogTarget> target(static_cast<LogTarget*>(self));
    if (!target->release) return;
    CallingOut mark;
    target->release(target->user_data);
  }
};

NewStore NewLoggingOf(cs_store* inner, const LogTarget& target, const cs_options* options) {
  if (Status wrong = CheckInner("log", inner); !wrong.ok()) return wrong;
  auto own = std::make_unique<LogTarget>(target);
  const LogFunction function = {target.log ? &LogTarget::Log : nullptr, own.get(),
                                &LogTarget::Release};
  NewStore made = NewLogging(Ref<Store>(Unwrap(inner)), function, OptionsOf(options));
  if (made.ok()) (void)own.release();  // the store's from here on
  return made;
}

}  // namespace
}  // namespace chainstore

using chainstore::GuardHandle;

extern "C" {

cs_store* cs_timeout_new(cs_store* inner, uint64_t timeout_ms, const cs_options* options,
                         cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewTimeoutOf(inner, timeout_ms, options); });
}

cs_store* cs_logging_new(cs_store* inner, cs_log log, void* user_data,
                         void (*release)(void* user_data), const cs_options* options,
                         cs_error** error) {
  return GuardHandle(error, [&] {
    return chainstore::NewLoggingOf(inner, {log, user_data, release}, options);
  });
}

cs_store* cs_key_hash_new(cs_store* inner, const char* digest, const cs_options* options,
                          cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewKeyHashOf(inner, digest, options); });
}

cs_store* cs_fault_new(cs_store* inner, const cs_options* options, cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewFaultOf(inner, options); });
}

}  // extern "C"
