// Logging: one line for each operation of the store that it wraps, to the user's function.
//
//   op=get store=lmdb:/dir key="user/1" status=CS_OK bytes=120 tier=2 us=14
//
// Fields stand in this order; those without a meaning for the operation are left out. Keys are
// quoted, bytes outside printable ASCII as \xNN, and cut after `key_bytes` (then "..." follows).
// Values are never logged.
//
// Levels: 0 debug (an answer other than done: a miss, exists), 1 info (done), 2 warning (a failure
// that may pass), 3 error (any other failure).
//
// Thread safety: as Store. The function is called on the thread that completes the operation, and
// must not hold it up. An operation that only said that it would block leaves no line.
#pragma once

#include "core/option.h"
#include "core/wrapper.h"

namespace chainstore {

inline constexpr OptionSpec kLoggingOptions[] = {
    {"level", OptionSpec::Type::kChoice, "info", "the least level that is logged",
     "debug|info|warning|error"},
    {"sample", OptionSpec::Type::kCount, "1",
     "one in so many operations is logged; failures always are"},
    {"key_bytes", OptionSpec::Type::kSize, "64", "how much of a key is shown"},
};

// The user's function. Owns `user_data` from a successful NewLogging on.
struct LogFunction {
  void (*log)(void* user_data, int32_t level, const char* message, size_t size);
  void* user_data;
  void (*release)(void* user_data);  // may be null
};

Result<Ref<Store>> NewLogging(Ref<Store> inner, const LogFunction& function,
                              const Options* options);

}  // namespace chainstore
