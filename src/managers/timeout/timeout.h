// Timeout: a limit for each operation of the store that it wraps, and a notice to the error
// handlers whenever it is hit. A call's own deadline is never extended, only shortened.
//
// Under kLater a call ends at the limit even if the store hangs. Under kHere the shorter deadline
// goes down with the call: remote and custom stores keep it, a local disk read cannot be
// interrupted, and answers late, with what it found.
//
// What the store answers after the limit is not delivered a second time; a write that failed then
// is reported, because nobody else will tell.
//
// Thread safety: as Store.
#pragma once

#include "core/option.h"
#include "core/wrapper.h"

namespace chainstore {

// There are no options: the limit is the constructor's argument, and may be changed while running
// (Set "timeout").
inline constexpr std::span<const OptionSpec> kTimeoutOptions = {};

Result<Ref<Store>> NewTimeout(Ref<Store> inner, uint64_t timeout_ms, const Options* options);

}  // namespace chainstore
