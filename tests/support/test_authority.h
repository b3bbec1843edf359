// TestAuthority: a certificate authority of a test's own, and certificates by it, right and wrong.
// Keys are P-256, made anew each time; files are in a directory that the test gives.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace chainstore {

struct TlsIdentity {
  std::string certificate_file;
  std::string key_file;
  int newest_protocol = 0;  // 0: what OpenSSL has; for instance TLS1_1_VERSION
};

class TestAuthority {
 public:
  explicit TestAuthority(std::string directory, const std::string& name = "authority");
  // The file to trust; a directory to trust, as OpenSSL looks for it.
  const std::string& file() const noexcept { return file_; }
  std::string Directory() const;

  // `names` is for instance "IP:127.0.0.1,DNS:localhost". Valid from a day ago until so many
  // seconds from now, or ago.
  TlsIdentity Issue(const std::string& name, const std::string& names, long seconds = 86400);
  // Signed by itself.
  TlsIdentity IssueSelfSigned(const std::string& name, const std::string& names);

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;
  static Key NewKey();
  Certificate NewCertificate(const std::string& name, EVP_PKEY* key, const char* constraints,
                             const std::string& names, long seconds);
  TlsIdentity Write(const std::string& name, X509* certificate, EVP_PKEY* key);

  const std::string directory_;
  long serial_ = 1;
  Key key_;
  Certificate certificate_;
  std::string file_;
};

}  // namespace chainstore
