// What the opaque handles of chainstore.h are. Shared handles are the core's own objects under
// another name: a crossing costs nothing, and a layer's object can be handed out as it is.
// (Builders, scans and queues belong to the ABI alone: they are defined where they are built.)
#pragma once

#include "base/status.h"
#include "chainstore.h"
#include "core/cancel.h"
#include "core/runtime.h"
#include "core/store.h"
#include "core/value.h"

namespace chainstore {

inline Store* Unwrap(cs_store* store) noexcept { return reinterpret_cast<Store*>(store); }
inline const Store* Unwrap(const cs_store* store) noexcept {
  return reinterpret_cast<const Store*>(store);
}
inline cs_store* Wrap(Store* store) noexcept { return reinterpret_cast<cs_store*>(store); }

inline Value* Unwrap(cs_value* value) noexcept { return reinterpret_cast<Value*>(value); }
inline cs_value* Wrap(Value* value) noexcept { return reinterpret_cast<cs_value*>(value); }

inline const Error* Unwrap(const cs_error* error) noexcept {
  return reinterpret_cast<const Error*>(error);
}
// An Error is immutable; the ABI's pointer is not const only because its count changes.
inline cs_error* Wrap(const Error* error) noexcept {
  return reinterpret_cast<cs_error*>(const_cast<Error*>(error));
}

inline CancelToken* Unwrap(cs_cancel* cancel) noexcept {
  return reinterpret_cast<CancelToken*>(cancel);
}
inline cs_cancel* Wrap(CancelToken* cancel) noexcept {
  return reinterpret_cast<cs_cancel*>(cancel);
}

inline RuntimeSlot* Unwrap(cs_runtime* runtime) noexcept {
  return reinterpret_cast<RuntimeSlot*>(runtime);
}
inline cs_runtime* Wrap(RuntimeSlot* runtime) noexcept {
  return reinterpret_cast<cs_runtime*>(runtime);
}

// Objects of the ABI itself are their own handles.
inline cs_queue* Wrap(cs_queue* queue) noexcept { return queue; }
inline cs_scan* Wrap(cs_scan* scan) noexcept { return scan; }

inline cs_status ToStatus(Code code) noexcept { return static_cast<cs_status>(code); }

}  // namespace chainstore
