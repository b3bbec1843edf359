#include "stores/lmdb/stored_key.h"

#include <openssl/sha.h>

#include <cstring>

namespace chainstore::lmdb {

static_assert(kDigestFormSize == kDigestPrefixSize + SHA256_DIGEST_LENGTH);

StoredKey::StoredKey(Bytes key, bool plain) noexcept
    : is_digest_(!plain && NeedsDigest(key.size())) {
  if (!is_digest_) {
    val_ = {key.size(), const_cast<char*>(key.data())};
    return;
  }
  const Bytes rest = key.substr(kDigestPrefixSize);
  memcpy(form_, key.data(), kDigestPrefixSize);
  SHA256(reinterpret_cast<const unsigned char*>(rest.data()), rest.size(),
         reinterpret_cast<unsigned char*>(form_ + kDigestPrefixSize));
  val_ = {kDigestFormSize, form_};
}

}  // namespace chainstore::lmdb
