#include "managers/key_hash/hashed_value.h"

#include <cassert>

namespace chainstore {

std::string HashedHeader(Bytes key) {
  assert(!key.empty() && key.size() <= kMaxKeySize);
  std::string header = {1, 0, static_cast<char>(key.size() & 0xff),
                        static_cast<char>(key.size() >> 8)};
  return header.append(key);
}

bool DecodeHashed(Bytes stored, HashedValue* out) noexcept {
  if (stored.size() < kHashedHeaderSize || stored[0] != 1 || stored[1] != 0) return false;
  const size_t size =
      static_cast<unsigned char>(stored[2]) | size_t{static_cast<unsigned char>(stored[3])} << 8;
  if (size == 0 || size > kMaxKeySize || stored.size() - kHashedHeaderSize < size) return false;
  out->key = stored.substr(kHashedHeaderSize, size);
  out->value = stored.substr(kHashedHeaderSize + size);
  return true;
}

}  // namespace chainstore
