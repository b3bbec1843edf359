#include "managers/lru/ghost.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace chainstore {
namespace {

TEST(GhostTest, KnowsTheLastOnesOnceEach) {
  Ghost ghost;
  EXPECT_FALSE(ghost.Take(0, 100)) << "a fresh cell is nobody's";
  for (uint32_t hash = 1; hash <= 10; ++hash) ghost.Add(hash, 3);
  EXPECT_FALSE(ghost.Take(0, 100));
  EXPECT_FALSE(ghost.Take(7, 3));
  for (const uint32_t hash : {8u, 9u, 10u}) {
    EXPECT_TRUE(ghost.Take(hash, 3)) << hash;
    EXPECT_FALSE(ghost.Take(hash, 3)) << hash << " was taken";
  }
  ghost.Add(11, 0);
  EXPECT_FALSE(ghost.Take(11, 0));
}

TEST(GhostTest, KeepsWhatItKnowsWhenItGrows) {
  constexpr uint32_t kMany = 100'000;
  Ghost ghost;
  for (uint32_t number = 0; number < kMany; ++number) {
    ghost.Add(number * 2654435761u, std::max(10u, number));
  }
  uint32_t known = 0;
  for (uint32_t number = 0; number < kMany; ++number) {
    known += ghost.Take(number * 2654435761u, kMany);
  }
  EXPECT_GT(known, kMany * 98 / 100);
}

}  // namespace
}  // namespace chainstore
