#include "stores/s3/object_meta.h"

#include <gtest/gtest.h>

namespace chainstore::s3::object_meta_test {
namespace {

TEST(ObjectMetaTest, IsWrittenAsItWillBeReadForEver) {
  Headers headers;
  AppendMeta(&headers, 0x0a0b0c0d, 1'700'000'000'123, "key", "0123456789abcdef");
  EXPECT_EQ(headers, (Headers{{"x-amz-meta-cs-crc32c", "0a0b0c0d"},
                              {"x-amz-meta-cs-expires", "1700000000123"},
                              {"x-amz-meta-cs-key", "a2V5"},
                              {"x-amz-meta-cs-write", "0123456789abcdef"}}));
  headers.emplace_back("etag", "\"e\"");
  const ObjectMeta meta = ObjectMeta::Read(headers);
  EXPECT_TRUE(meta.has_crc);
  EXPECT_EQ(meta.crc32c, 0x0a0b0c0du);
  EXPECT_EQ(meta.meta.expires_at_ms, 1'700'000'000'123);
  EXPECT_EQ(meta.key, "key");
  EXPECT_EQ(meta.write_id, "0123456789abcdef");
  EXPECT_EQ(meta.meta.version, VersionOfEtag("\"e\""));
  EXPECT_NE(meta.meta.version, 0u);
}

TEST(ObjectMetaTest, ReadsNothingIntoWhatOthersWrote) {
  const ObjectMeta meta = ObjectMeta::Read({{"x-amz-meta-cs-crc32c", "xyz"},
                                            {"x-amz-meta-cs-expires", "-5"},
                                            {"x-amz-meta-cs-key", "?"},
                                            {"x-amz-meta-other", "1"}});
  EXPECT_FALSE(meta.has_crc);
  EXPECT_EQ(meta.meta.expires_at_ms, 0);
  EXPECT_EQ(meta.key, "");
  EXPECT_EQ(meta.meta.version, 0u);
}

TEST(ObjectMetaTest, ReadsContentRanges) {
  ContentRange range;
  ASSERT_TRUE(ParseContentRange("bytes 3-9/20", &range));
  EXPECT_EQ(range.first, 3u);
  EXPECT_EQ(range.last, 9u);
  EXPECT_EQ(range.total, 20u);
  EXPECT_FALSE(range.unsatisfied);
  ASSERT_TRUE(ParseContentRange("bytes */20", &range));
  EXPECT_TRUE(range.unsatisfied);
  for (const Bytes wrong :
       {"", "bytes", "bytes 3-9", "bytes 9-3/20", "bytes 3-20/20", "items 1-2/3", "bytes 3-9/x",
        "bytes -9/20", "bytes 3-/20", "bytes 3-9/*"}) {
    EXPECT_FALSE(ParseContentRange(wrong, &range)) << wrong;
  }
}

}  // namespace
}  // namespace chainstore::s3::object_meta_test
