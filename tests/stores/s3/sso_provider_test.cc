#include "stores/s3/sso_provider.h"

#include "stores/s3/provider_fixture.h"

namespace chainstore::s3::sso_provider_test {
namespace {

constexpr const char* kRoleKeys =
    R"({"roleCredentials":{"accessKeyId":"id","secretAccessKey":"unspoken","sessionToken":"tok",)"
    R"("expiration":1369353600000}})";

class SsoProviderTest : public ProviderTest {
 protected:
  SsoProviderTest() {
    settings_.clock = &clock_;
    profile_.name = "p";
    profile_.Set("sso_session", "corp");
    profile_.Set("sso_account_id", "123");
    profile_.Set("sso_role_name", "Read & Write");
    const Status read =
        files_.Add("[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x\n",
                   ProfileFiles::Kind::kConfig, "config");
    EXPECT_TRUE(read.ok());
  }
  void Cache(const std::string& text, const std::string& of = "corp") {
    Write(".aws/sso/cache/" + SsoCacheFile(of), text);
  }
  void CacheGoodToken() {
    Cache(R"({"accessToken":"unspoken-token","expiresAt":"2013-05-24T00:00:01Z","region":"x"})");
  }
  std::string Fetch() {
    return Show(FetchFromSso(settings_, files_, profile_, directory_.path(), stop_));
  }
  static std::string LogIn(const std::string& what) {
    return "CS_DENIED: " + what + "; run: aws sso login --profile p";
  }

  ManualClock clock_{1'369'353'600'000};
  ProfileFiles files_;
  Profile profile_;
};

TEST_F(SsoProviderTest, ExchangesTheCachedToken) {
  CacheGoodToken();
  server_.Add(Reply(200, kRoleKeys));
  EXPECT_EQ(Fetch(), std::string(kShown) + "sso");
  EXPECT_EQ(Line(0),
            "GET /federation/credentials?account_id=123&role_name=Read%20%26%20Write HTTP/1.1");
  EXPECT_TRUE(Sent(0, "\r\nx-amz-sso_bearer_token: unspoken-token\r\n"));
}

TEST_F(SsoProviderTest, FindsTheCacheWhereTheCommandLineToolLeavesIt) {
  // printf %s TEXT | sha1sum
  EXPECT_EQ(SsoCacheFile("my-sso"), "0ad374308c5a4e22f723adf10145eafad7c4031c.json");
  profile_ = Profile{"p", {}};
  profile_.Set("sso_start_url", "https://old");
  profile_.Set("sso_region", "eu-west-1");
  profile_.Set("sso_account_id", "1");
  profile_.Set("sso_role_name", "r");
  Cache(R"({"accessToken":"t","expiresAt":"2013-05-24T00:00:01UTC"})", "https://old");
  server_.Add(Reply(200, kRoleKeys));
  EXPECT_EQ(Fetch(), std::string(kShown) + "sso");
}

TEST_F(SsoProviderTest, SendsTheUserToLogInWhereTheTokenIsNoLongerGood) {
  EXPECT_EQ(Fetch(), LogIn("there is no SSO token in the cache: No such file or directory"));
  Cache(R"({"accessToken":"unspoken","expiresAt":"2013-05-24T00:00:00Z"})");
  EXPECT_EQ(Fetch(), LogIn("the cached SSO token has expired"));
  Cache(R"({"accessToken":"unspoken"})");
  EXPECT_EQ(Fetch(), LogIn("the cached SSO token has expired")) << "or nobody knows";
  Cache("unspoken");
  EXPECT_EQ(Fetch(), LogIn("the cached SSO token cannot be read: this is no JSON"));
  Cache(R"({"accessToken":"unspoken\r\nx: y","expiresAt":"2013-05-24T00:00:01Z"})");
  EXPECT_EQ(Fetch(), LogIn("the cache has no SSO token"));
  EXPECT_TRUE(server_.requests().empty());
  CacheGoodToken();
  server_.Add(Reply(401));
  EXPECT_EQ(Fetch(), LogIn("SSO refuses the cached token"));
}

TEST_F(SsoProviderTest, SaysWhatIsWrong) {
  CacheGoodToken();
  settings_.service.tries = 1;
  for (const auto& [answer, what] : std::initializer_list<std::pair<std::string, std::string>>{
           {Reply(403, "unspoken"), "CS_DENIED: SSO refused (HTTP 403)"},
           {Reply(503), "CS_IO: SSO refused (HTTP 503)"},
           {Reply(301, "", "Location: " + server_.endpoint() + "/\r\n"),
            "CS_DENIED: SSO refused (HTTP 301)"},
           {Reply(200, "{}"), "CS_IO: SSO: the answer has no keys in it "},
           {Reply(200, R"({"roleCredentials":{"accessKeyId":"i","secretAccessKey":"s"}})"),
            "CS_IO: the answer has an expiration that is no time"}}) {
    server_.Add(answer);
    EXPECT_EQ(Fetch(), what);
  }
  profile_.Set("sso_role_name", "");
  EXPECT_NE(Fetch().find("SSO needs sso_session"), std::string::npos);
  profile_.Set("sso_session", "other");
  EXPECT_EQ(Fetch(), "CS_DENIED: there is no [sso-session other]");
}

}  // namespace
}  // namespace chainstore::s3::sso_provider_test
