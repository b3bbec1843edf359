// ScriptServer: a server on loopback that answers exactly what a test tells it to, right or wrong,
// byte by byte; and keeps the requests that it got, byte by byte.
// Thread safety: answers are set before the request that gets them; requests() from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/script_socket.h"

namespace chainstore::s3 {

// What happens to one request.
struct ScriptedAnswer {
  std::string bytes = {};    // sent as they are
  bool before_body = false;  // sent when the request's headers are in, without reading its body
  enum class Then : uint8_t {
    kKeep,   // the connection stays open for the next request
    kClose,  // is closed in order
    kReset,  // is reset
    kHang,   // nothing more is sent, and nothing is closed until the client does
    kDrip,   // a byte of white space every 20 ms, until the client goes
    kStall,  // nothing more is sent nor read, until Otherwise
    kFlood,  // `flood` is sent over and over, until the client goes
  } then = Then::kKeep;
  bool at_connect = false;  // sent as soon as somebody connects, who has asked nothing yet
  std::string flood = {};
};

class ScriptServer {
 public:
  enum class Family : uint8_t { kIPv4, kIPv6 };
  ScriptServer() : ScriptServer(Family::kIPv4) {}
  explicit ScriptServer(Family family, const TlsIdentity* tls = nullptr);
  ~ScriptServer();
  ScriptServer(const ScriptServer&) = delete;
  ScriptServer& operator=(const ScriptServer&) = delete;

  std::string endpoint() const;
  // The next request gets this; after the last one everything is answered with Otherwise's, or 500.
  void Add(ScriptedAnswer answer);
  void Add(std::string bytes) { Add(ScriptedAnswer{.bytes = std::move(bytes)}); }
  // From now on, instead of all that was set.
  void Otherwise(ScriptedAnswer answer);
  // The same, by what is asked. It may wait, for other requests too.
  using Judge = std::function<ScriptedAnswer(const std::string& request)>;
  void Otherwise(Judge judge);
  // Head and body of each request so far.
  std::vector<std::string> requests();
  // Until so many requests are in; false: they did not come within ten seconds.
  bool WaitForRequests(size_t count);
  size_t connections();
  // Until nobody is connected; false: somebody was, for ten seconds.
  bool WaitUntilAlone();

 private:
  void Accept();
  void Serve(ScriptSocket* socket);
  bool ReadRequest(ScriptSocket* socket, std::string* left, bool head_only, std::string* request);
  // The next answer, if it is of the kind that comes before the request.
  bool TakeGreeting(ScriptedAnswer* answer);
  ScriptedAnswer TakeAnswer(const std::string& request);
  void Perform(ScriptSocket* socket, const ScriptedAnswer& answer, bool* keep);

  const Family family_;
  std::unique_ptr<TlsServer> tls_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ScriptedAnswer> answers_;
  ScriptedAnswer otherwise_;
  Judge judge_;         // instead of it, if there is one
  size_t scripts_ = 0;  // how often Otherwise was called
  std::vector<std::string> requests_;
  std::vector<ScriptSocket*> sockets_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread acceptor_;
};

// An answer with its Content-Length and an ETag.
std::string Reply(int status, const std::string& body = "", const std::string& headers = "");
std::string ErrorBody(const std::string& code, const std::string& more = "");

}  // namespace chainstore::s3
