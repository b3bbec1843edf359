#include "chain/chain.h"

#include "chain/chain_fixture.h"

namespace chainstore {
namespace {

TEST_F(ChainTest, RefusesNonsenseAndSaysWhatIsWrong) {
  const auto refused = [](std::vector<Ref<Store>> stores, const Options& options) {
    auto made = NewChain(std::move(stores), &options);
    return made.ok() ? std::string("made") : made.status().ToString();
  };
  auto a = ScriptedStore::New("a");
  auto b = ScriptedStore::New("b");
  const Options through = With({{"writes", "through"}});
  EXPECT_EQ(refused({}, through), "CS_INVALID: chain: a chain needs at least one store");
  EXPECT_EQ(refused({a, nullptr}, through), "CS_INVALID: chain: a store of the chain is NULL");
  EXPECT_EQ(refused({a, b, a}, through), "CS_INVALID: chain: a stands twice in the chain");
  std::vector<Ref<Store>> many;
  for (int i = 0; i < 33; ++i) many.push_back(ScriptedStore::New("s"));
  EXPECT_EQ(refused(many, through),
            "CS_INVALID: chain: a chain has at most 32 stores; a chain can be one of them");
  EXPECT_EQ(refused({a, b}, With({{"writes", "sometimes"}})),
            "CS_INVALID: chain: option 'writes': 'sometimes' is not one of behind|through");
  EXPECT_NE(
      refused({a, b}, With({{"writes", "through"}, {"fil", "off"}})).find("did you mean 'fill'"),
      std::string::npos);
  auto nested = Make({a, b});
  EXPECT_EQ(refused({nested, a}, through), "CS_INVALID: chain: a stands twice in the chain");
  EXPECT_TRUE(CloseStore(*nested).ok());
  EXPECT_EQ(refused({nested}, through), "CS_CLOSED: chain: chain is closed");
}

TEST_F(ChainTest, ABehindThatIsNotTheLastStoreIsRefusedWithTheWayOut) {
  auto behind = ScriptedStore::New("queue", kDisk | kCapBehind);
  auto low = ScriptedStore::New("low");
  auto made = NewChain({behind, low}, nullptr);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(
      made.status().error()->message(),
      "chain: queue has a write-behind and is not the last store; wrap the stores below it, as "
      "a chain of their own, in the write-behind");
}

TEST_F(ChainTest, CountsTiersOverNestedChains) {
  auto a = ScriptedStore::New("a");
  auto b = ScriptedStore::New("b");
  auto c = ScriptedStore::New("c");
  const Options off = With({{"writes", "through"}, {"fill", "off"}});
  auto inner = Make({b, c}, off);
  auto outer = Make({a, inner}, off);
  EXPECT_EQ(outer->tier_count(), 3u);
  c->Plant("k", "low");
  EXPECT_EQ(GetFrom(*outer, "k").tier, 3u);
  b->Plant("k", "middle");
  EXPECT_EQ(GetFrom(*outer, "k").tier, 2u);
  a->Plant("k", "top");
  EXPECT_EQ(GetFrom(*outer, "k").tier, 1u);
}

TEST_F(ChainTest, ChecksTheLimitsOfAllStoresBeforeItWritesAny) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  Limits narrow;
  narrow.max_key_size = 3;
  narrow.max_value_size = 4;
  narrow.ttl = false;
  top->SetLimits(narrow);
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "long", "v"), Code::kTooLarge);
  EXPECT_EQ(Put(*chain, "k", "large"), Code::kTooLarge);
  EXPECT_EQ(PutInto(*chain, "k", "v", 0, Wait::kHere, 1).status.ToString(),
            "CS_UNSUPPORTED: chain: put: top keeps no time to live");
  EXPECT_TRUE(low->Log().empty());
  EXPECT_TRUE(top->Log().empty());
}

TEST_F(ChainTest, ClosesWhatItWrapsUnlessAnotherOpenStoreWrapsItToo) {
  auto shared = ScriptedStore::New("shared");
  auto a = ScriptedStore::New("a");
  auto b = ScriptedStore::New("b");
  auto first = Make({a, shared});
  auto second = Make({b, shared});
  EXPECT_TRUE(CloseStore(*first).ok());
  EXPECT_TRUE(a->closed());
  EXPECT_FALSE(shared->closed());
  EXPECT_EQ(Put(*second, "k", "v"), Code::kOk);
  EXPECT_EQ(Put(*first, "k", "v"), Code::kClosed);
  EXPECT_EQ(GetText(*first, "k"), "(CS_CLOSED)");
  EXPECT_TRUE(CloseStore(*second).ok());
  EXPECT_TRUE(shared->closed());
  EXPECT_TRUE(CloseStore(*second).ok()) << "a second close answers as the first";
}

}  // namespace
}  // namespace chainstore
