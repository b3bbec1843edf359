// Large values had in ranges, from a server that does as it is told: one part at a time, so that
// the script has an order.
#include "stores/s3/ranged_download.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/checksum.h"
#include "support/scripted_s3.h"

namespace chainstore::s3::ranged_download_test {
namespace {

constexpr size_t kPart = size_t{5} << 20;

class RangedDownloadTest : public ScriptedS3Test {
 protected:
  RangedDownloadTest() { OpenWith("1"); }
  void OpenWith(const char* part_concurrency) {
    Open({{"multipart_threshold", "5MiB"},
          {"part_size", "5MiB"},
          {"attempts", "1"},
          {"part_concurrency", part_concurrency}});
  }
  static std::string ValueOf(char fill) { return std::string(kPart, fill) + "the rest"; }
  // The whole object, of which the client takes the headers and no more.
  void AnswersWhole(const std::string& value, const std::string& headers = "") {
    Answers(Reply(200, value, headers));
  }
  void AnswersPart(const std::string& value, size_t first, size_t size,
                   const std::string& headers = "") {
    Answers(Reply(206, value.substr(first, size),
                  "Content-Range: bytes " + std::to_string(first) + "-" +
                      std::to_string(first + size - 1) + "/" + std::to_string(value.size()) +
                      "\r\n" + headers));
  }
  static std::string WithTag(std::string reply, const std::string& etag) {
    return reply.replace(reply.find("\"e\""), 3, etag);
  }
  // That the value is had by one more request, without a range.
  void ExpectHadInOne(const std::string& value, const std::string& what) {
    AnswersWhole(value);
    EXPECT_TRUE(TextOf(Get()) == value) << what;
    EXPECT_EQ(Header(Asked() - 1, "range"), "(none)") << what;
    EXPECT_EQ(Header(Asked() - 1, "if-match"), "(none)") << what;
  }
};

TEST_F(RangedDownloadTest, EachPartIsOfTheObjectThatTheFirstAnswerSpokeOf) {
  const std::string value = ValueOf('a');
  AnswersWhole(value, "x-amz-meta-cs-expires: 9999999999999\r\n");
  AnswersPart(value, 0, kPart);
  AnswersPart(value, kPart, 8);
  const Answer answer = Get();
  EXPECT_TRUE(TextOf(answer) == value);
  EXPECT_EQ(answer.meta.total_size, value.size());
  EXPECT_EQ(answer.meta.expires_at_ms, 9999999999999) << "what is kept with it is the object's";
  ASSERT_EQ(Asked(), 3u);
  EXPECT_EQ(Header(0, "range"), "(none)");
  EXPECT_EQ(Header(1, "range"), "bytes=0-5242879");
  EXPECT_EQ(Header(2, "range"), "bytes=5242880-5242887");
  EXPECT_EQ(Header(1, "if-match"), "\"e\"");
  EXPECT_EQ(Header(2, "if-match"), "\"e\"");
}

TEST_F(RangedDownloadTest, ASmallerValueIsOneRequest) {
  const std::string value(kPart - 1, 'a');
  AnswersWhole(value);
  EXPECT_TRUE(TextOf(Get()) == value);
  EXPECT_EQ(Asked(), 1u);
}

TEST_F(RangedDownloadTest, ThePartsAreCheckedTogether) {
  const std::string value = ValueOf('a');
  AnswersWhole(value, "x-amz-meta-cs-crc32c: 00000000\r\n");
  AnswersPart(value, 0, kPart);
  AnswersPart(value, kPart, 8);
  EXPECT_TRUE(Get().status.Is(Code::kCorrupt));
}

TEST_F(RangedDownloadTest, AnObjectThatChangesMeanwhileIsNeverMixed) {
  const std::string before = ValueOf('a'), after = ValueOf('b'), longer = after + "!";
  const auto begin = [&] {
    AnswersWhole(before);
    AnswersPart(before, 0, kPart);
  };
  begin();
  Answers(Reply(412, ErrorBody("PreconditionFailed")));
  ExpectHadInOne(after, "another is there");
  begin();
  Answers(WithTag(Reply(206, "the rest", "Content-Range: bytes 5242880-5242887/5242888\r\n"),
                  "\"other\""));
  ExpectHadInOne(after, "a server that knows no If-Match");
  begin();
  AnswersPart(longer, kPart, 8);
  ExpectHadInOne(longer, "of another size");
  begin();
  Answers(Reply(416, ErrorBody("InvalidRange")));
  ExpectHadInOne(after, "shorter");
  begin();
  Answers(Reply(404, ErrorBody("NoSuchKey")));
  Answers(Reply(404, ErrorBody("NoSuchKey")));
  EXPECT_TRUE(Get().status.Is(Code::kNotFound));
}

TEST_F(RangedDownloadTest, AServerThatKnowsNoRangesIsAskedForAllOfIt) {
  const std::string value = ValueOf('a');
  AnswersWhole(value);
  AnswersWhole(value);
  ExpectHadInOne(value, "200 to a ranged request");
  EXPECT_EQ(Asked(), 3u);
}

TEST_F(RangedDownloadTest, AWeakETagTellsNoObjectFromAnother) {
  const std::string value = ValueOf('a');
  Answers(WithTag(Reply(200, value), "W/\"e\""));
  ExpectHadInOne(value, "weak");
  EXPECT_EQ(Asked(), 2u);
}

TEST_F(RangedDownloadTest, AWrongPartIsNoPart) {
  const std::string value = ValueOf('a');
  for (const char* const range :
       {"bytes 0-5242878/5242888", "bytes 1-5242880/5242888", "bytes */5242888", "nonsense"}) {
    AnswersWhole(value);
    Answers(Reply(206, value.substr(0, kPart), std::string("Content-Range: ") + range + "\r\n"));
    EXPECT_TRUE(Get().status.Is(Code::kIo)) << range;
  }
  AnswersWhole(value);
  Answers(Reply(206, value.substr(0, 9), "Content-Range: bytes 0-5242879/5242888\r\n"));
  EXPECT_TRUE(Get().status.Is(Code::kIo)) << "shorter than it says";
  AnswersWhole(value);
  Answers(Reply(206, value, "Content-Range: bytes 0-5242879/5242888\r\n"));
  EXPECT_TRUE(Get().status.failed()) << "longer than it says: nothing is written beyond its room";
}

TEST_F(RangedDownloadTest, AFailedPartFailsTheGetAndAsksForNoOther) {
  AnswersWhole(ValueOf('a'));
  Answers(Reply(403, ErrorBody("AccessDenied")));
  EXPECT_TRUE(Get().status.Is(Code::kDenied));
  EXPECT_EQ(Asked(), 2u);
}

TEST_F(RangedDownloadTest, ALargeRangeComesInPartsToo) {
  const std::string value = "head" + ValueOf('a') + "tail";
  Answers(Reply(206, value.substr(4, kPart + 8),
                "Content-Range: bytes 4-5242891/" + std::to_string(value.size()) + "\r\n"));
  AnswersPart(value, 4, kPart);
  AnswersPart(value, 4 + kPart, 8);
  const Answer answer = Get(Read::Range(4, kPart + 8));
  EXPECT_TRUE(TextOf(answer) == value.substr(4, kPart + 8));
  EXPECT_EQ(answer.meta.total_size, value.size());
  EXPECT_EQ(Header(1, "range"), "bytes=4-5242883");
  EXPECT_EQ(Header(2, "range"), "bytes=5242884-5242891");
}

TEST_F(RangedDownloadTest, PartsAreAskedForTogether) {
  OpenWith("2");
  AnswersWhole(ValueOf('a'));
  Answers("", Then::kHang);
  Answers("", Then::kHang);
  Call call;
  call.cancel = MakeRef<CancelToken>();
  std::thread other([&] {
    EXPECT_TRUE(server_.WaitForRequests(3));
    call.cancel->Fire();
  });
  Answer answer;
  store_->Get(Key("k"), Read::Whole(), call, [&](Answer&& got) { answer = std::move(got); });
  EXPECT_TRUE(answer.status.Is(Code::kCancelled));
  other.join();
}

}  // namespace
}  // namespace chainstore::s3::ranged_download_test
