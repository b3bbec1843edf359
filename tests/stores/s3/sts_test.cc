#include "stores/s3/sts.h"

#include "stores/s3/provider_fixture.h"

namespace chainstore::s3::sts_test {
namespace {

std::string Answer(const std::string& action, const std::string& expiration =
                                                  "<Expiration>2013-05-24T00:00:00Z</Expiration>") {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" + action +
         "Result><Credentials><AccessKeyId>id</AccessKeyId><SecretAccessKey>unspoken"
         "</SecretAccessKey><SessionToken>tok</SessionToken>" +
         expiration + "</Credentials></" + action + "Result></" + action + "Response>";
}
std::string Refusal(const std::string& code, const std::string& message) {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
         "</Message></Error><RequestId>r</RequestId></ErrorResponse>";
}
constexpr const char* kWeb = "AssumeRoleWithWebIdentity";

class StsTest : public ProviderTest {
 protected:
  StsTest() {
    role_.arn = "arn:aws:iam::1:role/r";
    Set("AWS_ROLE_ARN", role_.arn);
    Set("AWS_WEB_IDENTITY_TOKEN_FILE", Write("token", "web token/unspoken\n"));
  }
  std::string Web() { return Show(FetchFromWebIdentity(settings_, stop_)); }
  std::string Assume() {
    Identity who;
    who.access_key = "AKID";
    who.secret = Secret(Bytes("private"));
    who.session_token = Secret(Bytes("my-token"));
    return Show(AssumeRole(settings_, role_, who, stop_));
  }
  Role role_;
};

TEST_F(StsTest, ExchangesAWebIdentityByPostUnsigned) {
  Set("AWS_ROLE_SESSION_NAME", "me");
  server_.Add(Reply(200, Answer(kWeb)));
  EXPECT_EQ(Web(), std::string(kShown) + "role");
  EXPECT_EQ(Line(0), "POST / HTTP/1.1");
  EXPECT_TRUE(Sent(0,
                   "\r\n\r\nAction=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
                   "role%2Fr&RoleSessionName=me&Version=2011-06-15&WebIdentityToken="
                   "web%20token%2Funspoken"));
  EXPECT_TRUE(Sent(0, "\r\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\r\n"));
  EXPECT_FALSE(Sent(0, "authorization"));
  Write("token", "another");
  server_.Add(Reply(200, Answer(kWeb)));
  Web();
  EXPECT_TRUE(Sent(1, "WebIdentityToken=another")) << "the file is read every time";
}

TEST_F(StsTest, TakesTheEnvironmentForWhatItSays) {
  Set("AWS_ROLE_ARN", "");
  EXPECT_EQ(Web(), "CS_DENIED: AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not");
  Set("AWS_WEB_IDENTITY_TOKEN_FILE", " ");
  EXPECT_EQ(Web(), "CS_NOT_FOUND");
  Set("AWS_ROLE_ARN", role_.arn);
  Set("AWS_WEB_IDENTITY_TOKEN_FILE", Write("empty", "\n"));
  EXPECT_NE(Web().find("the web identity token is empty"), std::string::npos);
  Set("AWS_WEB_IDENTITY_TOKEN_FILE", directory_.path() + "/none");
  EXPECT_NE(Web().find("cannot read the web identity token: No such file"), std::string::npos);
}

TEST_F(StsTest, AssumesARoleWithASignedPost) {
  ManualClock clock(1'369'353'600'000);
  settings_.clock = &clock;
  role_.session_name = "me";
  role_.external_id = "ext";
  role_.duration_seconds = "900";
  role_.region = "us-east-1";
  server_.Add(Reply(200, Answer("AssumeRole")));
  EXPECT_EQ(Assume(), std::string(kShown) + "role");
  EXPECT_EQ(Line(0), "POST / HTTP/1.1");
  EXPECT_TRUE(Sent(0,
                   "\r\n\r\nAction=AssumeRole&DurationSeconds=900&ExternalId=ext&RoleArn=arn%3A"
                   "aws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&Version=2011-06-15"));
  EXPECT_TRUE(Sent(0, "Credential=AKID/20130524/us-east-1/sts/aws4_request"));
  EXPECT_TRUE(Sent(0, "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"));
  EXPECT_TRUE(Sent(0, "\r\nx-amz-date: 20130524T000000Z\r\n"));
  EXPECT_TRUE(Sent(0, "\r\nx-amz-security-token: my-token\r\n"));
  EXPECT_FALSE(Sent(0, "private"));
}

TEST_F(StsTest, SaysWhatStsSaidButNothingSecret) {
  settings_.service.tries = 1;
  const std::pair<std::string, std::string> answers[] = {
      {Reply(403, Refusal("AccessDenied", "not you")),
       "CS_DENIED: STS: AccessDenied (HTTP 403): not you"},
      {Reply(400, Refusal("InvalidIdentityToken", "this: web token/unspoken")),
       "CS_DENIED: STS: InvalidIdentityToken (HTTP 400)"},
      {Reply(400, Refusal("IDPCommunicationError", "later")),
       "CS_IO: STS: IDPCommunicationError (HTTP 400): later"},
      {Reply(400, Refusal("Throttling", "later")), "CS_IO: STS: Throttling (HTTP 400): later"},
      {Reply(503, "<html>"), "CS_IO: STS refused (HTTP 503)"},
      {Reply(404, ErrorBody("NoSuchEntity")), "CS_DENIED: STS: NoSuchEntity (HTTP 404): m"},
      {Reply(302, "", "Location: " + server_.endpoint() + "/\r\n"),
       "CS_DENIED: STS refused (HTTP 302)"}};
  for (const auto& [answer, what] : answers) {
    server_.Add(answer);
    EXPECT_EQ(Web(), what);
  }
  EXPECT_EQ(server_.requests().size(), 7u);
}

TEST_F(StsTest, TakesNoOtherAnswerForItsOwn) {
  const std::string wrong =
      "CS_IO: the answer is none of STS to AssumeRoleWithWebIdentity; check AWS_ENDPOINT_URL_STS";
  for (const std::string& body :
       {std::string(), std::string("unspoken"), std::string("<ListAllMyBucketsResult/>"),
        Answer("AssumeRole"), std::string("<AssumeRoleWithWebIdentityResponse/>")}) {
    server_.Add(Reply(200, body));
    EXPECT_EQ(Web(), wrong) << body;
  }
  server_.Add(Reply(200, Answer(kWeb, "")));
  EXPECT_EQ(Web(), "CS_IO: the answer has an expiration that is no time");
}

TEST_F(StsTest, TriesAgainAndGivesUp) {
  server_.Add(Reply(500));
  server_.Add(ScriptedAnswer{"", false, ScriptedAnswer::Then::kReset});
  server_.Add(Reply(200, Answer(kWeb)));
  EXPECT_EQ(Web(), std::string(kShown) + "role");
  settings_.service = {1000, 40, 2};
  for (int i = 0; i < 2; ++i) {
    server_.Add(ScriptedAnswer{"", false, ScriptedAnswer::Then::kHang});
  }
  EXPECT_EQ(Web(), "CS_TIMEOUT: STS: no answer in time");
}

TEST_F(StsTest, StandsWhereTheRegionSays) {
  const auto origin = [](const Variables& variables, const char* region) {
    const Result<Endpoint> endpoint = StsEndpoint(variables, region);
    return endpoint.ok() ? endpoint->Origin() : endpoint.status().ToString();
  };
  Variables variables;
  EXPECT_EQ(origin(variables, "eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(origin(variables, "cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(origin(variables, "evil.com/"), "CS_DENIED: 'evil.com/' is no region");
  variables.Set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  EXPECT_EQ(origin(variables, "r"), "http://127.0.0.1:1");
  variables.Set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:2");
  EXPECT_EQ(origin(variables, "r"), "http://127.0.0.1:2");
  variables.Set("AWS_ENDPOINT_URL_STS", "sts");
  EXPECT_EQ(origin(variables, "r"), "CS_DENIED: AWS_ENDPOINT_URL_STS is no http://HOST:PORT");
}

}  // namespace
}  // namespace chainstore::s3::sts_test
