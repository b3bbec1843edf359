// kOneAttempt: one more internal bit of Call::flags, never taken from a caller.
#pragma once

#include "core/call.h"

namespace chainstore {

// Who asks tries again by himself, in his own time (a write-behind's delivery, whose breaker
// counts): a store that would send a failed request again does not.
inline constexpr uint32_t kOneAttempt = 1u << 19;
static_assert((kOneAttempt & (Call::kFill | Call::kSpeculative | Call::kUpper)) == 0);

}  // namespace chainstore
