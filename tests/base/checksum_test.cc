#include "base/checksum.h"

#include <gtest/gtest.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace chainstore {
namespace {

TEST(ChecksumTest, IsTheCrc32cOfTheStandards) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);  // the check value of every catalogue of CRCs
  // RFC 3720, appendix B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(ChecksumTest, GoesOnFromWhatCameBefore) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (size_t at = 0; at <= text.size(); ++at) {
    EXPECT_EQ(Crc32c(text.substr(at), Crc32c(text.substr(0, at))), Crc32c(text)) << at;
  }
}

#if defined(__x86_64__)
// Which parts of the vector registers are in use: XINUSE, Intel's manual, volume 1, 13.6.
__attribute__((target("xsave"))) uint64_t PartsInUse() { return _xgetbv(1); }

TEST(ChecksumTest, LeavesNoUpperHalfOfAVectorRegisterInUse) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kXgetbvOfOne = 1u << 2;
  if (!__get_cpuid_count(0xd, 1, &eax, &ebx, &ecx, &edx) || !(eax & kXgetbvOfOne)) {
    GTEST_SKIP() << "this processor does not tell";
  }
  constexpr uint64_t kUpperHalves = 1u << 2;
  for (const size_t size : {16u, 256u, 1024u, 65536u}) {
    EXPECT_NE(Crc32c(std::string(size, 'v')), 0u);
    EXPECT_EQ(PartsInUse() & kUpperHalves, 0u) << size;
  }
}
#endif

}  // namespace
}  // namespace chainstore
