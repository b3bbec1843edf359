// Against a server that does as it is told: reads of single objects: values, ranges, checksums,
// misses.
#include "stores/s3/s3_get.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/checksum.h"
#include "stores/s3/digest.h"
#include "support/scripted_s3.h"

namespace chainstore::s3::s3_get_test {
namespace {

class S3GetTest : public ScriptedS3Test {
 protected:
  S3GetTest() { Open({}); }
};

TEST_F(S3GetTest, GetsAnEmptyValueAndTellsItFromAMiss) {
  Answers(Reply(200));
  const Answer empty = Get();
  ASSERT_TRUE(empty.status.ok());
  EXPECT_EQ(empty.value->size(), 0u);
  Answers(Reply(404, ErrorBody("NoSuchKey")));
  EXPECT_TRUE(Get().status.Is(Code::kNotFound));
}

TEST_F(S3GetTest, ADamagedValueIsCorruptAndNoValue) {
  Answers(Reply(200, "value", "x-amz-meta-cs-crc32c: 00000000\r\n"));
  EXPECT_TRUE(Get().status.Is(Code::kCorrupt));
}

TEST_F(S3GetTest, TheServersChecksumIsVerifiedWhereItIsOfTheWholeValue) {
  Answers(Reply(200, "value", "x-amz-checksum-crc32c: AAAAAA==\r\n"));
  EXPECT_TRUE(Get().status.Is(Code::kCorrupt));
  Answers(Reply(200, "value", "x-amz-checksum-crc32c: " + Crc32cBase64(Crc32c("value")) + "\r\n"));
  EXPECT_EQ(TextOf(Get()), "value");
  Answers(Reply(200, "value", "x-amz-checksum-crc32c: AAAAAA==-3\r\n"));
  EXPECT_EQ(TextOf(Get()), "value") << "that is one of the checksums of its parts";
  Open({{"verify", "off"}});
  Answers(Reply(200, "value", "x-amz-checksum-crc32c: AAAAAA==\r\n"));
  EXPECT_EQ(TextOf(Get()), "value");
}

TEST_F(S3GetTest, ARangeMustBeTheOneThatWasAskedFor) {
  const auto range = [&](const char* content_range, const std::string& body) {
    Answers(Reply(206, body, std::string("Content-Range: ") + content_range + "\r\n"));
    return Get(Read::Range(2, 3));
  };
  EXPECT_EQ(TextOf(range("bytes 2-4/10", "234")), "234");
  EXPECT_EQ(TextOf(range("bytes 2-3/4", "23")), "23") << "cut at the end";
  EXPECT_EQ(Header(0, "range"), "bytes=2-4");
  for (const auto& [header, body] :
       std::vector<std::pair<const char*, const char*>>{{"bytes 3-5/10", "345"},
                                                        {"bytes 2-4/10", "23"},
                                                        {"bytes 2-3/10", "23"},
                                                        {"bytes 2-9/10", "23456789"},
                                                        {"bytes */10", "234"},
                                                        {"nonsense", "234"}}) {
    EXPECT_TRUE(range(header, body).status.Is(Code::kIo)) << header;
  }
  Answers(Reply(206, "234"));
  EXPECT_TRUE(Get(Read::Range(2, 3)).status.Is(Code::kIo)) << "206 without Content-Range";
  Answers(Reply(200, "0123456789"));
  const Answer whole = Get(Read::Range(2, 3));
  EXPECT_EQ(TextOf(whole), "234") << "a server that knows no ranges";
  EXPECT_EQ(whole.meta.total_size, 10u);
}

TEST_F(S3GetTest, AnExpiredEntryIsAMiss) {
  Answers(Reply(200, "v", "x-amz-meta-cs-expires: 1\r\n"));
  EXPECT_TRUE(Get().status.Is(Code::kNotFound));
}

}  // namespace
}  // namespace chainstore::s3::s3_get_test
