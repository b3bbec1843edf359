// CallingOut: marks this thread while a function of the user's runs (a completion, a release
// function, an error handler). Blocking functions look at the mark and answer CS_DEADLOCK; a
// completion is never run where it is set.
// Thread safety: one mark per thread.
#pragma once

#include <cstdint>

namespace chainstore {

class CallingOut {
 public:
  CallingOut() noexcept { ++depth_; }
  ~CallingOut() { --depth_; }
  CallingOut(const CallingOut&) = delete;
  CallingOut& operator=(const CallingOut&) = delete;

  static bool Active() noexcept { return depth_ != 0; }

 private:
  // In the few bytes that the C library keeps for this: read without a call of __tls_get_addr.
  [[gnu::tls_model("initial-exec")]] static inline constinit thread_local uint32_t depth_ = 0;
};

}  // namespace chainstore
