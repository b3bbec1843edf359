// ToxiProxy: one proxy of a toxiproxy server (TOXIPROXY_URL, see tests/s3/with_toxiproxy.sh)
// between a client and S3_ENDPOINT, and what is done to the bytes that go through it. Thread
// safety: any thread.
#pragma once

#include <string>

namespace contract {

class ToxiProxy {
 public:
  static bool HasServer();
  explicit ToxiProxy(std::string name);
  ~ToxiProxy();
  ToxiProxy(const ToxiProxy&) = delete;
  ToxiProxy& operator=(const ToxiProxy&) = delete;

  // Where the client finds it.
  const std::string& endpoint() const noexcept { return endpoint_; }
  // `attributes` as in toxiproxy's manual: "\"latency\":100". Connections that are there have it
  // too.
  void Add(const std::string& name, const std::string& type, bool upstream,
           const std::string& attributes);
  // Down: connections end, new ones are refused.
  void SetUp(bool up);
  // All toxics off, and up.
  void Reset();

 private:
  // The body of the answer to a request of toxiproxy's own API.
  static std::string Ask(const std::string& method, const std::string& path,
                         const std::string& body);

  const std::string name_;
  std::string endpoint_;
};

}  // namespace contract
