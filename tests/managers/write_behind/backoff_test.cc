#include "managers/write_behind/backoff.h"

#include <gtest/gtest.h>

#include <random>

namespace chainstore::behind {
namespace {

TEST(BackoffTest, IsUniformBelowACeilingThatDoubles) {
  // The extremes of chance: nothing, and the last choice.
  const auto ceiling = [](uint32_t attempt) {
    int64_t most = 0;
    for (uint64_t random = 0; random <= 60'000; ++random) {
      most = std::max(most, BackoffMs(attempt, 50, 60'000, random));
    }
    return most;
  };
  EXPECT_EQ(ceiling(1), 100);
  EXPECT_EQ(ceiling(2), 200);
  EXPECT_EQ(ceiling(10), 51'200);
  EXPECT_EQ(ceiling(11), 60'000);
  EXPECT_EQ(ceiling(1'000'000), 60'000);
}

TEST(BackoffTest, NeverLeavesItsBounds) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const int64_t wait = BackoffMs(static_cast<uint32_t>(i % 80), 50, 60'000, random());
    ASSERT_GE(wait, 50);
    ASSERT_LE(wait, 60'000);
  }
  EXPECT_EQ(BackoffMs(3, 7, 7, 123), 7);
  // The longest durations that an option takes must not overflow.
  const int64_t year_ms = int64_t{365} * 24 * 3600 * 1000;
  EXPECT_LE(BackoffMs(40, year_ms, year_ms, ~uint64_t{0}), year_ms);
  EXPECT_GE(BackoffMs(40, 1, year_ms, ~uint64_t{0}), 1);
}

TEST(BackoffTest, SpreadsKeysThatFailedTogether) {
  std::mt19937_64 random(7);
  int64_t sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += BackoffMs(20, 50, 60'000, random());
  EXPECT_NEAR(static_cast<double>(sum) / 10'000, 30'025, 1'000);
}

}  // namespace
}  // namespace chainstore::behind
