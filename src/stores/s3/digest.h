// Digests as S3 wants them: SHA-256, HMAC-SHA256, MD5, hex and base64.
// Thread safety: functions of their arguments.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace chainstore::s3 {

using Sha256Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Sha256Digest Sha256(Bytes data) noexcept;

// HMAC-SHA256 with a key of at most 64 bytes. Made once for a key: both of its padded blocks are
// kept hashed, so that a message costs no more than its own blocks and one.
class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key) noexcept;
  ~HmacSha256();
  HmacSha256(const HmacSha256&) = default;
  HmacSha256& operator=(const HmacSha256&) = default;
  Sha256Digest Of(Bytes message) const noexcept;

 private:
  SHA256_CTX inner_;
  SHA256_CTX outer_;
};

inline Bytes AsBytes(const Sha256Digest& digest) noexcept {
  return Bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
}

std::string Hex(Bytes data);                   // lower case
bool Unhex(Bytes hex, std::string* data);      // lower case only; false: it is no hex
std::string Base64(Bytes data);                // with padding
bool Unbase64(Bytes text, std::string* data);  // false: it is no base64
std::string Md5Base64(Bytes data);             // Content-MD5
std::string Crc32cBase64(uint32_t crc);        // x-amz-checksum-crc32c: big-endian, base64

}  // namespace chainstore::s3
