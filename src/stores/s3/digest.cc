// The one-block functions of OpenSSL 1, which it calls deprecated: EVP's look-up of an algorithm
// costs as much as a whole signature.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "stores/s3/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>

namespace chainstore::s3 {
namespace {

const unsigned char* Raw(Bytes data) { return reinterpret_cast<const unsigned char*>(data.data()); }

}  // namespace

Sha256Digest Sha256(Bytes data) noexcept {
  Sha256Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, Raw(data), data.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

HmacSha256::HmacSha256(Bytes key) noexcept {
  Sha256Digest hashed;
  if (key.size() > SHA256_CBLOCK) {
    hashed = Sha256(key);
    key = AsBytes(hashed);
  }
  unsigned char pad[SHA256_CBLOCK] = {};
  memcpy(pad, key.data(), key.size());
  for (unsigned char& byte : pad) byte ^= 0x36;
  SHA256_Init(&inner_);
  SHA256_Update(&inner_, pad, sizeof(pad));
  for (unsigned char& byte : pad) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&outer_);
  SHA256_Update(&outer_, pad, sizeof(pad));
  OPENSSL_cleanse(pad, sizeof(pad));
}

HmacSha256::~HmacSha256() {
  OPENSSL_cleanse(&inner_, sizeof(inner_));
  OPENSSL_cleanse(&outer_, sizeof(outer_));
}

Sha256Digest HmacSha256::Of(Bytes message) const noexcept {
  Sha256Digest digest;
  SHA256_CTX context = inner_;
  SHA256_Update(&context, Raw(message), message.size());
  SHA256_Final(digest.data(), &context);
  context = outer_;
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

std::string Hex(Bytes data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(2 * data.size(), '\0');
  size_t at = 0;
  for (const char c : data) {
    const auto byte = static_cast<unsigned char>(c);
    hex[at++] = kDigits[byte >> 4];
    hex[at++] = kDigits[byte & 15];
  }
  return hex;
}

namespace {

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool Unhex(Bytes hex, std::string* data) {
  if (hex.size() % 2 != 0) return false;
  data->clear();
  for (size_t at = 0; at < hex.size(); at += 2) {
    const int high = Nibble(hex[at]), low = Nibble(hex[at + 1]);
    if (high < 0 || low < 0) return false;
    data->push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

std::string Base64(Bytes data) {
  std::string text(4 * ((data.size() + 2) / 3) + 1, '\0');  // and the zero that OpenSSL writes
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), Raw(data),
                                   static_cast<int>(data.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

bool Unbase64(Bytes text, std::string* data) {
  data->clear();
  if (text.empty()) return true;
  if (text.size() % 4 != 0) return false;
  data->resize(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(data->data()), Raw(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return false;
  // OpenSSL counts the padding's bytes too.
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  data->resize(static_cast<size_t>(size) - padding);
  return true;
}

std::string Md5Base64(Bytes data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(data.data(), data.size(), digest, &size, EVP_md5(), nullptr);
  return Base64(Bytes(reinterpret_cast<const char*>(digest), size));
}

std::string Crc32cBase64(uint32_t crc) {
  const char bytes[4] = {static_cast<char>(crc >> 24), static_cast<char>(crc >> 16),
                         static_cast<char>(crc >> 8), static_cast<char>(crc)};
  return Base64(Bytes(bytes, sizeof(bytes)));
}

}  // namespace chainstore::s3
