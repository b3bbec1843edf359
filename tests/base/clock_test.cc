#include "base/clock.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(ClockTest, ADeadlineThatOverflowsIsNone) {
  const Clock& clock = Clock::System();
  EXPECT_EQ(clock.DeadlineAfterMs(UINT64_MAX), kForeverNs);
  EXPECT_EQ(clock.DeadlineAfterMs(static_cast<uint64_t>(INT64_MAX) / 1'000'000), kForeverNs);
  const int64_t before_ns = clock.SteadyNs();
  const int64_t deadline_ns = clock.DeadlineAfterMs(1000);
  EXPECT_GE(deadline_ns, before_ns + 1'000'000'000);
  EXPECT_LE(deadline_ns, clock.SteadyNs() + 1'000'000'000);
}

TEST(ClockTest, TheSystemsClockTellsUnixTimeInBothUnits) {
  const int64_t ms = Clock::System().WallMs();
  const int64_t us = Clock::System().WallUs();
  EXPECT_GT(ms, 1'600'000'000'000);  // after 2020
  EXPECT_GE(us / 1000, ms);
  EXPECT_LT(us / 1000, ms + 60'000);
}

TEST(ClockTest, AManualClockMovesOnlyWhenToldTo) {
  ManualClock clock(1000);
  EXPECT_EQ(clock.WallMs(), 1000);
  clock.AdvanceMs(5);
  EXPECT_EQ(clock.WallMs(), 1005);
  EXPECT_EQ(clock.WallUs(), 1'005'000);
  clock.AdvanceMs(-10);
  EXPECT_EQ(clock.WallMs(), 995);
}

}  // namespace
}  // namespace chainstore
