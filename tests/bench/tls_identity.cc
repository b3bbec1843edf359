#include "tls_identity.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>

#include "harness.h"

namespace bench {
namespace {

void AddExtension(X509* certificate, int id, const char* value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
  if (!extension || X509_add_ext(certificate, extension, -1) != 1) Die("no certificate extension");
  X509_EXTENSION_free(extension);
}

X509* SelfSigned(EVP_PKEY* key) {
  constexpr long kDay = 24 * 3600;
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kDay);
  X509_set_pubkey(certificate, key);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  AddExtension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  if (X509_sign(certificate, key, EVP_sha256()) == 0) Die("no certificate");
  return certificate;
}

}  // namespace

TlsIdentity::TlsIdentity()
    : key_(EVP_EC_gen("P-256")),
      certificate_(key_ ? SelfSigned(key_) : nullptr),
      file_(settings().directory + "/chainstore_bench." + std::to_string(getpid()) + ".pem") {
  FILE* const file = fopen(file_.c_str(), "w");
  if (!file || !certificate_ || PEM_write_X509(file, certificate_) != 1 || fclose(file) != 0) {
    Die("cannot write a certificate to " + file_);
  }
}

TlsIdentity::~TlsIdentity() {
  unlink(file_.c_str());
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

SSL_CTX* TlsIdentity::NewServerContext() const {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_use_certificate(context, certificate_) != 1 ||
      SSL_CTX_use_PrivateKey(context, key_) != 1) {
    Die("no TLS server");
  }
  return context;
}

}  // namespace bench
