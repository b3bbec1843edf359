#include "base/ascii.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(AsciiTest, ReadsHexDigitsOfBothCasesAndNothingElse) {
  int digits = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const size_t at = std::string_view("0123456789abcdefABCDEF").find(c);
    const int expected =
        at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
    EXPECT_EQ(HexDigit(c), expected) << byte;
    digits += expected >= 0;
  }
  EXPECT_EQ(digits, 22);
}

TEST(AsciiTest, LowersLettersAndLeavesAllOtherBytes) {
  EXPECT_EQ(LowerCase("@AZ[`az{ \xC4"), "@az[`az{ \xC4");
  EXPECT_EQ(LowerCase(""), "");
}

TEST(AsciiTest, TrimsBothEndsOnly) {
  EXPECT_EQ(Trimmed(" \t\r\na b\t \r\n"), "a b");
  EXPECT_EQ(Trimmed("a"), "a");
  EXPECT_EQ(Trimmed(" \t"), "");
  EXPECT_EQ(Trimmed(""), "");
}

}  // namespace
}  // namespace chainstore
