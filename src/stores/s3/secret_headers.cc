#include "stores/s3/secret_headers.h"

#include <openssl/crypto.h>

namespace chainstore::s3 {

bool IsSecretHeader(Bytes name) noexcept {
  for (const Bytes part :
       {"authorization", "token", "secret", "password", "cookie", "encryption-customer-key"}) {
    if (name.find(part) != Bytes::npos) return true;
  }
  return false;
}

void WipeSecrets(HeaderList* headers) noexcept {
  for (auto& [name, value] : *headers) {
    if (IsSecretHeader(name) && !value.empty()) OPENSSL_cleanse(value.data(), value.size());
  }
}

}  // namespace chainstore::s3
