// TlsIdentity: a key and a certificate for 127.0.0.1 that signs itself, made anew for one run: what
// the server of the figures shows, and what both sides of a figure are told to trust.
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace bench {

class TlsIdentity {
 public:
  TlsIdentity();
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // The certificate, as PEM.
  const std::string& file() const { return file_; }
  SSL_CTX* NewServerContext() const;

 private:
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
  std::string file_;
};

}  // namespace bench
