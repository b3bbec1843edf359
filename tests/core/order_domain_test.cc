#include "core/order_domain.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(OrderDomainTest, AStoreHasOneBitForAllItsChains) {
  OrderDomain domain(RuntimeSlot::Default().Acquire());
  int a, b;
  const uint64_t first = domain.UseBit(&a);
  EXPECT_NE(first, 0u);
  EXPECT_EQ(domain.UseBit(&a), first);
  EXPECT_NE(domain.UseBit(&b), first);
}

TEST(OrderDomainTest, ABitThatIsGivenBackLeavesNoBarBehind) {
  OrderDomain domain(RuntimeSlot::Default().Acquire());
  int a, b;
  const uint64_t bit = domain.UseBit(&a);
  EXPECT_EQ(domain.UseBit(&a), bit);
  domain.fence.Bar(Key("k"), bit);
  domain.ReleaseBit(bit);
  EXPECT_EQ(domain.fence.Barred(Key("k")), bit) << "another chain still uses it";
  domain.ReleaseBit(bit);
  EXPECT_EQ(domain.fence.Barred(Key("k")), 0u);
  EXPECT_EQ(domain.UseBit(&b), bit) << "free for the next store";
}

TEST(OrderDomainTest, HasSixtyFourBitsAndThenSaysSo) {
  OrderDomain domain(RuntimeSlot::Default().Acquire());
  char stores[OrderDomain::kMaxStores + 1];
  uint64_t all = 0;
  for (size_t i = 0; i < OrderDomain::kMaxStores; ++i) all |= domain.UseBit(&stores[i]);
  EXPECT_EQ(all, UINT64_MAX) << "each its own";
  EXPECT_EQ(domain.UseBit(&stores[OrderDomain::kMaxStores]), 0u);
}

}  // namespace
}  // namespace chainstore
