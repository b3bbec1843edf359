#include "core/fence.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(FenceTest, ATripMayFillOnlyIfNoWriteCameBetween) {
  Fence fence;
  const Key key("k");
  const auto quiet = fence.Note(key);
  EXPECT_FALSE(quiet.busy);
  EXPECT_TRUE(fence.StillIdle(key, quiet));
  fence.BeginWrite(key);
  EXPECT_FALSE(fence.StillIdle(key, quiet)) << "a write is under way";
  const auto during = fence.Note(key);
  EXPECT_TRUE(during.busy);
  fence.EndWrite(key);
  EXPECT_FALSE(fence.StillIdle(key, quiet)) << "a write has happened";
  EXPECT_FALSE(fence.StillIdle(key, during)) << "it began during a write: it may have read before";
  EXPECT_TRUE(fence.StillIdle(key, fence.Note(key)));
}

TEST(FenceTest, CountsWritesThatOverlap) {
  Fence fence;
  const Key key("k");
  fence.BeginWrite(key);
  fence.BeginWrite(key);
  fence.EndWrite(key);
  EXPECT_TRUE(fence.Note(key).busy);
  fence.EndWrite(key);
  EXPECT_FALSE(fence.Note(key).busy);
}

TEST(FenceTest, ABarHoldsForItsKeyAndStoresOnly) {
  Fence fence;
  const Key key("k");
  EXPECT_EQ(fence.Barred(key), 0u);
  fence.Bar(key, 0);
  EXPECT_EQ(fence.bar_count(), 0u);
  fence.Bar(key, 0b011);
  fence.Bar(key, 0b100);
  EXPECT_EQ(fence.Barred(key), 0b111u);
  EXPECT_EQ(fence.Barred(Key("other")), 0u);
  EXPECT_EQ(fence.bar_count(), 1u);
  fence.Unbar(key, 0b001);
  EXPECT_EQ(fence.Barred(key), 0b110u);
  fence.Unbar(key, 0b110);
  EXPECT_EQ(fence.Barred(key), 0u);
  EXPECT_EQ(fence.bar_count(), 0u);
  fence.Unbar(key, 1);  // nothing to lift
}

TEST(FenceTest, AStoreWithACallOutstandingStaysBarredUntilThatIsBack) {
  Fence fence;
  const Key key("k");
  fence.BeginOutstanding(key, 0b01);
  fence.Bar(key, 0b10);
  EXPECT_EQ(fence.Outstanding(key), 0b01u);
  EXPECT_EQ(fence.Barred(key), 0b11u);
  fence.Unbar(key, 0b11);
  EXPECT_EQ(fence.Barred(key), 0b01u) << "a write that succeeded lifts only what has come back";
  fence.EndOutstanding(key, 0b01);
  EXPECT_EQ(fence.Outstanding(key), 0u);
  EXPECT_EQ(fence.Barred(key), 0b01u) << "it may have landed late: until the next write";
  fence.Unbar(key, 0b01);
  EXPECT_EQ(fence.Barred(key), 0u);
}

TEST(FenceTest, ForgetsAStoreThatIsNobodysAnyMore) {
  Fence fence;
  fence.Bar(Key("a"), 0b11);
  fence.Bar(Key("b"), 0b01);
  fence.Forget(0b01);
  EXPECT_EQ(fence.Barred(Key("a")), 0b10u);
  EXPECT_EQ(fence.Barred(Key("b")), 0u);
  EXPECT_EQ(fence.bar_count(), 1u);
}

TEST(FenceTest, TooManyBarsBarTheWholeStore) {
  Fence fence;
  for (size_t i = 0; i < Fence::kMaxBars; ++i) fence.Bar(Key(std::to_string(i)), 0b1);
  EXPECT_EQ(fence.Barred(Key("another")), 0u);
  fence.Bar(Key("one more"), 0b10);
  EXPECT_EQ(fence.bar_count(), Fence::kMaxBars);
  EXPECT_EQ(fence.Barred(Key("another")), 0b10u) << "which key it was is not known any more";
  EXPECT_EQ(fence.Barred(Key("0")), 0b11u);
  fence.Bar(Key("0"), 0b100);
  EXPECT_EQ(fence.Barred(Key("0")), 0b111u) << "a key that is known stays exact";
  fence.Forget(0b10);
  EXPECT_EQ(fence.Barred(Key("another")), 0u);
}

}  // namespace
}  // namespace chainstore
