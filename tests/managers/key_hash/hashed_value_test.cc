#include "managers/key_hash/hashed_value.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(HashedValueTest, GivesBackWhatWasPutIn) {
  for (const size_t size : {size_t{1}, size_t{255}, size_t{256}, kMaxKeySize}) {
    const std::string key(size, '\xff');
    const std::string header = HashedHeader(key), stored = header + "value";
    HashedValue view;
    ASSERT_TRUE(DecodeHashed(stored, &view)) << size;
    EXPECT_TRUE(view.key == key) << size;
    EXPECT_EQ(view.value, "value");
    ASSERT_TRUE(DecodeHashed(header, &view));
    EXPECT_EQ(view.value, "");
  }
}

// The bytes are a promise to every later version.
TEST(HashedValueTest, HasTheFormThatTheHeaderCommentWritesDown) {
  EXPECT_EQ(HashedHeader("key"), std::string("\x01\x00\x03\x00key", 7));
  EXPECT_EQ(HashedHeader(std::string(0x0201, 'k')).substr(0, 4),
            std::string("\x01\x00\x01\x02", 4));
}

TEST(HashedValueTest, RefusesWhatIsNoSuchForm) {
  const std::string good = HashedHeader("key");
  HashedValue view;
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeHashed(good.substr(0, size), &view)) << "cut off after " << size;
  }
  EXPECT_FALSE(DecodeHashed("\x02" + good.substr(1), &view)) << "another format";
  EXPECT_FALSE(DecodeHashed(std::string("\x01\x01\x01\x00k", 5), &view)) << "a flag that is none";
  EXPECT_FALSE(DecodeHashed(std::string("\x01\x00\x00\x00k", 5), &view)) << "no key";
  EXPECT_FALSE(DecodeHashed(std::string("\x01\x00\x01\x04", 4) + std::string(1025, 'k'), &view))
      << "a key that is too long";
}

}  // namespace
}  // namespace chainstore
