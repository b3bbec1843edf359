#include "managers/key_hash/digest.h"

#include <openssl/sha.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace chainstore {
namespace {

std::string Hex(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * size);
  for (size_t at = 0; at < size; ++at) text += {kDigits[bytes[at] >> 4], kDigits[bytes[at] & 15]};
  return text;
}

std::string Sha256(Bytes key) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  return Hex(digest, sizeof digest);
}

std::string Xxh3(Bytes key) {
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits(key.data(), key.size()));
  return Hex(digest.digest, sizeof digest.digest);
}

constexpr Digest kDigests[] = {
    {"sha256", size_t{2} * SHA256_DIGEST_LENGTH, false, &Sha256},
    {"xxh3-128", 2 * sizeof(XXH128_canonical_t), true, &Xxh3},
};

}  // namespace

const Digest* FindDigest(std::string_view name) noexcept {
  for (const Digest& each : kDigests) {
    if (name == each.name) return &each;
  }
  return nullptr;
}

}  // namespace chainstore
