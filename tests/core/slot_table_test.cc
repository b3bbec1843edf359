#include "core/slot_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace chainstore {
namespace {

// Few homes for many numbers: long runs, in which an erased one leaves a hole to be closed.
TEST(SlotTableTest, HoldsWhatAMapHolds) {
  SlotTable<int> table;
  std::map<uint64_t, int> model;
  std::mt19937_64 random(1);
  for (int step = 0; step < 200'000; ++step) {
    // Up and down, so that it grows, empties and begins anew.
    const bool growing = step / 5'000 % 2 == 0;
    const uint64_t id = ((random() % 40) << 20) | (random() % 16 << 1) | 1;
    const auto found = model.find(id);
    if (random() % 4 < (growing ? 3u : 1u)) {
      std::unique_ptr<SlotTable<int>::Queue>* const queue = table.Take(id);
      ASSERT_EQ(queue == nullptr, found == model.end());
      if (!queue) {
        model[id] = 0;
      } else {
        if (!*queue) *queue = std::make_unique<SlotTable<int>::Queue>();
        (*queue)->push_back(++found->second);
      }
    } else {
      ASSERT_EQ(table.Erase(id), found != model.end());
      if (found != model.end()) model.erase(found);
    }
    ASSERT_EQ(table.empty(), model.empty());
    if (step % 100 != 0) continue;
    for (const auto& [held, waiting] : model) {
      std::unique_ptr<SlotTable<int>::Queue>* const queue = table.Find(held);
      ASSERT_NE(queue, nullptr);
      ASSERT_EQ(*queue ? (*queue)->size() : 0u, static_cast<size_t>(waiting));
    }
  }
  for (const auto& [held, waiting] : model) EXPECT_TRUE(table.Erase(held));
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.Find(1), nullptr);
}

}  // namespace
}  // namespace chainstore
