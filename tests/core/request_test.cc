#include "core/request.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(RequestTest, AReadIsCutAtTheEnd) {
  const Read read = Read::Range(3, 4);
  EXPECT_EQ(read.Offset(10), 3u);
  EXPECT_EQ(read.Length(10), 4u);
  EXPECT_EQ(read.Length(5), 2u);
  EXPECT_EQ(read.Offset(2), 2u) << "at most the end";
  EXPECT_EQ(read.Length(2), 0u);
  EXPECT_EQ(Read::Range(1, UINT64_MAX).Length(10), 9u);
  EXPECT_EQ(Read::Range(UINT64_MAX, UINT64_MAX).Length(10), 0u) << "no overflow";
  EXPECT_EQ(Read::Whole().Length(10), 10u);
  EXPECT_EQ(Read::Stat().Length(10), 0u);
}

TEST(RequestTest, APayloadIsCopiedOnceAtMost) {
  std::string bytes = "abc";
  const Payload borrowed{Bytes(bytes), 5};
  const Ref<Value> copy = borrowed.Share();
  bytes = "xyz";
  EXPECT_EQ(copy->bytes(), "abc");
  EXPECT_EQ(borrowed.expires_at_ms(), 5);
  const Payload shared(copy);
  EXPECT_EQ(shared.Share().get(), copy.get());
  EXPECT_EQ(shared.bytes().data(), copy->data());
}

TEST(RequestTest, ThePrefixEndIsTheFirstStringBeyondAllWithThePrefix) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd(Bytes("a\0", 2)), "a\x01");
  EXPECT_EQ(PrefixEnd("\x7f"), "\x80") << "bytes have no sign";
  EXPECT_EQ(PrefixEnd("\xff\xff"), "") << "there is none";
  EXPECT_EQ(PrefixEnd(""), "");
}

Range MakeRange() {
  Range range;
  range.prefix = "b";
  range.start = "bb";
  range.end = "bx";
  range.has_end = true;
  return range;
}

TEST(RequestTest, ARangeContainsWhatAllItsBoundsAllow) {
  const Range range = MakeRange();
  EXPECT_TRUE(range.Contains("bb")) << "start is inclusive";
  EXPECT_TRUE(range.Contains("bw\xff"));
  EXPECT_FALSE(range.Contains("bx")) << "end is exclusive";
  EXPECT_FALSE(range.Contains("ba"));
  EXPECT_FALSE(range.Contains("c"));
  EXPECT_TRUE(Range().Contains("")) << "no bounds, every key";
}

TEST(RequestTest, APageGoesOnBeyondTheLastKeyInItsDirection) {
  Range range = MakeRange();
  range.has_after = true;
  range.after = "bm";
  EXPECT_FALSE(range.Contains("bm"));
  EXPECT_TRUE(range.Contains("bn"));
  EXPECT_FALSE(range.Contains("bc"));
  EXPECT_EQ(range.First(), "bm");
  EXPECT_EQ(range.Beyond(), "bx");
  range.reverse = true;
  EXPECT_FALSE(range.Contains("bm"));
  EXPECT_FALSE(range.Contains("bn"));
  EXPECT_TRUE(range.Contains("bc"));
  EXPECT_EQ(range.First(), "bb");
  EXPECT_EQ(range.Beyond(), "bm");
}

TEST(RequestTest, FirstAndBeyondAreTheTightestBounds) {
  Range range;
  EXPECT_EQ(range.First(), "");
  EXPECT_EQ(range.Beyond(), "") << "none";
  range.prefix = "p";
  EXPECT_EQ(range.First(), "p");
  EXPECT_EQ(range.Beyond(), "q");
  range.start = "a";
  EXPECT_EQ(range.First(), "p") << "the start lies below the prefix";
  range.has_end = true;
  range.end = "z";
  EXPECT_EQ(range.Beyond(), "q") << "the end lies above it";
}

TEST(RequestTest, APageHasADefaultSize) {
  Range range;
  EXPECT_EQ(range.Limit(), Range::kDefaultPageSize);
  range.page_size = 3;
  EXPECT_EQ(range.Limit(), 3u);
}

}  // namespace
}  // namespace chainstore
