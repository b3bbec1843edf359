#include "stores/s3/retry.h"

#include <gtest/gtest.h>

namespace chainstore::s3::retry_test {
namespace {

TEST(RetryTest, PausesGrowUpToTheirCap) {
  constexpr int64_t kMs = 1'000'000;
  EXPECT_EQ(LongestPauseNs(Retry::kFault, 2), 50 * kMs);
  EXPECT_EQ(LongestPauseNs(Retry::kFault, 3), 100 * kMs);
  EXPECT_EQ(LongestPauseNs(Retry::kThrottle, 2), 1000 * kMs);
  EXPECT_EQ(LongestPauseNs(Retry::kThrottle, 3), 2000 * kMs);
  EXPECT_EQ(LongestPauseNs(Retry::kFault, 100), 20'000 * kMs);
}

TEST(RetryTest, PausesAreAnywhereBelow) {
  int64_t least = INT64_MAX, most = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t pause = PauseNs(Retry::kFault, 2);
    EXPECT_GE(pause, 0);
    EXPECT_LE(pause, LongestPauseNs(Retry::kFault, 2));
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_LT(least, LongestPauseNs(Retry::kFault, 2) / 4) << "full jitter";
  EXPECT_GT(most, LongestPauseNs(Retry::kFault, 2) * 3 / 4);
}

TEST(RetryTest, TheBudgetEndsAndComesBackWithSuccess) {
  RetryBudget budget;
  int retries = 0;
  while (budget.Take(Retry::kFault) != 0) ++retries;
  EXPECT_EQ(retries, RetryBudget::kCapacity / RetryBudget::kFaultCost);
  EXPECT_NE(budget.Take(Retry::kThrottle), 0) << "a throttle costs less";
  while (budget.Take(Retry::kThrottle) != 0) {
  }
  budget.Give(RetryBudget::kFaultCost);
  EXPECT_EQ(budget.Take(Retry::kFault), RetryBudget::kFaultCost);
  for (int i = 0; i < RetryBudget::kFaultCost; ++i) budget.Give(0);
  EXPECT_EQ(budget.Take(Retry::kFault), RetryBudget::kFaultCost)
      << "1 for a success without a retry";
  for (int i = 0; i < 100; ++i) budget.Give(RetryBudget::kFaultCost);
  retries = 0;
  while (budget.Take(Retry::kFault) != 0) ++retries;
  EXPECT_EQ(retries, RetryBudget::kCapacity / RetryBudget::kFaultCost)
      << "never above its capacity";
}

}  // namespace
}  // namespace chainstore::s3::retry_test
