// ThreadSlot: a small number that belongs to this thread alone while it lives, so that it may count
// in plain memory of its own (a load and a store) instead of with locked instructions.
// Thread safety: any thread. A number that comes back is handed to a later thread, which sees all
// that the one before it wrote.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chainstore {

class ThreadSlot {
 public:
  static constexpr size_t kSlots = 256;
  // What every thread beyond so many gets: shared, so it must count with locked instructions.
  static constexpr size_t kShared = kSlots;

  static size_t Get() noexcept {
    const size_t slot = slot_;
    return slot != kNone ? slot : Claim();
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  static size_t Claim() noexcept;
  // Read without a call of __tls_get_addr, as CallingOut is.
  [[gnu::tls_model("initial-exec")]] static inline constinit thread_local size_t slot_ = kNone;
};

}  // namespace chainstore
