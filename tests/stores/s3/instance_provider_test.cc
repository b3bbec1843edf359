#include "stores/s3/instance_provider.h"

#include "stores/s3/provider_fixture.h"

namespace chainstore::s3::instance_provider_test {
namespace {

using Then = ScriptedAnswer::Then;

class InstanceProviderTest : public ProviderTest {
 protected:
  std::string Fetch() { return Show(FetchFromInstance(settings_, stop_)); }
};

TEST_F(InstanceProviderTest, AsksForATokenFirstAndShowsItEveryTime) {
  SetDeadProxy();
  server_.Add(Reply(200, "TOKEN"));
  server_.Add(Reply(200, "my-role\nsecond-role"));
  server_.Add(Reply(200, kKeys));
  EXPECT_EQ(Fetch(), std::string(kShown) + "instance");
  EXPECT_EQ(Line(0), "PUT /latest/api/token HTTP/1.1");
  EXPECT_TRUE(Sent(0, "\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
  EXPECT_TRUE(Sent(0, "\r\nContent-Length: 0\r\n"));
  EXPECT_EQ(Line(1), "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1");
  EXPECT_EQ(Line(2), "GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1");
  for (const size_t at : {1, 2}) EXPECT_TRUE(Sent(at, "\r\nx-aws-ec2-metadata-token: TOKEN\r\n"));
}

TEST_F(InstanceProviderTest, NeverFallsBackToVersionOne) {
  for (const int status : {301, 400, 403, 404, 405}) {
    server_.Add(Reply(status));
    EXPECT_EQ(Fetch(), "CS_NOT_FOUND: no token: HTTP " + std::to_string(status));
  }
  server_.Add(Reply(200, ""));
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND: no token: HTTP 200") << "an empty token is none";
  for (const std::string& request : server_.requests()) EXPECT_TRUE(request.starts_with("PUT "));
}

TEST_F(InstanceProviderTest, PassesByWhereNobodyAnswersInTimeAfterThreeTries) {
  settings_.instance = {1000, 40, 3};
  for (int i = 0; i < 3; ++i) server_.Add(ScriptedAnswer{"", false, Then::kHang});
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND: no answer in time");
  EXPECT_EQ(server_.requests().size(), 3u);
  Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
  EXPECT_NE(Fetch().find("CS_NOT_FOUND"), std::string::npos);
  // A try would come after a pause: so many would take for ever.
  settings_.instance = {1000, 2000, 1'000'000, ProviderSettings().instance.needs_route};
  Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://255.255.255.255:9");  // no route leads there
  EXPECT_NE(Fetch().find("CS_NOT_FOUND"), std::string::npos);
  EXPECT_EQ(ProviderSettings().instance.connect_ms, 1000);
  EXPECT_EQ(ProviderSettings().instance.whole_ms, 2000) << "1 s to connect, and 1 s to read";
  EXPECT_EQ(ProviderSettings().instance.tries, 3);
}

TEST_F(InstanceProviderTest, CanBeTurnedOff) {
  for (const char* text : {"true", "TRUE"}) {
    Set("AWS_EC2_METADATA_DISABLED", text);
    EXPECT_EQ(Fetch(), "CS_NOT_FOUND: turned off by AWS_EC2_METADATA_DISABLED");
  }
  EXPECT_TRUE(server_.requests().empty());
  Set("AWS_EC2_METADATA_DISABLED", "false");
  server_.Add(Reply(200, "TOKEN"));
  server_.Add(Reply(404));
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND: the instance has no role");
}

TEST_F(InstanceProviderTest, TakesANewTokenOnceWhereItHasExpired) {
  server_.Add(Reply(200, "OLD"));
  server_.Add(Reply(401));
  server_.Add(Reply(200, "NEW"));
  server_.Add(Reply(200, "role"));
  server_.Add(Reply(200, kKeys));
  EXPECT_EQ(Fetch(), std::string(kShown) + "instance");
  EXPECT_TRUE(Sent(3, "x-aws-ec2-metadata-token: NEW"));
  server_.Add(Reply(200, "OLD"));
  server_.Add(Reply(401));
  server_.Add(Reply(200, "NEW"));
  server_.Add(Reply(401));
  EXPECT_EQ(Fetch(), "CS_IO: the metadata service answered with HTTP 401");
}

TEST_F(InstanceProviderTest, TriesAgainWhereTheServiceFails) {
  server_.Add(Reply(500));
  server_.Add(Reply(200, "TOKEN"));
  server_.Add(Reply(503));
  server_.Add(Reply(200, "role"));
  server_.Add(ScriptedAnswer{"", false, Then::kReset});
  server_.Add(Reply(200, kKeys));
  EXPECT_EQ(Fetch(), std::string(kShown) + "instance");
  for (int i = 0; i < 3; ++i) server_.Add(Reply(503));
  EXPECT_EQ(Fetch(), "CS_IO: no token: HTTP 503") << "it is there, and not well";
}

TEST_F(InstanceProviderTest, RefusesWhatIsNoAnswerOfItsKind) {
  settings_.instance.tries = 1;
  const std::string unreadable = "CS_IO: the metadata service's answer cannot be read: ";
  for (const char* role : {"", "a/b", "../x", "<html>", "a b", "a\tb"}) {
    server_.Add(Reply(200, "TOKEN"));
    server_.Add(Reply(200, role));
    EXPECT_EQ(Fetch(), unreadable + "it names no role") << role;
  }
  const std::pair<std::string, std::string> answers[] = {
      {Reply(200, "unspoken"), unreadable + "this is no JSON"},
      {Reply(200, R"({"Code":"Failed","Message":"unspoken"})"),
       "CS_IO: the metadata service has no keys: Failed"},
      {Reply(200, R"({"Code":"Success","AccessKeyId":"unspoken"})"),
       "CS_IO: the answer has no secret key"},
      {Reply(302, "", "Location: " + server_.endpoint() + "/\r\n"),
       "CS_IO: the metadata service answered with HTTP 302"}};
  for (const auto& [answer, what] : answers) {
    server_.Add(Reply(200, "TOKEN"));
    server_.Add(Reply(200, "role"));
    server_.Add(answer);
    EXPECT_EQ(Fetch(), what);
  }
  Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "metadata");
  EXPECT_EQ(Fetch(), "CS_DENIED: AWS_EC2_METADATA_SERVICE_ENDPOINT is no http://HOST:PORT");
}

}  // namespace
}  // namespace chainstore::s3::instance_provider_test
