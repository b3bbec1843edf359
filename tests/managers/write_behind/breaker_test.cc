#include "managers/write_behind/breaker.h"

#include <gtest/gtest.h>

#include <random>

namespace chainstore::behind {
namespace {

constexpr int64_t kMs = 1'000'000;

TEST(BreakerTest, OpensOnlyAfterFailuresInARow) {
  Breaker breaker;
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 1; i < Breaker::kThreshold; ++i) {
      EXPECT_FALSE(breaker.Sent());
      EXPECT_FALSE(breaker.Failed(false, false, 0, 0));
    }
    EXPECT_FALSE(breaker.Alive());
    EXPECT_EQ(breaker.state(), Breaker::State::kClosed);
  }
  for (uint32_t i = 1; i < Breaker::kThreshold; ++i) breaker.Failed(false, false, 0, 0);
  EXPECT_TRUE(breaker.Failed(false, false, 0, 0));
  EXPECT_EQ(breaker.state(), Breaker::State::kOpen);
  EXPECT_FALSE(breaker.Allows(0));
}

TEST(BreakerTest, LetsOneProbeThroughAtATime) {
  Breaker breaker;
  EXPECT_TRUE(breaker.Failed(true, false, 0, 0));
  EXPECT_EQ(breaker.state(), Breaker::State::kPaused);
  EXPECT_FALSE(breaker.Allows(Breaker::kMinProbeMs * kMs - 1));
  ASSERT_TRUE(breaker.Allows(Breaker::kMinProbeMs * kMs));
  EXPECT_TRUE(breaker.Sent());
  EXPECT_FALSE(breaker.Allows(INT64_MAX));
  // What was sent before it opened says nothing about the probe.
  EXPECT_FALSE(breaker.Failed(true, false, 0, 0));
  EXPECT_FALSE(breaker.Allows(INT64_MAX));
  EXPECT_FALSE(breaker.Failed(true, true, 0, 0));
  EXPECT_TRUE(breaker.Allows(INT64_MAX));
  EXPECT_TRUE(breaker.Alive());
  EXPECT_TRUE(breaker.Allows(0));
  EXPECT_FALSE(breaker.Sent());
}

TEST(BreakerTest, ProbesLessThanOnceASecondAndNotTooSeldom) {
  std::mt19937_64 random(3);
  Breaker breaker;
  for (uint32_t i = 0; i < Breaker::kThreshold; ++i) breaker.Failed(false, false, 0, random());
  int64_t last_ns = 0;
  for (int probe = 0; probe < 100; ++probe) {
    const int64_t at_ns = breaker.next_probe_ns();
    EXPECT_GE(at_ns - last_ns, 1'000 * kMs);
    EXPECT_LE(at_ns - last_ns, 15'000 * kMs);
    ASSERT_TRUE(breaker.Allows(at_ns));
    ASSERT_TRUE(breaker.Sent());
    breaker.Failed(false, true, at_ns, random());
    last_ns = at_ns;
  }
  EXPECT_GE(last_ns, 600'000 * kMs);
}

TEST(BreakerTest, TellsWhenAnOutageTurnsIntoARefusal) {
  Breaker breaker;
  for (uint32_t i = 0; i < Breaker::kThreshold; ++i) breaker.Failed(false, false, 0, 0);
  breaker.Sent();
  EXPECT_TRUE(breaker.Failed(true, true, 0, 0));
  EXPECT_EQ(breaker.state(), Breaker::State::kPaused);
  breaker.ProbeNow();
  EXPECT_TRUE(breaker.Allows(1));
  breaker.Sent();
  EXPECT_FALSE(breaker.Failed(true, true, 0, 0));
}

}  // namespace
}  // namespace chainstore::behind
