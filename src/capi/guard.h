// Guard: no exception crosses the ABI. What can throw behind it is a failed allocation, and the
// creation of a thread; anything else is a bug, and answered as one.
#pragma once

#include <new>
#include <system_error>
#include <utility>

#include "capi/error.h"

namespace chainstore {

// Runs `body`, which returns a Status-like code.
template <class Body>
cs_status Guard(Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return CS_NO_MEMORY;
  } catch (const std::system_error&) {
    return CS_NO_MEMORY;  // no thread could be started
  } catch (...) {
    return CS_INTERNAL;
  }
}

// Runs `body`, which returns a Result<Ref<T>>: the handle, or null and *error.
template <class Body>
auto GuardHandle(cs_error** error, Body&& body) noexcept -> decltype(Wrap(body()->get())) {
  try {
    auto result = std::forward<Body>(body)();
    if (result.ok()) return Wrap(result->Release());
    SetError(error, result.status());
  } catch (const std::bad_alloc&) {
    SetError(error, OutOfMemory());
  } catch (const std::system_error&) {
    SetError(error, OutOfMemory());
  } catch (...) {
    SetError(error, WithError(Code::kInternal, nullptr, ""));
  }
  return nullptr;
}

}  // namespace chainstore
