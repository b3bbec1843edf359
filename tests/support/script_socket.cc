#include "support/script_socket.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace chainstore::s3 {

TlsServer::TlsServer(const TlsIdentity& identity) : context_(SSL_CTX_new(TLS_server_method())) {
  if (!context_ ||
      SSL_CTX_use_certificate_chain_file(context_, identity.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context_, identity.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    abort();
  }
  if (identity.newest_protocol != 0) {
    // Old protocols are below what the system's own level allows.
    SSL_CTX_set_cipher_list(context_, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context_, 0);
    SSL_CTX_set_max_proto_version(context_, identity.newest_protocol);
  }
}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

ScriptSocket::ScriptSocket(int descriptor, const TlsServer* tls) : descriptor_(descriptor) {
  if (!tls) return;
  ssl_ = SSL_new(tls->context());
  if (!ssl_ || SSL_set_fd(ssl_, descriptor_) != 1) abort();
}

ScriptSocket::~ScriptSocket() {
  SSL_free(ssl_);  // says no goodbye: a test that wants one has sent it
  close(descriptor_);
}

bool ScriptSocket::Greet() { return !ssl_ || SSL_accept(ssl_) == 1; }

ssize_t ScriptSocket::Receive(char* buffer, size_t size) {
  if (!ssl_) return recv(descriptor_, buffer, size, 0);
  return SSL_read(ssl_, buffer, static_cast<int>(size));
}

bool ScriptSocket::Send(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const size_t left = bytes.size() - sent;
    const ssize_t part = ssl_ ? SSL_write(ssl_, bytes.data() + sent, static_cast<int>(left))
                              : send(descriptor_, bytes.data() + sent, left, MSG_NOSIGNAL);
    if (part <= 0) return false;
    sent += static_cast<size_t>(part);
  }
  return true;
}

void ScriptSocket::Reset() {
  const linger now = {1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void ScriptSocket::Shutdown() { shutdown(descriptor_, SHUT_RDWR); }

}  // namespace chainstore::s3
