// Stores that are about to be wrapped: what every constructor of a store around stores checks.
// Thread safety: any thread.
#pragma once

#include "capi/error.h"

namespace chainstore {

// OK, or why `inner` cannot be wrapped by a new `wrapper`.
inline Status CheckInner(const char* wrapper, cs_store* inner) {
  if (!inner) return Failure(Code::kInvalid, "a store to be wrapped is NULL").Store(wrapper);
  if (Unwrap(inner)->runtime().IsForked()) return WithError(Code::kForked, nullptr, "new");
  if (Unwrap(inner)->closed()) {
    return Failure(Code::kClosed, Unwrap(inner)->name() + " is closed").Store(wrapper);
  }
  return Status();
}

}  // namespace chainstore
