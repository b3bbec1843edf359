// Against a server that does as it is told: one request through its attempts: what is sent again
// and what is not, regions.
#include "stores/s3/s3_client.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/below.h"
#include "core/one_attempt.h"
#include "support/scripted_s3.h"

namespace chainstore::s3::s3_client_test {
namespace {

class S3ClientTest : public ScriptedS3Test {
 protected:
  S3ClientTest() { Open({}); }
};

TEST_F(S3ClientTest, FailuresOfTheServerAndTheNetworkAreTriedAgain) {
  for (const auto& [bytes, then] : std::vector<std::pair<std::string, Then>>{
           {Reply(500, ErrorBody("InternalError")), Then::kKeep},
           {Reply(502, "<html>"), Then::kKeep},
           {Reply(504), Then::kKeep},
           {Reply(408), Then::kKeep},
           {Reply(400, ErrorBody("RequestTimeout")), Then::kClose},
           {Reply(409, ErrorBody("ConditionalRequestConflict")), Then::kKeep},
           {"", Then::kReset},
           {"", Then::kClose},
           {"HTTP/1.1 200 X\r\nContent-Le", Then::kReset},
           {"HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nhalf", Then::kReset},
           {"nonsense\r\n\r\n", Then::kClose}}) {
    const size_t before = Asked();
    Answers(bytes, then);
    Answers(Reply(200, "v"));
    EXPECT_EQ(TextOf(Get()), "v") << bytes;
    EXPECT_GE(Asked(), before + 2) << bytes;
  }
}

TEST_F(S3ClientTest, AnswersAreNotAskedForTwice) {
  struct Row {
    int status;
    const char* code;
    Code as;
  };
  for (const Row& row :
       {Row{403, "AccessDenied", Code::kDenied}, Row{403, "SignatureDoesNotMatch", Code::kDenied},
        Row{404, "NoSuchBucket", Code::kInvalid}, Row{400, "InvalidArgument", Code::kInvalid},
        Row{403, "InvalidObjectState", Code::kUnsupported}}) {
    const size_t before = Asked();
    Answers(Reply(row.status, ErrorBody(row.code)));
    const Status status = Get().status;
    EXPECT_TRUE(status.Is(row.as)) << status.ToString();
    EXPECT_EQ(Asked(), before + 1) << row.code;
    ASSERT_NE(status.error(), nullptr);
    EXPECT_EQ(*status.error()->FindDetail("http_status"), std::to_string(row.status));
    EXPECT_EQ(*status.error()->FindDetail("s3_code"), row.code);
    EXPECT_EQ(*status.error()->FindDetail("request_id"), "R1");
    EXPECT_EQ(status.ToString().find("unspoken"), std::string::npos);
  }
}

TEST_F(S3ClientTest, ATraceTellsHowOftenItWasTriedAgain) {
  for (const int failures : {0, 1, 2}) {
    for (int i = 0; i < failures; ++i) Answers(Reply(500, ErrorBody("InternalError")));
    Answers(Reply(200, "v"));
    Call call;
    call.trace = MakeRef<Trace>(*store_, "k");
    Below(*store_).Get(Key("k"), Read::Whole(), call,
                       [](Answer&& answer) { EXPECT_EQ(TextOf(answer), "v"); });
    const std::string json = call.trace->ToJson();
    const std::string retries = "\"retries\":" + std::to_string(failures);
    EXPECT_EQ(json.find(failures == 0 ? "retries" : retries) != std::string::npos, failures != 0)
        << json;
  }
}

TEST_F(S3ClientTest, AttemptsEnd) {
  Open({{"attempts", "2"}});
  for (int i = 0; i < 3; ++i) Answers(Reply(500, ErrorBody("InternalError")));
  const Status status = Get().status;
  EXPECT_TRUE(status.Is(Code::kIo));
  EXPECT_TRUE(status.retryable());
  EXPECT_EQ(*status.error()->FindDetail("attempt"), "2");
  EXPECT_EQ(Asked(), 2u);
}

TEST_F(S3ClientTest, EveryAttemptSendsTheWholeBodyAndIsSignedAnew) {
  Answers(Reply(500));
  Answers("", Then::kReset);
  Answers(Reply(200));
  const std::string value(300'000, 'v');
  ASSERT_EQ(Put(*store_, "k", value), Code::kOk);
  ASSERT_EQ(Asked(), 3u);
  for (const std::string& request : server_.requests()) {
    EXPECT_TRUE(request.ends_with("\r\n\r\n" + value));
  }
}

TEST_F(S3ClientTest, AThrottleIsWaitedForButNeverPastTheDeadline) {
  Answers(Reply(503, ErrorBody("SlowDown"), "Retry-After: 1000000\r\n"));
  const int64_t begin = Clock::System().SteadyNs();
  EXPECT_TRUE(GetWithin(500).status.Is(Code::kBusy));
  EXPECT_LT(Clock::System().SteadyNs() - begin, 1'500'000'000);
  EXPECT_EQ(Asked(), 1u);
}

TEST_F(S3ClientTest, FollowsTheBucketToItsRegionOnce) {
  Answers(Reply(400, ErrorBody("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>")));
  Answers(Reply(200, "v"));
  EXPECT_EQ(TextOf(Get()), "v");
  EXPECT_NE(Header(1, "authorization").find("/us-west-2/s3/"), std::string::npos);
  Answers(Reply(200, "v"));
  EXPECT_EQ(TextOf(Get()), "v");
  EXPECT_NE(Header(2, "authorization").find("/us-west-2/s3/"), std::string::npos) << "remembered";
}

TEST_F(S3ClientTest, AllWhoAreUnderWayFollowTheBucket) {
  constexpr size_t kMany = 16;
  ScriptServer elsewhere;
  elsewhere.Otherwise({.bytes = Reply(200, "v")});
  const std::string refusals[] = {
      Reply(400, ErrorBody("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>")),
      Reply(307, "", "Location: " + elsewhere.endpoint() + "/bucket/k\r\n")};
  for (const std::string& refusal : refusals) {
    Open({{"concurrency", std::to_string(kMany)}});
    Assembly all(kMany);
    server_.Otherwise([&](const std::string& request) {
      all.Join();
      const bool followed = request.find("/us-west-2/s3/") != std::string::npos;
      return ScriptedAnswer{.bytes = followed ? Reply(200, "v") : refusal};
    });
    const Entries entries = GetMany(kMany);
    EXPECT_TRUE(entries.status.ok()) << entries.status.ToString();
    server_.Otherwise(ScriptedAnswer{});
  }
  EXPECT_EQ(elsewhere.requests().size(), kMany);
  EXPECT_TRUE(CloseStore(*store_).ok());
  store_ = nullptr;
}

TEST_F(S3ClientTest, RedirectsGoNowhereElseAndEnd) {
  for (const std::string where :
       {"", "Location: http://169.254.169.254/latest/\r\n", "Location: file:///etc/passwd\r\n"}) {
    const size_t before = Asked();
    Answers(Reply(301, "", where));
    Answers("HTTP/1.1 301 X\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(Get().status.Is(Code::kInvalid)) << where;
    EXPECT_EQ(Asked(), before + 2) << "the bucket was asked where it is";
    EXPECT_EQ(Line(before + 1), "HEAD /bucket/ HTTP/1.1");
  }
  const size_t before = Asked();
  Answers(Reply(301, "", "x-amz-bucket-region: a-1\r\n"));
  Answers(Reply(301, "", "x-amz-bucket-region: a-2\r\n"));
  Answers(Reply(301, "", "x-amz-bucket-region: a-1\r\n"));
  EXPECT_TRUE(Get().status.Is(Code::kInvalid));
  EXPECT_EQ(Asked(), before + 3) << "two hops and no more";
}

TEST_F(S3ClientTest, ABucketIsAskedForItsRegionWhereTheRedirectDoesNotTell) {
  Answers(Reply(301));
  Answers("HTTP/1.1 400 X\r\nContent-Length: 0\r\nx-amz-bucket-region: us-west-2\r\n\r\n");
  Answers(Reply(200, "v"));
  EXPECT_EQ(TextOf(Get()), "v");
  EXPECT_EQ(Line(1), "HEAD /bucket/ HTTP/1.1");
  EXPECT_NE(Header(2, "authorization").find("/us-west-2/s3/"), std::string::npos);
  Answers(Reply(200, "v"));
  EXPECT_EQ(TextOf(Get()), "v");
  EXPECT_EQ(Asked(), 4u) << "remembered";
}

TEST_F(S3ClientTest, AHeadInAWrongRegionFindsTheRightOne) {
  const std::string mute = "HTTP/1.1 400 X\r\nContent-Length: 9\r\n";
  const std::string found = "HTTP/1.1 200 X\r\nContent-Length: 5\r\nETag: \"e\"\r\n\r\n";
  Answers(mute + "x-amz-bucket-region: us-west-2\r\n\r\n");
  Answers(found);
  EXPECT_TRUE(Get(Read::Stat()).status.ok()) << "a header tells it";
  EXPECT_NE(Header(1, "authorization").find("/us-west-2/s3/"), std::string::npos);
  Open({});
  Answers(mute + "\r\n");
  Answers(Reply(400, ErrorBody("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>")));
  Answers(found);
  EXPECT_TRUE(Get(Read::Stat()).status.ok()) << "a list's refusal tells it";
  EXPECT_EQ(Line(3), "GET /bucket/?list-type=2&max-keys=1 HTTP/1.1");
  EXPECT_NE(Header(4, "authorization").find("/us-west-2/s3/"), std::string::npos);
  Answers(mute + "\r\n");
  Answers(Reply(200, "<ListBucketResult/>"));
  EXPECT_TRUE(Get(Read::Stat()).status.Is(Code::kInvalid)) << "it was no question of regions";
  EXPECT_EQ(Asked(), 7u);
}

TEST_F(S3ClientTest, ALocationOfTheSameHostIsFollowedAndRemembered) {
  ScriptServer other;
  other.Add(Reply(200, "there"));
  other.Add(Reply(200, "again"));
  Answers(Reply(307, "", "Location: " + other.endpoint() + "/another/path?x=y\r\n"));
  EXPECT_EQ(TextOf(Get()), "there");
  EXPECT_EQ(TextOf(Get()), "again");
  EXPECT_EQ(Asked(), 1u);
  const std::string request = other.requests().at(0);
  EXPECT_TRUE(request.starts_with("GET /bucket/k HTTP/1.1\r\n")) << "the path stays: " << request;
}

TEST_F(S3ClientTest, LocationsThatSendOneToTheOtherEnd) {
  ScriptServer other;
  const std::string here = "Location: " + server_.endpoint() + "/bucket/k\r\n";
  const std::string there = "Location: " + other.endpoint() + "/bucket/k\r\n";
  Answers(Reply(307, "", there));
  other.Add(Reply(307, "", here));
  Answers(Reply(307, "", there));
  EXPECT_TRUE(Get().status.Is(Code::kInvalid));
  EXPECT_EQ(Asked(), 2u);
  EXPECT_EQ(other.requests().size(), 1u);
}

// ---- How much is sent again ----

TEST_F(S3ClientTest, WhoTriesAgainByHimselfGetsOneAttempt) {
  Answers(Reply(500, ErrorBody("InternalError")));
  Call call;
  call.flags = kOneAttempt;
  Answer answer;
  store_->Get(Key("k"), Read::Whole(), call, [&](Answer&& got) { answer = std::move(got); });
  EXPECT_TRUE(answer.status.Is(Code::kIo));
  EXPECT_TRUE(answer.status.retryable());
  EXPECT_EQ(Asked(), 1u);
}

TEST_F(S3ClientTest, AllRequestsTogetherAreSentAgainNoMoreThanTheBudgetAllows) {
  Open({{"attempts", "2"}, {"concurrency", "60"}});
  const Entries entries = GetMany(60);
  EXPECT_TRUE(entries.status.failed());
  EXPECT_EQ(Asked(), 60u + RetryBudget::kCapacity / RetryBudget::kFaultCost);
}

}  // namespace
}  // namespace chainstore::s3::s3_client_test
