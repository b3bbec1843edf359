#include "stores/s3/object_key.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace chainstore::s3::object_key_test {
namespace {

TEST(ObjectKeyTest, PlainTextIsWhatS3CanListAndXmlCanHold) {
  for (const Bytes plain :
       {"a", "a b", "\xc3\xa4", "\xef\xbf\xbd", "\xf0\x9f\x98\x80", "a&<>\"'"}) {
    EXPECT_TRUE(IsPlainText(plain)) << plain;
  }
  for (const std::string& wrong :
       {std::string("\0", 1), std::string("\x1f"), std::string("\x7f"), std::string("\xc2\x80"),
        std::string("\xff"), std::string("\xc3"), std::string("\xc0\x80"),
        std::string("\xed\xa0\x80"), std::string("\xef\xbf\xbf"),
        std::string("\xf4\x90\x80\x80")}) {
    EXPECT_FALSE(IsPlainText(wrong)) << ::testing::PrintToString(wrong);
  }
  EXPECT_EQ(PlainSize("ab\xc3"), 2u);
}

TEST(ObjectKeyTest, KeepsOrdinaryKeysAsTheyAre) {
  const ObjectKeys keys("p/");
  for (const Bytes key : {"a", "a/b", "/a", "//", "a/../b", ".", "./x", "a/%2F+", ".chainstore"}) {
    EXPECT_EQ(keys.Encode(key), "p/" + std::string(key));
  }
}

TEST(ObjectKeyTest, EscapesWhatS3RefusesOrCannotShow) {
  const ObjectKeys keys("p/");
  EXPECT_EQ(keys.Encode("\n"), "p/.chainstore/k/0a");
  EXPECT_EQ(keys.Encode("\xff"), "p/.chainstore/k/ff");
  EXPECT_EQ(keys.Encode("../x"), "p/.chainstore/k/2e2e2f78") << "AWS refuses to climb above";
  EXPECT_EQ(keys.Encode("a/../../x").substr(0, 16), "p/.chainstore/k/");
  EXPECT_EQ(keys.Encode(".chainstore/x").substr(0, 16), "p/.chainstore/k/");
  const std::string longest(1024, '\xff');
  EXPECT_TRUE(keys.IsDigest(longest));
  EXPECT_LE(keys.Encode(longest).size(), kMaxObjectKeySize);
  EXPECT_EQ(keys.GroupOfObject(keys.Encode(longest)), keys.GroupOf(longest));
}

// Any key: no two share an object, what can be told from the object is, and a list that begins
// where these say holds the key.
TEST(ObjectKeyTest, IsInjectiveAndListsBeginEarlyEnough) {
  std::minstd_rand random(3);
  const std::string letters("/.a\x7f\x80\xc3\xa4\xff\n\xee\x80\x80 ~", 14);
  std::map<std::string, std::string> seen;
  const ObjectKeys keys("p\xc3\xa4/");
  const auto pick = [&](size_t most) {
    std::string key;
    for (size_t size = 1 + random() % most; key.size() < size;) key += letters[random() % 14];
    return key;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string key = pick(i % 100 == 0 ? 1024 : 6), first = pick(6);
    const std::string object = keys.Encode(key);
    ASSERT_LE(object.size(), kMaxObjectKeySize);
    ASSERT_TRUE(IsPlainText(object));
    const auto [at, is_new] = seen.emplace(object, key);
    ASSERT_EQ(at->second, key) << "two keys in one object";
    std::string back;
    const ObjectKeys::Form form = keys.Decode(object, &back);
    ASSERT_NE(form, ObjectKeys::Form::kForeign);
    ASSERT_EQ(form == ObjectKeys::Form::kDigest, keys.IsDigest(key));
    if (form != ObjectKeys::Form::kDigest) {
      ASSERT_EQ(back, key);
    }
    const bool plain = form == ObjectKeys::Form::kPlain;
    const std::string start =
        plain ? keys.PlainListStart(first, false) : keys.EscapedListStart(first);
    if (key >= first) {
      ASSERT_GT(object, start);
    }
  }
}

TEST(ObjectKeyTest, AListBeginsJustBeforeItsFirstKey) {
  const ObjectKeys keys("");
  const std::vector<std::string> sorted = {" ", "a",        "a ",       "aa",
                                           "b", "\xc3\xa3", "\xc3\xa4", "\xee\x80\x80"};
  for (size_t first = 0; first < sorted.size(); ++first) {
    const std::string start = keys.PlainListStart(sorted[first], false);
    for (size_t at = 0; at < sorted.size(); ++at) {
      EXPECT_EQ(sorted[at] > start, at >= first) << sorted[at] << " after " << start;
    }
    EXPECT_EQ(keys.PlainListStart(sorted[first], true), sorted[first]);
  }
  EXPECT_LT(keys.PlainListStart("a\xff", false), "a\xef\xbf\xbd");
  EXPECT_LT(keys.EscapedListStart("\xff"), keys.Encode("\xff"));
  EXPECT_GT(keys.EscapedListStart("\xff"), keys.Encode("\xfe"));
}

TEST(ObjectKeyTest, DoesNotTakeTheObjectsOfOthersForItsOwn) {
  const ObjectKeys keys("p/");
  std::string key;
  for (const std::string& object :
       {std::string("q/a"), std::string("p/"), std::string("p/.chainstore/k/zz"),
        std::string("p/.chainstore/k/61"), std::string("p/.chainstore/other"),
        std::string("p/\n")}) {
    EXPECT_EQ(keys.Decode(object, &key), ObjectKeys::Form::kForeign) << object;
  }
}

TEST(ObjectKeyTest, KnowsBucketNames) {
  for (const Bytes name : {"abc", "A.b_c", "my-bucket"}) EXPECT_TRUE(IsBucketName(name)) << name;
  for (const Bytes name : {"", "ab", "a/b", "a b", "..", "...", ".hidden", "a%2Fb"}) {
    EXPECT_FALSE(IsBucketName(name)) << name;
  }
}

}  // namespace
}  // namespace chainstore::s3::object_key_test
