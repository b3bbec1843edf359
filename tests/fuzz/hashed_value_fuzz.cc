// The stored form of a key_hash (managers/key_hash/hashed_value.h), from both ends: the bytes as
// something that stands in a store, and as an entry that is stored and read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "managers/key_hash/hashed_value.h"

namespace {

using chainstore::Bytes;
using chainstore::HashedValue;

void Require(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes stored(reinterpret_cast<const char*>(data), size);
  HashedValue view;
  if (chainstore::DecodeHashed(stored, &view)) {
    // What is accepted is exactly what the encoder makes of it.
    Require(chainstore::HashedHeader(view.key) + std::string(view.value) == stored);
  }
  if (size < 2) return 0;
  const size_t key_size = 1 + (data[0] | size_t{data[1]} << 8) % chainstore::kMaxKeySize;
  const Bytes rest = stored.substr(2);
  if (rest.size() < key_size) return 0;
  const Bytes key = rest.substr(0, key_size), value = rest.substr(key_size);
  const std::string made = chainstore::HashedHeader(key) + std::string(value);
  Require(chainstore::DecodeHashed(made, &view) && view.key == key && view.value == value);
  for (size_t cut = 0; cut < chainstore::kHashedHeaderSize + key_size; ++cut) {
    Require(!chainstore::DecodeHashed(Bytes(made).substr(0, cut), &view));
  }
  return 0;
}
