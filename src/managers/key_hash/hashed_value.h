// HashedValue: the stored form of an entry behind a key_hash: the whole key, then the value. All
// numbers little-endian:
//   offset  bytes
//        0      1  format: 1
//        1      1  0
//        2      2  size of the key: 1 to 1,024
//        4      n  the key
//      4+n         the value, to the end
// It is a promise: every later version reads it. Its bytes are as safe as the store keeps values.
// Thread safety: none needed; values.
#pragma once

#include <string>

#include "base/bytes.h"

namespace chainstore {

inline constexpr size_t kHashedHeaderSize = 4;

struct HashedValue {
  Bytes key;
  Bytes value;  // as much of it as `stored` had
};

// What comes before the value. `key` has 1 to kMaxKeySize bytes.
std::string HashedHeader(Bytes key);
// False: no such form. `stored` may be cut off behind the key; it must live as long as *out.
bool DecodeHashed(Bytes stored, HashedValue* out) noexcept;

}  // namespace chainstore
