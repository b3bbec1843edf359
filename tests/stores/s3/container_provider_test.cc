#include "stores/s3/container_provider.h"

#include "stores/s3/provider_fixture.h"

namespace chainstore::s3::container_provider_test {
namespace {

class ContainerProviderTest : public ProviderTest {
 protected:
  std::string Fetch() { return Show(FetchFromContainer(settings_, stop_)); }
  void UseFullUri() { Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.endpoint() + "/keys?a=b"); }
};

TEST_F(ContainerProviderTest, IsPassedByWhereNothingIsSet) { EXPECT_EQ(Fetch(), "CS_NOT_FOUND"); }

TEST_F(ContainerProviderTest, AsksTheAgentWithItsTokenAndWithoutAProxy) {
  UseFullUri();
  SetDeadProxy();
  server_.Add(Reply(200, kKeys));
  EXPECT_EQ(Fetch(), std::string(kShown) + "container");
  EXPECT_EQ(Line(0), "GET /keys?a=b HTTP/1.1");
  EXPECT_FALSE(Sent(0, "authorization"));
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc");
  server_.Add(Reply(200, kKeys));
  Fetch();
  EXPECT_TRUE(Sent(1, "\r\nauthorization: Basic abc\r\n"));
  // EKS exchanges the file while the program runs.
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Write("token", "from the file\n"));
  server_.Add(Reply(200, kKeys));
  Fetch();
  EXPECT_TRUE(Sent(2, "\r\nauthorization: from the file\r\n"));
}

TEST_F(ContainerProviderTest, RefusesATokenThatIsNone) {
  UseFullUri();
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "unspoken\r\nx-evil: 1");
  EXPECT_EQ(Fetch(), "CS_DENIED: the authorization token has a line break in it");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", directory_.path() + "/none");
  EXPECT_NE(Fetch().find("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: No such file"),
            std::string::npos);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(ContainerProviderTest, AsksOverHttpOnlyWhereNobodyElseCanAnswer) {
  for (const char* uri :
       {"http://localhost/x", "http://127.0.0.1:80/x", "http://127.9.9.9", "http://[::1]:8080/x",
        "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1", "https://example.com/x", "https://10.0.0.1"}) {
    EXPECT_TRUE(IsContainerUri(uri)) << uri;
  }
  for (const char* uri : {"http://example.com/x",
                          "http://169.254.169.254/x",
                          "http://169.254.170.3/x",
                          "http://10.0.0.1/x",
                          "http://128.0.0.1/",
                          "http://[fd00:ec2::254]/x",
                          "http://[::2]/",
                          "http://127.0.0.1@example.com/x",
                          "http://127.0.0.1.example.com/",
                          "http://localhost.evil/",
                          "http://2130706433/",
                          "http://0x7f.1/",
                          "file:///etc/passwd",
                          "ftp://127.0.0.1/",
                          "/x",
                          "",
                          "https://a b/",
                          "https://host/a b",
                          "https://host/a\r\nb",
                          "http://[::ffff:10.0.0.1]/"}) {
    EXPECT_FALSE(IsContainerUri(uri)) << uri;
    Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri);
    EXPECT_EQ(Fetch().find("CS_DENIED"), *uri ? 0 : std::string::npos) << uri;
  }
}

TEST_F(ContainerProviderTest, ARelativeUriStaysWithTheAgentOfEcs) {
  UseFullUri();
  for (const char* uri : {"@example.com/", "x", ".example.com/", ":80@host/", "/a b", "/a\nb"}) {
    Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", uri);
    EXPECT_EQ(Fetch(), "CS_DENIED: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /");
  }
  // Nobody is there; the other URI is not asked in its place.
  settings_.container = {20, 40, 1};
  Set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x");
  EXPECT_NE(Fetch().find("CS_"), std::string::npos);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(ContainerProviderTest, SaysWhatIsWrongWithTheAnswerAndShowsNothingOfIt) {
  UseFullUri();
  settings_.container.tries = 1;
  const std::pair<std::string, const char*> answers[] = {
      {Reply(403, "unspoken"), "CS_DENIED: the endpoint answered with HTTP 403"},
      {Reply(302, "", "Location: " + server_.endpoint() + "/\r\n"),
       "CS_DENIED: the endpoint answered with HTTP 302"},
      {Reply(503), "CS_IO: the endpoint answered with HTTP 503"},
      {Reply(200, "<html>unspoken"),
       "CS_IO: the endpoint's answer cannot be read: this is no JSON"},
      {Reply(200, "{}"), "CS_IO: the answer has no access key"}};
  for (const auto& [answer, what] : answers) {
    server_.Add(answer);
    EXPECT_EQ(Fetch(), what);
  }
  EXPECT_EQ(server_.requests().size(), 5u);
}

}  // namespace
}  // namespace chainstore::s3::container_provider_test
