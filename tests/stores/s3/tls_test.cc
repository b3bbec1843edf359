// The store over TLS: whom it trusts, by which option or variable, and what it says when it does
// not.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "stores/s3/s3_store.h"
#include "support/script_server.h"
#include "support/store_calls.h"
#include "support/temporary_directory.h"
#include "support/test_authority.h"

namespace chainstore::s3::tls_test {
namespace {

constexpr char kHere[] = "IP:127.0.0.1,DNS:localhost";
using More = std::map<std::string, std::string>;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    for (const char* variable : kVariables) unsetenv(variable);
  }
  ~TlsTest() override {
    for (const char* variable : kVariables) unsetenv(variable);
  }

  // One get from a server with this certificate.
  Answer GetFrom(const TlsIdentity& identity, const More& more, size_t gets = 1) {
    ScriptServer server(ScriptServer::Family::kIPv4, &identity);
    server.Otherwise({.bytes = Reply(200, "value")});
    Answer answer = GetAt(server.endpoint(), more, gets);
    EXPECT_TRUE(server.WaitUntilAlone());
    connections_ = server.connections();
    requests_ = server.requests().size();
    return answer;
  }
  static Answer GetAt(const std::string& endpoint, const More& more, size_t gets = 1) {
    Options options;
    options.values = {{"endpoint", endpoint}, {"credentials", "anonymous"}};
    for (const auto& [name, value] : more) options.values[name] = value;
    Result<Ref<Store>> made = NewS3Store("bucket", &options);
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    if (!made.ok()) return made.status();
    Answer answer;
    for (size_t i = 0; i < gets; ++i) answer = chainstore::GetFrom(**made, "k");
    EXPECT_TRUE(CloseStore(**made).ok());
    return answer;
  }
  // Refused, at once and for good, with these words in the message.
  void ExpectRefused(const TlsIdentity& identity, const More& more,
                     std::initializer_list<const char*> words) {
    const Answer answer = GetFrom(identity, more);
    ASSERT_TRUE(answer.status.Is(Code::kDenied)) << answer.status.ToString();
    EXPECT_FALSE(answer.status.retryable());
    for (const char* each : words) {
      EXPECT_NE(answer.status.ToString().find(each), std::string::npos) << answer.status.ToString();
    }
    EXPECT_EQ(connections_, 1u) << "a certificate does not get better by asking again";
    EXPECT_EQ(requests_, 0u) << "nothing is said to whom is not trusted";
  }

  static constexpr const char* kVariables[] = {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE",
                                               "SSL_CERT_DIR"};
  TemporaryDirectory directory_;
  TestAuthority authority_{directory_.path()};
  size_t connections_ = 0;
  size_t requests_ = 0;
};

TEST_F(TlsTest, TrustsTheAuthorityOfAnOptionOrOfTheEnvironment) {
  const TlsIdentity server = authority_.Issue("server", kHere);
  EXPECT_EQ(TextOf(GetFrom(server, {{"ca_file", authority_.file()}})), "value");
  EXPECT_EQ(TextOf(GetFrom(server, {{"ca_path", authority_.Directory()}})), "value");
  EXPECT_EQ(TextOf(GetFrom(server, {{"insecure_skip_verify", "true"}})), "value");
  for (const char* variable : {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    setenv(variable, authority_.file().c_str(), 1);
    EXPECT_EQ(TextOf(GetFrom(server, {})), "value") << variable;
    unsetenv(variable);
  }
  setenv("SSL_CERT_DIR", authority_.Directory().c_str(), 1);
  EXPECT_EQ(TextOf(GetFrom(server, {})), "value");
}

TEST_F(TlsTest, AnOptionCountsMoreThanTheEnvironment) {
  const TlsIdentity server = authority_.Issue("server", kHere);
  const TestAuthority other(directory_.path(), "other");
  setenv("SSL_CERT_FILE", other.file().c_str(), 1);
  EXPECT_EQ(TextOf(GetFrom(server, {{"ca_file", authority_.file()}})), "value");
  setenv("CURL_CA_BUNDLE", authority_.file().c_str(), 1);
  EXPECT_EQ(TextOf(GetFrom(server, {})), "value") << "the first of the variables counts";
}

TEST_F(TlsTest, ReusesItsConnection) {
  const TlsIdentity server = authority_.Issue("server", kHere);
  EXPECT_EQ(TextOf(GetFrom(server, {{"ca_file", authority_.file()}}, 5)), "value");
  EXPECT_EQ(connections_, 1u);
  EXPECT_EQ(requests_, 5u);
}

TEST_F(TlsTest, RefusesWhoIsNotWhoHeSays) {
  const More trusted = {{"ca_file", authority_.file()}};
  TestAuthority other(directory_.path(), "other");
  ExpectRefused(authority_.Issue("expired", kHere, -60), trusted,
                {"expired", "renew the server's certificate"});
  ExpectRefused(authority_.Issue("elsewhere", "DNS:other.example"), trusted,
                {"127.0.0.1", "endpoint must have a name"});
  ExpectRefused(authority_.IssueSelfSigned("self", kHere), trusted,
                {"self-signed", "name the authority"});
  ExpectRefused(other.Issue("of-another", kHere), trusted, {"issuer", "name the authority"});
  ExpectRefused(authority_.Issue("server", kHere), {}, {"issuer", "option ca_file"});
}

TEST_F(TlsTest, AFileOfAuthoritiesThatIsNoneIsNamed) {
  const TlsIdentity server = authority_.Issue("server", kHere);
  const Answer answer = GetFrom(server, {{"ca_file", directory_ / "missing.pem"}});
  EXPECT_TRUE(answer.status.Is(Code::kDenied)) << answer.status.ToString();
  EXPECT_NE(answer.status.ToString().find("missing.pem"), std::string::npos)
      << answer.status.ToString();
}

TEST_F(TlsTest, SpeaksNothingOlderThanOneTwo) {
  const More trusted = {{"ca_file", authority_.file()}, {"attempts", "1"}};
  TlsIdentity server = authority_.Issue("server", kHere);
  server.newest_protocol = TLS1_1_VERSION;
  const Answer answer = GetFrom(server, trusted);
  EXPECT_TRUE(answer.status.Is(Code::kIo)) << answer.status.ToString();
  EXPECT_NE(answer.status.ToString().find("protocol"), std::string::npos)
      << answer.status.ToString();
  EXPECT_EQ(requests_, 0u);
  server.newest_protocol = TLS1_2_VERSION;
  EXPECT_EQ(TextOf(GetFrom(server, trusted)), "value");
}

TEST_F(TlsTest, OneThatSpeaksTlsAndOneThatDoesNotCannotTalk) {
  ScriptServer plain;
  plain.Otherwise({.bytes = Reply(400), .then = ScriptedAnswer::Then::kClose, .at_connect = true});
  const Answer no_tls = GetAt("https" + plain.endpoint().substr(4), {{"attempts", "1"}});
  EXPECT_TRUE(no_tls.status.Is(Code::kIo)) << no_tls.status.ToString();
  const TlsIdentity identity = authority_.Issue("server", kHere);
  ScriptServer secure(ScriptServer::Family::kIPv4, &identity);
  const Answer no_plain = GetAt("http" + secure.endpoint().substr(5), {{"attempts", "1"}});
  EXPECT_TRUE(no_plain.status.Is(Code::kIo)) << no_plain.status.ToString();
}

TEST_F(TlsTest, AConnectionThatIsCutInTheBodyIsNoEnd) {
  const TlsIdentity identity = authority_.Issue("server", kHere);
  ScriptServer server(ScriptServer::Family::kIPv4, &identity);
  using Then = ScriptedAnswer::Then;
  for (const Then then : {Then::kClose, Then::kReset}) {
    for (const std::string& head : {std::string("Content-Length: 10\r\n"),
                                    std::string("Transfer-Encoding: chunked\r\n"), std::string()}) {
      server.Otherwise({.bytes = "HTTP/1.1 200 X\r\nETag: \"e\"\r\n" + head + "\r\n" +
                                 (head.starts_with("T") ? "5\r\nvalue\r\n" : "value"),
                        .then = then});
      const Answer answer =
          GetAt(server.endpoint(), {{"ca_file", authority_.file()}, {"attempts", "1"}});
      EXPECT_TRUE(answer.status.Is(Code::kIo)) << head << answer.status.ToString();
    }
  }
  EXPECT_TRUE(server.WaitUntilAlone());
}

}  // namespace
}  // namespace chainstore::s3::tls_test
