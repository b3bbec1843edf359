// ObjectKeys: the S3 keys under which a store keeps its keys. S3 takes UTF-8 of 1 to 1,024 bytes,
// and its lists cannot show every character; a key of ours is any bytes:
//
//   plain    PREFIX KEY                            text that S3 can store and list
//   hex      PREFIX .chainstore/k/ HEX             any other key whose hex form fits
//   digest   PREFIX .chainstore/k/ HEX ~ SHA256    the hex form of its first bytes, then the
//                                                  SHA-256 of all of it in hex; the key itself
//                                                  is kept in the metadata cs-key, in base64
//
// Plain is what is UTF-8 without control characters and U+FFFE, U+FFFF, fits behind the prefix,
// does not begin with ".chainstore/", and does not climb above its root by "..", which AWS refuses.
// Hex is lower case, so that hex keys are listed in the order of what they stand for. What keys
// agree in the part that digest forms keep are a group: see ListWindow. Thread safety: immutable.
#pragma once

#include <string>

#include "base/bytes.h"

namespace chainstore::s3 {

inline constexpr size_t kMaxObjectKeySize = 1024;
inline constexpr size_t kMaxPrefixSize = 512;
inline constexpr Bytes kEscapedFolder = ".chainstore/k/";

// UTF-8 without control characters and without what XML cannot hold.
bool IsPlainText(Bytes text) noexcept;
// How many bytes of `text` are plain, counted in whole characters.
size_t PlainSize(Bytes text) noexcept;
bool IsBucketName(Bytes name) noexcept;

class ObjectKeys {
 public:
  explicit ObjectKeys(std::string prefix);

  const std::string& prefix() const noexcept { return prefix_; }
  const std::string& escaped_prefix() const noexcept { return escaped_prefix_; }
  bool IsPlain(Bytes key) const noexcept;
  std::string Encode(Bytes key) const;
  // Whether `key` has the digest form: its metadata must hold it.
  bool IsDigest(Bytes key) const noexcept;

  enum class Form : uint8_t { kPlain, kHex, kDigest, kForeign };
  // What `object` stands for. *key is set for kPlain and kHex; kForeign: no key has this form.
  Form Decode(Bytes object, std::string* key) const;

  // Of an escaped key, the bytes that every form of it shows.
  size_t group_size() const noexcept { return digest_bytes_; }
  Bytes GroupOf(Bytes key) const noexcept { return key.substr(0, digest_bytes_); }
  // The group of a digest form's object key.
  std::string GroupOfObject(Bytes object) const;

  // After which object key a list must begin to hold `first`, `exclusive` or not; it may begin
  // earlier, never later. Of the plain ones and of the escaped ones.
  std::string PlainListStart(Bytes first, bool exclusive) const;
  std::string EscapedListStart(Bytes first) const;

 private:
  const std::string prefix_;
  const std::string escaped_prefix_;
  const size_t hex_bytes_;     // keys up to this have the hex form
  const size_t digest_bytes_;  // what a digest form shows of its key
};

}  // namespace chainstore::s3
