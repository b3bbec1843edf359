// What a caller passes to a call, checked: cs_call into Call, and the arguments that every
// operation has in common.
// Thread safety: none needed; all of it happens on the caller's stack.
#pragma once

#include <cstring>

#include "capi/error.h"
#include "core/call.h"
#include "core/request.h"

namespace chainstore {

// How an operation treats the parts of cs_call that not every operation has.
enum class Kind : uint8_t {
  kRead,   // CS_CALL_NO_WAIT: answer from memory
  kWrite,  // looks at ttl_ms and ack
  kOther,
};

// A cs_call that was understood.
struct CallIn {
  Call call;
  cs_queue* queue = nullptr;
  uint64_t ttl_ms = 0;
  bool may_be_inline = false;
};

// Copies a struct that begins with its own size: what the caller's lacks is 0, what it has beyond
// ours must be 0. Null: done; else what is wrong.
template <class Struct>
const char* ReadSized(const Struct& in, Struct* out) noexcept {
  // Beyond any struct that we will ever have: a stray number, not a future version.
  constexpr uint32_t kMaxSize = 4096;
  const uint32_t size = in.struct_size;
  if (size < sizeof(uint32_t) || size > kMaxSize) return "struct_size is not set";
  *out = Struct{};
  memcpy(static_cast<void*>(out), &in, size < sizeof(Struct) ? size : sizeof(Struct));
  const auto* bytes = reinterpret_cast<const unsigned char*>(&in);
  for (size_t at = sizeof(Struct); at < size; ++at) {
    if (bytes[at] != 0) return "a field that this version does not know is not 0";
  }
  return nullptr;
}

// Reads `in`. Null: *out is filled in; else what is wrong with the struct.
const char* ReadGivenCall(const cs_call* in, Kind kind, const Store& store, CallIn* out) noexcept;
// The same; `in` may be null: a call with nothing set.
inline const char* ReadCall(const cs_call* in, Kind kind, const Store& store,
                            CallIn* out) noexcept {
  return in ? ReadGivenCall(in, kind, store, out) : nullptr;
}

// Null, or what is wrong with the key.
inline const char* CheckKey(const void* key, size_t size) noexcept {
  if (size == 0) return "the key is empty: a key has 1 to 1024 bytes";
  if (size > kMaxKeySize) return "the key is too long: a key has 1 to 1024 bytes";
  if (!key) return "the key is NULL, its size is not 0";
  return nullptr;
}
inline const char* CheckData(const void* data, size_t size) noexcept {
  return !data && size != 0 ? "data is NULL, its size is not 0" : nullptr;
}

inline Bytes BytesAt(const void* data, size_t size) noexcept {
  return Bytes(static_cast<const char*>(data), size);
}

// What stands against a write before its store is asked: a ttl that overflows, an ack that cannot
// be. Else kOk, and *expires_at_ms (0: never).
Status CheckWrite(const Store& store, const char* operation, const CallIn& in,
                  int64_t* expires_at_ms) noexcept;

// Why the call has ended before it began, or what NO_WAIT makes of an operation that cannot answer
// from memory; else kOk.
inline Code CheckStart(const CallIn& in, Kind kind, const Store& store) noexcept {
  if (kind != Kind::kRead && in.call.wait == Wait::kNever) return Code::kWouldBlock;
  return in.call.limited() ? in.call.Check(store.runtime().clock()) : Code::kOk;
}

}  // namespace chainstore
