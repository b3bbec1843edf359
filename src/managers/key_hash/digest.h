// Digest: what stands for a key in the store behind a key_hash: lower-case hexadecimal, so that it
// is a plain file name and a plain key everywhere.
// Thread safety: immutable.
#pragma once

#include <string>

#include "base/bytes.h"

namespace chainstore {

struct Digest {
  const char* name;
  size_t size;  // of the text
  // Somebody could make two keys with one digest: a write looks first whose entry is there.
  bool may_collide;
  std::string (*of)(Bytes key);
};

// "sha256" or "xxh3-128"; null for any other name.
const Digest* FindDigest(std::string_view name) noexcept;

}  // namespace chainstore
