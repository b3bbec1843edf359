// StaticServer: the raw server of figures 21 to 25: an S3 that always has the same value. It runs
// in a process of its own, so that what it costs is not counted, and answers each request after a
// fixed delay, if it is given one.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "tls_identity.h"

namespace bench {

class StaticServer {
 public:
  // GET answers `value_size` bytes or the range of them that was asked for, PUT takes anything,
  // also in parts; a key with "missing" in it is not there. With an identity it speaks TLS.
  explicit StaticServer(size_t value_size, int64_t delay_us = 0,
                        const TlsIdentity* identity = nullptr);
  ~StaticServer();
  StaticServer(const StaticServer&) = delete;
  StaticServer& operator=(const StaticServer&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  // How many requests it has got.
  uint64_t requests() const { return requests_->load(); }

 private:
  std::atomic<uint64_t>* requests_;  // in memory that both processes see
  std::string endpoint_;
  pid_t process_ = -1;
};

}  // namespace bench
