// HttpClient: HTTP/1.1 over libcurl, on the one HTTP thread of the library (http_loop.h), which
// starts with the first request of all; with connections of its own. No thread per request, no
// request of its own while idle.
// Deadlines and cancel tokens act on that thread: when a request's time is up its transfer is taken
// down, and only then it is answered. A body is read from the caller's bytes while it is sent, and
// received into the value that the caller gets.
// Thread safety: Send from any thread. The answer runs on the HTTP thread and must not block it.
// Stop (or the destructor) answers what is left with kClosed and closes the connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/function.h"
#include "base/mutex.h"
#include "base/status.h"
#include "core/cancel.h"
#include "core/value.h"
#include "stores/s3/secret_headers.h"

namespace chainstore::s3 {

struct HttpRequest {
  HttpRequest() = default;
  HttpRequest(const HttpRequest&) = default;
  HttpRequest(HttpRequest&&) = default;
  HttpRequest& operator=(HttpRequest&&) = default;
  ~HttpRequest() { WipeSecrets(&headers); }
  std::string method;
  std::string url;  // its path goes out as it stands: no part of it is normalised
  std::vector<std::pair<std::string, std::string>> headers;
  bool has_body = false;
  Bytes body;               // must live until the answer
  Ref<Value> body_owner;    // what keeps it alive, if the caller does not
  int64_t start_at_ns = 0;  // Clock::SteadyNs; a retry waits here
  int64_t deadline_ns = kForeverNs;
  Ref<CancelToken> cancel;
  Ref<CancelToken> closing;     // a second one: the store's
  uint64_t max_body_bytes = 0;  // of a 2xx answer; above it is kTooLarge
  uint64_t cut_from = 0;        // a 2xx answer that announces so much is cut; 0: never
  char* room = nullptr;         // where the body of a 206 goes, max_body_bytes; a 200 is cut
};

struct HttpReply {
  // kOk: there is an answer, `status` and what follows. kTimeout, kCancelled, kClosed: ended
  // before. kIo: the network failed. kTooLarge, kNoMemory: the answer could not be kept. kDenied:
  // TLS.
  Code ended = Code::kOk;
  std::string failure;    // what went wrong, without the URL
  bool connected = true;  // false: no byte can have reached the server
  bool no_route = false;  // this machine knows no way there
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  Ref<Value> body;                                           // never null if kOk
  bool cut = false;           // ended before its body, of which nothing was kept
  uint64_t announced = 0;     // the body's size of a cut answer, if the server told it
  uint64_t received = 0;      // the bytes of the body, wherever they went
  int64_t first_byte_ns = 0;  // from the start of the transfer to the first byte of the answer

  // The first header of this name; null: none.
  const std::string* Find(Bytes name) const noexcept;
};

struct HttpSettings {
  long connect_timeout_ms = 3000;
  long stall_seconds = 30;
  long max_connections = 64;
  long idle_seconds = 15;
  bool insecure_tls = false;
  std::string ca_file;  // empty: the system's
  std::string ca_path;
  std::string proxy;      // empty: from the environment
  bool no_proxy = false;  // not from the environment either
  bool trace = false;     // shows requests on the standard error
};

// What was done since the start; read by the metrics.
struct HttpMeters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> connections{0};  // opened
  std::atomic<uint64_t> reused{0};       // requests that went over one that was there
  std::atomic<uint64_t> first_bytes{0};  // answers that began, and after how long in all
  std::atomic<uint64_t> first_byte_us{0};
  std::atomic<uint64_t> sent_bytes{0};
  std::atomic<uint64_t> received_bytes{0};
};

class HttpLoop;
class HttpPool;

class HttpClient {
 public:
  using Answered = UniqueFunction<void(HttpReply&&)>;
  explicit HttpClient(HttpSettings settings);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Send(HttpRequest request, Answered answered) CS_EXCLUDES(mutex_);
  void Stop() CS_EXCLUDES(mutex_);
  const HttpMeters& meters() const noexcept;

 private:
  const std::shared_ptr<HttpPool> pool_;
  Mutex mutex_;
  std::shared_ptr<HttpLoop> loop_ CS_GUARDED_BY(mutex_);  // from the first request on
  bool stopped_ CS_GUARDED_BY(mutex_) = false;
};

}  // namespace chainstore::s3
