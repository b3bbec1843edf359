#include "support/test_authority.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace chainstore {
namespace {

template <class Put>
void WriteFile(const std::string& path, Put put) {
  FILE* const file = fopen(path.c_str(), "w");
  if (!file || put(file) != 1 || fclose(file) != 0) abort();
}

void AddExtension(X509* certificate, int what, const std::string& text) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, text.c_str());
  if (!extension || X509_add_ext(certificate, extension, -1) != 1) abort();
  X509_EXTENSION_free(extension);
}

}  // namespace

TestAuthority::Key TestAuthority::NewKey() { return Key(EVP_EC_gen("P-256")); }

TestAuthority::Certificate TestAuthority::NewCertificate(const std::string& name, EVP_PKEY* key,
                                                         const char* constraints,
                                                         const std::string& names, long seconds) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial_++);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(made.get(), key);
  AddExtension(made.get(), NID_basic_constraints, constraints);
  if (!names.empty()) AddExtension(made.get(), NID_subject_alt_name, names);
  return made;
}

TlsIdentity TestAuthority::Write(const std::string& name, X509* certificate, EVP_PKEY* key) {
  const TlsIdentity identity = {directory_ + "/" + name + ".pem", directory_ + "/" + name + ".key"};
  WriteFile(identity.certificate_file,
            [&](FILE* file) { return PEM_write_X509(file, certificate); });
  WriteFile(identity.key_file, [&](FILE* file) {
    return PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  return identity;
}

TestAuthority::TestAuthority(std::string directory, const std::string& name)
    : directory_(std::move(directory)), key_(NewKey()) {
  certificate_ = NewCertificate(name, key_.get(), "critical,CA:TRUE", "", 86400);
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  file_ = Write(name, certificate_.get(), key_.get()).certificate_file;
}

std::string TestAuthority::Directory() const {
  const std::string directory = directory_ + "/trusted";
  std::filesystem::create_directory(directory);
  char hash[16];
  snprintf(hash, sizeof(hash), "%08lx.0", X509_subject_name_hash(certificate_.get()));
  std::filesystem::copy_file(file_, directory + "/" + hash,
                             std::filesystem::copy_options::overwrite_existing);
  return directory;
}

TlsIdentity TestAuthority::Issue(const std::string& name, const std::string& names, long seconds) {
  const Key key = NewKey();
  const Certificate made = NewCertificate(name, key.get(), "CA:FALSE", names, seconds);
  X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
  X509_sign(made.get(), key_.get(), EVP_sha256());
  return Write(name, made.get(), key.get());
}

TlsIdentity TestAuthority::IssueSelfSigned(const std::string& name, const std::string& names) {
  const Key key = NewKey();
  const Certificate made = NewCertificate(name, key.get(), "CA:FALSE", names, 86400);
  X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
  X509_sign(made.get(), key.get(), EVP_sha256());
  return Write(name, made.get(), key.get());
}

}  // namespace chainstore
