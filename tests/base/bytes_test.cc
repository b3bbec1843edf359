#include "base/bytes.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(BytesTest, AKeyIsItsBytesWhateverTheyAre) {
  const std::string odd("a\0\xff", 3);
  EXPECT_EQ(Key(odd).bytes, Bytes("a\0\xff", 3));
  EXPECT_EQ(Key(odd), Key(std::string(odd)));
  EXPECT_FALSE(Key(odd) == Key(Bytes("a\0\xfe", 3)));
  EXPECT_FALSE(Key("a") == Key(Bytes("a\0", 2)));
  EXPECT_EQ(Key("a").hash, HashBytes("a"));
  EXPECT_NE(HashBytes("a"), HashBytes("b"));
}

TEST(BytesTest, AnOwnedKeyOutlivesWhatItWasMadeFrom) {
  OwnedKey owned;
  {
    std::string bytes = "key";
    owned = OwnedKey(Key(bytes));
    bytes = "xxx";
  }
  EXPECT_EQ(owned.bytes(), "key");
  EXPECT_EQ(Key(owned), Key("key"));
  EXPECT_EQ(owned.hash(), Key("key").hash) << "not computed again";
}

}  // namespace
}  // namespace chainstore
