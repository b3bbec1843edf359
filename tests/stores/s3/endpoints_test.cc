// Servers that are not where they are said to be, and ways there that lead nowhere.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stores/s3/s3_store.h"
#include "support/script_server.h"
#include "support/store_calls.h"

namespace chainstore::s3::endpoints_test {
namespace {

using More = std::map<std::string, std::string>;

Answer GetAt(const std::string& endpoint, const More& more = {}) {
  Options options;
  options.values = {
      {"endpoint", endpoint}, {"access_key", "id"}, {"secret_key", "s"}, {"attempts", "1"}};
  for (const auto& [name, value] : more) options.values[name] = value;
  Result<Ref<Store>> made = NewS3Store("bucket", &options);
  if (!made.ok()) return made.status();
  Answer answer;
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(20'000);
  (*made)->Get(Key("k"), Read::Whole(), call, [&](Answer&& got) { answer = std::move(got); });
  EXPECT_TRUE(CloseStore(**made).ok());
  return answer;
}

void ExpectUnreachable(const std::string& endpoint, const char* words, const More& more = {}) {
  const Answer answer = GetAt(endpoint, more);
  EXPECT_TRUE(answer.status.Is(Code::kIo)) << answer.status.ToString();
  EXPECT_TRUE(answer.status.retryable());
  EXPECT_NE(answer.status.ToString().find(words), std::string::npos) << answer.status.ToString();
}

// A port of this machine's that nobody listens on as long as it lives.
class DeafPort {
 public:
  DeafPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    auto* const plain = reinterpret_cast<sockaddr*>(&address_);
    EXPECT_EQ(bind(socket_, plain, size), 0);
    EXPECT_EQ(getsockname(socket_, plain, &size), 0);
  }
  ~DeafPort() { close(socket_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }

 private:
  const int socket_;
  sockaddr_in address_ = {};
};

bool HasIPv6() {
  const int tried = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has = bind(tried, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(tried);
  return has;
}

TEST(EndpointsTest, AreReachedOverIPv6) {
  if (!HasIPv6()) GTEST_SKIP() << "this machine has no ::1";
  ScriptServer server(ScriptServer::Family::kIPv6);
  server.Add(Reply(200, "value"));
  EXPECT_EQ(TextOf(GetAt(server.endpoint())), "value");
  const std::string host = server.endpoint().substr(7);
  EXPECT_NE(server.requests()[0].find("\r\nHost: " + host + "\r\n"), std::string::npos);
}

TEST(EndpointsTest, ThatNobodyListensAtAreTold) {
  ExpectUnreachable(DeafPort().url(), "connect");
  // Nothing is sent for these two: no route leads there, no question asks for such a name.
  ExpectUnreachable("http://255.255.255.255:9", "connect");
  ExpectUnreachable("http://" + std::string(64, 'a') + ".example", "resolve");
}

TEST(EndpointsTest, BehindAProxyThatIsNotThereAreTold) {
  ScriptServer server;
  ExpectUnreachable(server.endpoint(), "connect", {{"proxy", DeafPort().url()}});
  EXPECT_TRUE(server.requests().empty()) << "round a proxy there is no way";
}

TEST(EndpointsTest, BehindAProxyAreAskedThroughIt) {
  ScriptServer proxy;
  proxy.Add(Reply(200, "value"));
  EXPECT_EQ(TextOf(GetAt("http://elsewhere.example:81", {{"proxy", proxy.endpoint()}})), "value");
  const std::string asked = proxy.requests().at(0);
  EXPECT_TRUE(asked.starts_with("GET http://elsewhere.example:81/bucket/k HTTP/1.1\r\n")) << asked;
}

TEST(EndpointsTest, WithAPathOrOfAnotherSchemeAreRefusedWhereTheyAreGiven) {
  for (const char* endpoint : {"http://127.0.0.1:9/path", "ftp://127.0.0.1", "file:///etc/passwd",
                               "127.0.0.1:9", "http://user:secret@127.0.0.1"}) {
    const Status status = GetAt(endpoint).status;
    EXPECT_TRUE(status.Is(Code::kInvalid)) << endpoint;
    EXPECT_EQ(status.ToString().find("secret"), std::string::npos);
  }
}

// The sanitizers end a process that asks for so much.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define CHAINSTORE_HUGE_ALLOCATIONS 1
#elif !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#define CHAINSTORE_HUGE_ALLOCATIONS 1
#endif
#endif
#if defined(CHAINSTORE_HUGE_ALLOCATIONS)
TEST(EndpointsTest, ThatSendMoreThanThereIsMemoryFailTheCallAlone) {
  ScriptServer server;
  server.Add({.bytes = "HTTP/1.1 200 X\r\nETag: \"e\"\r\nContent-Length: 5000000000000\r\n\r\nv",
              .then = ScriptedAnswer::Then::kHang});
  const Answer answer = GetAt(server.endpoint(), {{"max_value_size", "5TiB"}});
  EXPECT_TRUE(answer.status.Is(Code::kNoMemory)) << answer.status.ToString();
}
#endif

}  // namespace
}  // namespace chainstore::s3::endpoints_test
