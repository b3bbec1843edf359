// Errors at the ABI: every failure that leaves it carries one, also when there is no memory for it.
// Thread safety: any thread.
#pragma once

#include "capi/handles.h"

namespace chainstore {

// CS_NO_MEMORY, with an error that was there all along. Allocates nothing.
Status OutOfMemory() noexcept;

// `status` with an Error that names store (may be null) and operation, if it failed without one.
Status WithError(Status status, const Store* store, const char* operation) noexcept;

// CS_INVALID: `what` is wrong with an argument of this operation.
Status Invalid(const Store* store, const char* operation, const char* what) noexcept;

// Gives *error a reference of its own to the failure's Error. `error` may be null.
void SetError(cs_error** error, const Status& failure) noexcept;

}  // namespace chainstore
