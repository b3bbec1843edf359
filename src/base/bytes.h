// Bytes: a borrowed run of bytes. Key: a borrowed key with its hash, computed once at the front
// door and passed down. OwnedKey: a key that outlives the call that brought it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace chainstore {

using Bytes = std::string_view;

inline constexpr size_t kMaxKeySize = 1024;

// XXH3-64 of the bytes (xxhash.com); only ever kept in memory, never stored.
uint64_t HashBytes(Bytes bytes) noexcept;

struct Key {
  Bytes bytes;
  uint64_t hash;

  explicit Key(Bytes key) noexcept : bytes(key), hash(HashBytes(key)) {}
  Key(Bytes key, uint64_t known_hash) noexcept : bytes(key), hash(known_hash) {}
  friend bool operator==(const Key& a, const Key& b) {
    return a.hash == b.hash && a.bytes == b.bytes;
  }
};

class OwnedKey {
 public:
  OwnedKey() : hash_(0) {}
  explicit OwnedKey(const Key& key) : bytes_(key.bytes), hash_(key.hash) {}
  operator Key() const noexcept { return Key(bytes_, hash_); }  // NOLINT: it is a key
  const std::string& bytes() const noexcept { return bytes_; }
  uint64_t hash() const noexcept { return hash_; }
  std::string TakeBytes() && noexcept { return std::move(bytes_); }

 private:
  std::string bytes_;
  uint64_t hash_;
};

}  // namespace chainstore
