// Writes: lowest first, what a failure below or above means, bars and repairs, conditions.
#include <mutex>

#include "chain/chain_fixture.h"

namespace chainstore {
namespace {

using Strings = std::vector<std::string>;

TEST_F(ChainTest, WritesTheLowestStoreFirst) {
  auto top = ScriptedStore::New("top", kMemory);
  auto middle = ScriptedStore::New("middle");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, middle, low});
  Strings order;
  for (const auto& [store, name] : {std::pair{top, "top"}, {middle, "middle"}, {low, "low"}}) {
    store->SetScript([&order, name = name](Op, const std::string&, ScriptedStore::Go go) {
      order.push_back(name);
      go(Code::kOk);
    });
  }
  EXPECT_EQ(Put(*chain, "k", "v"), Code::kOk);
  EXPECT_EQ(Del(*chain, "k"), Code::kOk);
  EXPECT_EQ(order, (Strings{"low", "middle", "top", "low", "middle", "top"}));
}

TEST_F(ChainTest, AnEmptyValueIsNotMissing) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", ""), Code::kOk);
  EXPECT_EQ(GetText(*chain, "k"), "");
  top->Evict("k");
  EXPECT_EQ(GetText(*chain, "k"), "");
}

TEST_F(ChainTest, DelReachesEveryStoreAlsoWhereTheKeyIsAbsent) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Plant("k", "v");
  EXPECT_EQ(Del(*chain, "k"), Code::kOk);
  EXPECT_FALSE(low->Has("k"));
  EXPECT_EQ(GetText(*chain, "k"), "(CS_NOT_FOUND)");
}

TEST_F(ChainTest, ADefiniteFailureBelowTouchesNothingAbove) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "old"), Code::kOk);
  low->Fail(Op::kPut, Code::kDenied);
  EXPECT_EQ(PutInto(*chain, "k", "new").status.ToString(), "CS_DENIED: low: put: as scripted");
  EXPECT_EQ(top->Peek("k"), "old");
  EXPECT_EQ(GetFrom(*chain, "k").tier, 1u) << "the store above is not passed by";
}

TEST_F(ChainTest, AfterAnAmbiguousFailureBelowTheStoresAboveForgetTheKey) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "old"), Code::kOk);
  low->Fail(Op::kPut, Code::kTimeout);
  EXPECT_EQ(Put(*chain, "k", "new"), Code::kTimeout);
  EXPECT_FALSE(top->Has("k"));
  low->Plant("k", "new");  // it had happened after all
  EXPECT_EQ(GetText(*chain, "k"), "new");
}

TEST_F(ChainTest, AStoreAboveThatFailsForgetsTheKeyAndDoesNotFailTheWrite) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "old"), Code::kOk);
  top->Fail(Op::kPut, Code::kNoSpace);
  EXPECT_EQ(Put(*chain, "k", "new"), Code::kOk);
  EXPECT_FALSE(top->Has("k"));
  EXPECT_EQ(GetText(*chain, "k", Call::kNoFill), "new");
  EXPECT_EQ(Reports(1), Strings{"top: put: as scripted"});
}

TEST_F(ChainTest, AStoreThatCanNeitherWriteNorForgetIsPassedByUntilItIsRepaired) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "old"), Code::kOk);
  top->Fail(Op::kPut, Code::kNoSpace);
  top->Fail(Op::kDel, Code::kNoSpace);
  EXPECT_EQ(Put(*chain, "k", "new"), Code::kOk);
  EXPECT_EQ(top->Peek("k"), "old") << "it is still there";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(GetText(*chain, "k", Call::kNoFill), "new");
  Event repaired;
  top->SetScript([&](Op op, const std::string&, ScriptedStore::Go go) {
    go(Code::kOk);
    if (op == Op::kDel) repaired.Set();
  });
  repaired.Wait();  // in the background, without another write
  EXPECT_FALSE(top->Has("k"));
}

TEST_F(ChainTest, ALaterWriteThatSucceedsLiftsTheBar) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  top->Fail(Op::kPut, Code::kIo);
  top->Fail(Op::kDel, Code::kIo);
  EXPECT_EQ(Put(*chain, "k", "1"), Code::kOk);
  top->Fail(Op::kPut, Code::kOk);
  EXPECT_EQ(Put(*chain, "k", "2"), Code::kOk);
  EXPECT_EQ(GetFrom(*chain, "k").tier, 1u);
}

TEST_F(ChainTest, AStoreAboveThatDoesNotComeBackHoldsUpNoWriteAndGetsNoOtherCallOfTheKey) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "0"), Code::kOk);
  std::vector<ScriptedStore::Go> held;
  top->SetScript([&](Op op, const std::string&, ScriptedStore::Go go) {
    op == Op::kPut ? held.push_back(go) : go(Code::kOk);
  });
  Call call = CallOf(Wait::kLater);
  call.deadline_ns = Clock::System().DeadlineAfterMs(20);
  Receipt receipt;
  Await<Receipt>(Call(), &receipt, [&](Done<Receipt> done) {
    chain->Put(Key("k"), Payload(Bytes("1")), call, std::move(done));
  });
  EXPECT_TRUE(receipt.status.ok()) << "the lowest store has it: " << receipt.status.ToString();
  EXPECT_EQ(GetText(*chain, "k", Call::kNoFill), "1") << "the hanging store is passed by";
  EXPECT_EQ(Put(*chain, "k", "2"), Code::kOk);
  EXPECT_EQ(GetText(*chain, "k"), "2") << "nor is it filled";
  EXPECT_EQ(held.size(), 1u) << "a store with a call of the key outstanding gets no other";
  Event repaired;
  auto late = held[0];
  top->SetScript([&](Op op, const std::string&, ScriptedStore::Go go) {
    go(Code::kOk);
    if (op == Op::kDel) repaired.Set();
  });
  late(Code::kOk);  // the old write lands, late
  EXPECT_EQ(top->Peek("k"), "1");
  EXPECT_EQ(GetText(*chain, "k", Call::kNoFill), "2");
  repaired.Wait();
  EXPECT_FALSE(top->Has("k"));
}

TEST_F(ChainTest, IfAbsentIsDecidedByAllStoresAndFailsIfOneCannotAnswer) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Plant("k", "there");
  EXPECT_EQ(Put(*chain, "k", "new", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(low->Peek("k"), "there");
  EXPECT_EQ(Put(*chain, "free", "new", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(GetText(*chain, "free"), "new");
  top->Fail(Op::kGet, Code::kIo);
  EXPECT_EQ(Put(*chain, "other", "new", Call::kIfAbsent), Code::kIo);
  EXPECT_FALSE(low->Has("other"));
}

TEST_F(ChainTest, ABatchIsWrittenEverywhereAndTellsOfEachOp) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Plant("b", "old");
  top->Plant("b", "old");
  low->SetScript([](Op, const std::string& key, ScriptedStore::Go go) {
    go(key == "c" ? Code::kDenied : Code::kOk);
  });
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("a")), Value::Copy("1"), 0});
  batch->ops.push_back({OwnedKey(Key("b")), nullptr, 0});
  batch->ops.push_back({OwnedKey(Key("c")), Value::Copy("3"), 0});
  batch->ops.push_back({OwnedKey(Key("a")), Value::Copy("4"), 0});
  const Entries entries = WriteInto(*chain, batch);
  EXPECT_EQ(entries.status.code(), Code::kPartial);
  ASSERT_EQ(entries.entries.size(), 4u);
  EXPECT_EQ(entries.entries[2].status.code(), Code::kDenied);
  EXPECT_TRUE(entries.entries[3].status.ok());
  for (const auto& store : {top, low}) {
    EXPECT_EQ(store->Peek("a"), "4");
    EXPECT_FALSE(store->Has("b"));
    EXPECT_FALSE(store->Has("c"));
  }
}

TEST_F(ChainTest, TwoChainsOverOneStoreAgreeOnTheOrderOfAKey) {
  auto shared = ScriptedStore::New("shared");
  auto low_a = ScriptedStore::New("low a");
  auto low_b = ScriptedStore::New("low b");
  auto a = Make({shared, low_a});
  auto b = Make({shared, low_b});
  Event entered;
  ScriptedStore::Go held;
  low_a->SetScript([&](Op, const std::string&, ScriptedStore::Go go) {
    held = go;
    entered.Set();
  });
  Event first_done, second_done;
  a->Put(Key("k"), Payload(Bytes("a")), CallOf(Wait::kLater), [&](Receipt&& receipt) {
    EXPECT_TRUE(receipt.status.ok());
    first_done.Set();
  });
  entered.Wait();
  b->Put(Key("k"), Payload(Bytes("b")), CallOf(Wait::kLater), [&](Receipt&& receipt) {
    EXPECT_TRUE(receipt.status.ok());
    second_done.Set();
  });
  EXPECT_FALSE(low_b->Has("k")) << "the other chain holds the key";
  held(Code::kOk);
  first_done.Wait();
  second_done.Wait();
  EXPECT_EQ(shared->Log(), (Strings{"put k=a", "put k=b"}));
}

}  // namespace
}  // namespace chainstore
