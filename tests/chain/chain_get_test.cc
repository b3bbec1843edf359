// Reads: order of the stores, misses and failures, healing, and what never waits.
#include "chain/chain_fixture.h"

namespace chainstore {
namespace {

TEST_F(ChainTest, TheFirstHitWinsAndFillsTheStoresThatMissed) {
  auto top = ScriptedStore::New("top", kMemory);
  auto middle = ScriptedStore::New("middle");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, middle, low});
  low->Plant("k", "v");
  Answer answer = GetFrom(*chain, "k");
  EXPECT_EQ(TextOf(answer), "v");
  EXPECT_EQ(answer.tier, 3u);
  EXPECT_EQ(top->Peek("k"), "v");
  EXPECT_EQ(middle->Peek("k"), "v");
  EXPECT_EQ(GetFrom(*chain, "k").tier, 1u);
  EXPECT_EQ(GetFrom(*chain, "k", 0, Wait::kLater).tier, 1u);
}

TEST_F(ChainTest, FillsInTheBackgroundByDefault) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low}, With({{"writes", "through"}}));
  low->Plant("k", "v");
  Event filling;
  ScriptedStore::Go held;
  top->SetScript([&](Op op, const std::string&, ScriptedStore::Go go) {
    if (op != Op::kPut) return go(Code::kOk);
    held = go;
    filling.Set();
  });
  EXPECT_EQ(GetText(*chain, "k"), "v") << "the get does not wait for the fill";
  filling.Wait();
  EXPECT_FALSE(top->Has("k"));
  held(Code::kOk);
  EXPECT_EQ(top->Peek("k"), "v");
}

TEST_F(ChainTest, FillsNothingWhenToldNotTo) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  low->Plant("k", "v");
  auto off = Make({top, low}, With({{"writes", "through"}, {"fill", "off"}}));
  EXPECT_EQ(GetText(*off, "k"), "v");
  EXPECT_FALSE(top->Has("k"));
  auto on = Make({top, low});
  EXPECT_EQ(GetText(*on, "k", Call::kNoFill), "v");
  EXPECT_FALSE(top->Has("k"));
  EXPECT_EQ(TextOf(GetFrom(*on, "k", 0, Wait::kHere, Read::Range(0, 1))), "v");
  EXPECT_FALSE(top->Has("k")) << "a part of a value is not the value";
}

TEST_F(ChainTest, SkipCacheReadsTheLowestStoreAndRefreshesTheOthers) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  top->Plant("k", "old");
  low->Plant("k", "changed beside the chain");
  EXPECT_EQ(GetText(*chain, "k"), "old");
  EXPECT_EQ(GetText(*chain, "k", Call::kSkipCache), "changed beside the chain");
  EXPECT_EQ(GetText(*chain, "k"), "changed beside the chain");
}

TEST_F(ChainTest, AStoreThatFailsIsPassedByAndReportedOnce) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Plant("k", "v");
  top->Fail(Op::kGet, Code::kIo);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(GetText(*chain, "k"), "v");
  EXPECT_EQ(GetText(*chain, "none"), "(CS_NOT_FOUND)") << "the lowest store has answered";
  top->Fail(Op::kGet, Code::kOk);
  EXPECT_EQ(GetText(*chain, "k"), "v");
  top->Fail(Op::kGet, Code::kIo);
  EXPECT_EQ(GetText(*chain, "k"), "v");
  const std::vector<std::string> reports = Reports(2);
  EXPECT_EQ(reports, std::vector<std::string>(2, "top: get: as scripted"));
}

TEST_F(ChainTest, AHitAtHandIsOneOfTheFirstStore) {
  auto top = ScriptedStore::New("top", kMemory);
  auto low = ScriptedStore::New("low", kMemory);
  auto chain = Make({top, low});
  low->Plant("k", "v");
  EXPECT_EQ(HitText(*chain, "k"), "(none)") << "a hit further down has more to do";
  EXPECT_EQ(GetText(*chain, "k"), "v");
  EXPECT_EQ(HitText(*chain, "k"), "v");
  auto disk = ScriptedStore::New("disk");
  disk->Plant("k", "v");
  EXPECT_EQ(HitText(*Make({disk}), "k"), "(none)");
  EXPECT_TRUE(CloseStore(*chain).ok());
  top->Plant("k", "v");
  EXPECT_EQ(HitText(*chain, "k"), "(none)") << "closed";
}

TEST_F(ChainTest, AHitAtHandIsNeverOneOfABarredStore) {
  auto top = ScriptedStore::New("top", kMemory);
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "old"), Code::kOk);
  EXPECT_EQ(HitText(*chain, "k"), "old");
  top->Fail(Op::kPut, Code::kNoSpace);
  top->Fail(Op::kDel, Code::kNoSpace);
  EXPECT_EQ(Put(*chain, "k", "new"), Code::kOk);
  EXPECT_EQ(HitText(*top, "k"), "old") << "it is still there";
  EXPECT_EQ(HitText(*chain, "k"), "(none)");
}

TEST_F(ChainTest, AHitAtHandIsAnAnswerOfItsStore) {
  auto top = ScriptedStore::New("top", kMemory);
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  EXPECT_EQ(Put(*chain, "k", "v"), Code::kOk);
  for (int i = 0; i < 2; ++i) {
    top->Fail(Op::kGet, Code::kIo);
    EXPECT_EQ(GetText(*chain, "k"), "v");
    top->Fail(Op::kGet, Code::kOk);
    EXPECT_EQ(HitText(*chain, "k"), "v") << "it works again: the next failure is news";
  }
  EXPECT_EQ(Reports(2).size(), 2u);
}

TEST_F(ChainTest, AFailureOfTheLowestStoreIsNeverAMiss) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Fail(Op::kGet, Code::kIo);
  Answer answer = GetFrom(*chain, "k");
  EXPECT_EQ(answer.status.ToString(), "CS_IO: low: get: as scripted");
  top->Plant("k", "v");
  EXPECT_EQ(GetText(*chain, "k"), "v") << "a broken store hides no healthy one";
}

TEST_F(ChainTest, ACorruptValueIsHealedFromBelow) {
  auto top = ScriptedStore::New("top", kMemory);
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  top->Plant("k", "rotten");
  low->Plant("k", "sound");
  top->Fail(Op::kGet, Code::kCorrupt);
  EXPECT_EQ(GetText(*chain, "k"), "sound");
  EXPECT_EQ(top->Peek("k"), "sound");
  EXPECT_EQ(Reports(1).size(), 1u);
}

TEST_F(ChainTest, WithoutWaitingItAnswersFromMemoryOrLeavesNoTrace) {
  auto top = ScriptedStore::New("top", kMemory);
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Plant("k", "v");
  EXPECT_EQ(TextOf(GetFrom(*chain, "k", 0, Wait::kNever)), "(CS_WOULD_BLOCK)");
  EXPECT_EQ(top->misses_noted(), 0u);
  EXPECT_EQ(low->Count(Op::kGet), 0u);
  top->Plant("k", "near");
  EXPECT_EQ(TextOf(GetFrom(*chain, "k", 0, Wait::kNever)), "near");
  top->Fail(Op::kGet, Code::kIo);
  EXPECT_EQ(TextOf(GetFrom(*chain, "k", 0, Wait::kNever)), "(CS_WOULD_BLOCK)")
      << "only a get that may wait can pass a broken store by";
}

TEST_F(ChainTest, WithoutWaitingAMissIsOneOnlyIfEveryStoreSaysSo) {
  auto top = ScriptedStore::New("top", kMemory);
  auto low = ScriptedStore::New("low", kMemory);
  auto chain = Make({top, low});
  EXPECT_EQ(TextOf(GetFrom(*chain, "k", 0, Wait::kNever)), "(CS_NOT_FOUND)");
  EXPECT_EQ(top->misses_noted(), 1u) << "the tentative miss counted after all";
  low->Plant("k", "v");
  Answer answer = GetFrom(*chain, "k", 0, Wait::kNever);
  EXPECT_EQ(TextOf(answer), "v");
  EXPECT_EQ(answer.tier, 2u);
  EXPECT_EQ(top->Peek("k"), "v") << "an answer is a get in every respect: it fills";
}

TEST_F(ChainTest, ADeadlineIsLookedAtBetweenTheStores) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  auto token = MakeRef<CancelToken>();
  top->SetScript([&](Op, const std::string&, ScriptedStore::Go go) {
    token->Fire();
    go(Code::kOk);
  });
  Call call = CallOf(Wait::kLater);
  call.cancel = token;
  Answer answer;
  Await<Answer>(Call(), &answer, [&](Done<Answer> done) {
    chain->Get(Key("k"), Read::Whole(), call, std::move(done));
  });
  EXPECT_EQ(answer.status.ToString(), "CS_CANCELLED: chain: get: the call was cancelled");
  EXPECT_EQ(low->Count(Op::kGet), 0u);
}

TEST_F(ChainTest, GetManyAsksEachStoreForWhatIsStillMissing) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  top->Plant("a", "1");
  low->Plant("b", "2");
  low->Plant("d", "");
  Entries entries;
  Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
    Store::Keys keys;
    for (const char* key : {"a", "b", "c", "d"}) keys.emplace_back(Key(key));
    chain->GetMany(std::move(keys), CallOf(Wait::kHere), std::move(done));
  });
  ASSERT_EQ(entries.entries.size(), 4u);
  EXPECT_TRUE(entries.status.ok()) << "a miss is an answer";
  EXPECT_EQ(entries.entries[0].value->bytes(), "1");
  EXPECT_EQ(entries.entries[1].value->bytes(), "2");
  EXPECT_EQ(entries.entries[2].status.code(), Code::kNotFound);
  EXPECT_EQ(entries.entries[3].value->bytes(), "");
  EXPECT_EQ(low->Count(Op::kGet), 3u);
  EXPECT_EQ(top->Peek("b"), "2");
  low->Fail(Op::kGet, Code::kIo);
  Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
    Store::Keys keys;
    for (const char* key : {"a", "x"}) keys.emplace_back(Key(key));
    chain->GetMany(std::move(keys), CallOf(Wait::kHere), std::move(done));
  });
  EXPECT_EQ(entries.status.code(), Code::kPartial);
  EXPECT_EQ(entries.entries[1].status.code(), Code::kIo);
}

}  // namespace
}  // namespace chainstore
