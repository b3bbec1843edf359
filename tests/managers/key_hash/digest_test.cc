#include "managers/key_hash/digest.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

// They name what is stored: they never change.
TEST(DigestTest, IsTheOneOfItsStandard) {
  EXPECT_EQ(FindDigest("sha256")->of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(FindDigest("xxh3-128")->of(""), "99aa06d3014798d86001c324468d497f");
}

TEST(DigestTest, HasTheLengthThatItSays) {
  for (const char* name : {"sha256", "xxh3-128"}) {
    const Digest& digest = *FindDigest(name);
    EXPECT_EQ(digest.of("a key").size(), digest.size);
    EXPECT_EQ(digest.of(std::string(1024, 'k')).size(), digest.size);
  }
  EXPECT_EQ(FindDigest("md5"), nullptr);
  EXPECT_EQ(FindDigest(""), nullptr);
}

}  // namespace
}  // namespace chainstore
