// Against a server that does as it is told: puts: what goes over the wire, and what a condition's
// answer means.
#include "stores/s3/s3_put.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/checksum.h"
#include "stores/s3/digest.h"
#include "support/scripted_s3.h"

namespace chainstore::s3::s3_put_test {
namespace {

class S3PutTest : public ScriptedS3Test {
 protected:
  S3PutTest() { Open({}); }
};

TEST_F(S3PutTest, PutsTheValueAsTheBodyWithWhatTellsItsHealth) {
  Answers(Reply(200));
  ASSERT_EQ(Put(*store_, "a b/../c", "value"), Code::kOk);
  EXPECT_EQ(Line(0), "PUT /bucket/a%20b/../c HTTP/1.1") << "the path is not normalised";
  const std::string request = server_.requests()[0];
  EXPECT_TRUE(request.ends_with("\r\n\r\nvalue"));
  EXPECT_EQ(Header(0, "Content-Length"), "5");
  EXPECT_EQ(Header(0, "x-amz-content-sha256"), Hex(AsBytes(Sha256("value"))));
  EXPECT_EQ(Header(0, "x-amz-checksum-crc32c"), Crc32cBase64(Crc32c("value")));
  EXPECT_EQ(Header(0, "Expect"), "(none)");
  EXPECT_EQ(Header(0, "x-amz-acl"), "(none)") << "nothing is made public";
  EXPECT_EQ(Header(0, "Transfer-Encoding"), "(none)");
  EXPECT_NE(Header(0, "authorization").find("Credential=AKID/"), std::string::npos);
  EXPECT_NE(Header(0, "authorization").find("/eu-west-1/s3/aws4_request,"), std::string::npos);
  EXPECT_EQ(request.find("unspoken"), std::string::npos);
}

// The caller's bytes are borrowed: he must not change them, but if he does between two attempts,
// what is stored is what was put or nothing. (Their number is the call's own.)
TEST_F(S3PutTest, ABodyThatChangesBetweenTheAttemptsIsNotStored) {
  std::string value = "value";
  std::string stored;
  server_.Otherwise([&](const std::string& request) {
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    const std::string hash = "\r\nx-amz-content-sha256: " + Hex(AsBytes(Sha256(body))) + "\r\n";
    if (server_.requests().size() == 1) {
      value[0] = 'V';
      return ScriptedAnswer{.bytes = Reply(500, ErrorBody("InternalError"))};
    }
    if (request.find(hash) == std::string::npos) {  // as S3 does
      return ScriptedAnswer{.bytes = Reply(400, ErrorBody("XAmzContentSHA256Mismatch"))};
    }
    stored = body;
    return ScriptedAnswer{.bytes = Reply(200)};
  });
  EXPECT_EQ(Put(*store_, "k", value), Code::kCorrupt);
  EXPECT_EQ(stored, "");
  EXPECT_EQ(Asked(), 2u);
  EXPECT_EQ(Put(*store_, "k", value), Code::kOk) << "a new call has bytes of its own";
  EXPECT_EQ(stored, "Value");
  server_.Otherwise(ScriptedAnswer{});
}

TEST_F(S3PutTest, SendsAConditionalPutAndUnderstandsItsAnswer) {
  Answers(Reply(412, ErrorBody("PreconditionFailed")));
  Answers(Reply(200, "", "x-amz-meta-cs-write: another\r\n"));
  EXPECT_EQ(Put(*store_, "k", "v", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(Header(0, "if-none-match"), "*");
}

TEST_F(S3PutTest, AConditionalPutWhoseAnswerWasLostKnowsItsOwnObject) {
  Answers("", Then::kClose);  // stored, but nobody says so
  Answers(Reply(412, ErrorBody("PreconditionFailed")));
  std::thread third([&] {
    // The id is known only now: what is there carries it.
    ASSERT_TRUE(server_.WaitForRequests(1));
    server_.Add("HTTP/1.1 200 X\r\nContent-Length: 1\r\nETag: \"e\"\r\nx-amz-meta-cs-write: " +
                Header(0, "x-amz-meta-cs-write") + "\r\n\r\n");
  });
  EXPECT_EQ(Put(*store_, "k", "v", Call::kIfAbsent), Code::kOk);
  third.join();
  EXPECT_EQ(Asked(), 3u);
  EXPECT_EQ(Header(0, "x-amz-meta-cs-write"), Header(1, "x-amz-meta-cs-write"));
}

}  // namespace
}  // namespace chainstore::s3::s3_put_test
