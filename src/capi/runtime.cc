// cs_runtime: a place for a Runtime. Its threads start with its first store and end with its last.
#include "capi/calling_out.h"
#include "capi/guard.h"
#include "capi/options.h"

namespace chainstore {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kRuntimeOptions[] = {
    {"workers", Type::kCount, "0", "worker threads, 1 to 1024; 0: twice the cores, at least 8"},
    {"max_calls", Type::kCount, "1048576", "calls under way; a call beyond them is CS_BUSY"},
};

Result<Ref<RuntimeSlot>> NewRuntime(const Options* options) {
  const Result<OptionValues> values = OptionValues::Parse("runtime", kRuntimeOptions, options);
  if (!values.ok()) return values.status();
  if (options && options->runtime) {
    return Failure(Code::kInvalid, "a runtime has no runtime").Store("runtime");
  }
  constexpr uint64_t kMaxWorkers = 1024;
  if (values->Number("workers") > kMaxWorkers) {
    return Failure(Code::kInvalid, "option 'workers': at most 1024").Store("runtime");
  }
  const uint64_t max_calls = values->Number("max_calls");
  if (max_calls == 0 || max_calls > INT32_MAX) {
    return Failure(Code::kInvalid, "option 'max_calls': 1 to 2147483647").Store("runtime");
  }
  RuntimeSettings settings;
  settings.workers = static_cast<uint32_t>(values->Number("workers"));
  settings.max_calls = static_cast<uint32_t>(max_calls);
  RuntimeSlot::Default();  // forks are noticed from here on
  return MakeRef<RuntimeSlot>(settings);
}

}  // namespace
}  // namespace chainstore

using chainstore::RuntimeSlot;
using chainstore::Unwrap;

extern "C" {

cs_runtime* cs_runtime_new(const cs_options* options, cs_error** error) {
  return chainstore::GuardHandle(
      error, [&] { return chainstore::NewRuntime(chainstore::OptionsOf(options)); });
}

void cs_runtime_unref(cs_runtime* runtime) {
  if (runtime && !Unwrap(runtime)->IsForked()) Unwrap(runtime)->Unref();
}

cs_status cs_runtime_wait(cs_runtime* runtime, uint64_t timeout_ms) {
  if (runtime && Unwrap(runtime)->IsForked()) return CS_FORKED;
  if (chainstore::CallingOut::Active()) return CS_DEADLOCK;
  return chainstore::Guard([&] {
    RuntimeSlot& slot = runtime ? *Unwrap(runtime) : RuntimeSlot::Default();
    const int64_t deadline_ns = chainstore::Clock::System().DeadlineAfterMs(timeout_ms);
    return slot.WaitGone(deadline_ns) ? CS_OK : CS_TIMEOUT;
  });
}

}  // extern "C"
