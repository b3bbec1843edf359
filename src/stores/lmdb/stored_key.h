// StoredKey: the bytes under which LMDB keeps a key. LMDB takes keys of 1 to 511 bytes:
//
//   up to 511 bytes, but not 432   the key itself
//   above 511 bytes, or just 432   the first 400 bytes, then the SHA-256 of the rest: 432 bytes;
//                                  the whole key is kept in the record and compared
//
// No two keys share a form: only digest forms have 432 bytes, and nobody can make two rests with
// one SHA-256. Keys that agree in 400 bytes are therefore stored side by side, but not in the order
// of their whole bytes: see page_reader.h.
// Thread safety: a value; it borrows the key.
#pragma once

#include <lmdb.h>

#include "base/bytes.h"

namespace chainstore::lmdb {

inline constexpr size_t kMaxPlainKeySize = 511;
inline constexpr size_t kDigestPrefixSize = 400;
inline constexpr size_t kDigestFormSize = kDigestPrefixSize + 32;

class StoredKey {
 public:
  // `plain` (format=raw): the key itself whatever its size, which is at most 511 bytes then.
  StoredKey(Bytes key, bool plain) noexcept;
  StoredKey(const StoredKey&) = delete;
  StoredKey& operator=(const StoredKey&) = delete;

  static bool NeedsDigest(size_t key_size) noexcept {
    return key_size > kMaxPlainKeySize || key_size == kDigestFormSize;
  }
  // The whole key has to be kept in the record.
  bool is_digest() const noexcept { return is_digest_; }
  MDB_val* val() noexcept { return &val_; }

 private:
  bool is_digest_;
  MDB_val val_;
  char form_[kDigestFormSize];
};

}  // namespace chainstore::lmdb
