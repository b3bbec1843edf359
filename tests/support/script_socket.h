// ScriptSocket: one connection that a ScriptServer has accepted, plain or over TLS.
// Thread safety: one thread; Shutdown from any.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "support/test_authority.h"

struct ssl_st;
struct ssl_ctx_st;

namespace chainstore::s3 {

// What a server needs for TLS; null where it speaks plainly.
class TlsServer {
 public:
  explicit TlsServer(const TlsIdentity& identity);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ssl_ctx_st* context() const noexcept { return context_; }

 private:
  ssl_ctx_st* context_;
};

class ScriptSocket {
 public:
  ScriptSocket(int descriptor, const TlsServer* tls);
  ~ScriptSocket();
  ScriptSocket(const ScriptSocket&) = delete;
  ScriptSocket& operator=(const ScriptSocket&) = delete;

  int descriptor() const noexcept { return descriptor_; }
  // False: the two could not agree on a protocol or a certificate.
  bool Greet();
  // At most `size` bytes; 0 or less: there is no more.
  ssize_t Receive(char* buffer, size_t size);
  bool Send(const std::string& bytes);
  void Reset();     // when it is destroyed the other side gets an RST
  void Shutdown();  // ends what another thread waits for here

 private:
  const int descriptor_;
  ssl_st* ssl_ = nullptr;
};

}  // namespace chainstore::s3
