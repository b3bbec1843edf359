#include "stores/s3/digest.h"

#include <gtest/gtest.h>

#include "base/checksum.h"

namespace chainstore::s3::digest_test {
namespace {

TEST(DigestTest, Sha256OfTheStandardsExamples) {  // FIPS 180-2, appendix B
  EXPECT_EQ(Hex(AsBytes(Sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(AsBytes(Sha256(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(DigestTest, HmacOfTheStandardsExamples) {  // RFC 4231, cases 2 and 6
  EXPECT_EQ(Hex(AsBytes(HmacSha256("Jefe").Of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const HmacSha256 longer(std::string(131, '\xaa'));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Hex(AsBytes(longer.Of("Test Using Larger Than Block-Size Key - Hash Key First"))),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  }
}

TEST(DigestTest, HexAndBase64ThereAndBack) {
  const std::string all = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
  }();
  for (size_t size = 0; size <= all.size(); ++size) {
    const std::string part = all.substr(0, size);
    std::string back = "?";
    EXPECT_TRUE(Unhex(Hex(part), &back));
    EXPECT_EQ(back, part);
    EXPECT_TRUE(Unbase64(Base64(part), &back));
    EXPECT_EQ(back, part);
  }
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");  // RFC 4648
  std::string out;
  for (const Bytes wrong : {"a", "AB", "0g", " 0"}) EXPECT_FALSE(Unhex(wrong, &out)) << wrong;
  for (const Bytes wrong : {"a", "abc", "ab!="}) EXPECT_FALSE(Unbase64(wrong, &out)) << wrong;
}

TEST(DigestTest, ChecksumsInTheFormOfHeaders) {
  EXPECT_EQ(Md5Base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(Crc32cBase64(Crc32c("123456789")), "4waSgw==");  // 0xe3069283
}

}  // namespace
}  // namespace chainstore::s3::digest_test
