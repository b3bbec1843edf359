#include "managers/lru/lru_store.h"

#include "managers/lru/lru_testing.h"
#include "stores/memory/memory_store.h"
#include "support/event.h"

namespace chainstore {
namespace {

using Op = ScriptedStore::Op;

// Costs of the scripted store are the bytes of key and value: "k0" with 8 bytes costs 10.
const std::string k8(8, 'v');

Ref<LruStore> Tens(const Ref<ScriptedStore>& inner, uint64_t entries, OptionList list = {}) {
  auto lru = LruAround(inner, entries * 10, std::move(list));
  WaitLoaded(*lru);
  return lru;
}

std::string KeyAt(int i) { return "k" + std::to_string(i); }

// ---- Construction ----

TEST(LruTest, RefusesWhatItCannotBe) {
  const auto status = [](uint64_t max_bytes, const OptionList& list) {
    const Options options = OptionsOf(list);
    const auto lru = NewLru(ScriptedStore::New("inner"), max_bytes, &options);
    return lru.ok() ? Status() : lru.status();
  };
  EXPECT_EQ(status(0, {}).code(), Code::kInvalid);
  EXPECT_EQ(status(100, {{"policy", "fifo"}}).code(), Code::kInvalid);
  EXPECT_EQ(status(100, {{"shards", "3"}}).code(), Code::kInvalid);
  EXPECT_EQ(status(100, {{"shards", "512"}}).code(), Code::kInvalid);
  EXPECT_EQ(status(100, {{"cushion", "101%"}}).code(), Code::kInvalid);
  EXPECT_EQ(status(100, {{"oversize", "maybe"}}).code(), Code::kInvalid);
  EXPECT_NE(status(100, {{"cushon", "1"}}).ToString().find("cushion"), std::string::npos);
  EXPECT_TRUE(status(UINT64_MAX, {{"policy", "lru"}, {"shards", "256"}}).ok());
}

TEST(LruTest, IsWhatItsInnerStoreIsButNeverDurable) {
  auto inner = ScriptedStore::New("inner", kCapScan | kCapOrdered | kCapDurable);
  Limits limits;
  limits.max_value_size = 1000;
  limits.ttl = false;
  inner->SetLimits(limits);
  auto lru = Tens(inner, 5);
  EXPECT_EQ(lru->caps(), kCapScan | kCapOrdered);
  EXPECT_EQ(lru->inner(0), inner.get());
  EXPECT_EQ(lru->inner(1), nullptr);
  EXPECT_EQ(lru->tier_count(), 1u);
  EXPECT_EQ(lru->limits().max_value_size, 1000u);
  EXPECT_FALSE(lru->limits().ttl);
  EXPECT_EQ(Tens(inner, 5, {{"oversize", "reject"}})->limits().max_value_size, 50u);
}

// ---- Who goes ----

TEST(LruTest, EvictsTheLeastRecentlyUsed) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 3);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  EXPECT_EQ(GetText(*lru, "k0"), k8);
  ASSERT_EQ(Put(*lru, "k3", k8), Code::kOk);
  EXPECT_FALSE(inner->Has("k1"));
  EXPECT_TRUE(inner->Has("k0"));
  ASSERT_EQ(Put(*lru, "k4", k8), Code::kOk);
  EXPECT_FALSE(inner->Has("k2"));
}

TEST(LruTest, AHitAtHandIsAUse) {
  auto inner = ScriptedStore::New("inner", kCapScan | kCapOrdered | kCapTry);
  auto lru = Tens(inner, 3);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  EXPECT_EQ(HitText(*lru, "k0"), k8);
  EXPECT_EQ(HitText(*lru, "k9"), "(none)");
  ASSERT_EQ(Put(*lru, "k3", k8), Code::kOk);
  EXPECT_FALSE(inner->Has("k1"));
  EXPECT_TRUE(inner->Has("k0"));
  ASSERT_EQ(Del(*lru, "k3"), Code::kOk);
  inner->Plant("k4", k8);
  EXPECT_EQ(HitText(*lru, "k4"), k8);
  WaitUntil([&] { return lru->ledger().bytes() == 30; });  // what appeared beside it is counted
  auto other = Tens(inner, 3);
  EXPECT_TRUE(CloseStore(*lru).ok());
  EXPECT_EQ(HitText(*other, "k4"), k8);
  EXPECT_EQ(HitText(*lru, "k4"), "(none)") << "closed, its inner store is not";
}

TEST(LruTest, ARangeIsAUseAStatAndAScanAreNot) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 3);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  EXPECT_EQ(TextOf(GetFrom(*lru, "k0", 0, Wait::kHere, Read::Range(1, 2))), "vv");
  EXPECT_TRUE(GetFrom(*lru, "k1", 0, Wait::kHere, Read::Stat()).status.ok());
  EXPECT_EQ(ScanText(*lru, {}), "k0=" + k8 + " k1=" + k8 + " k2=" + k8);
  ASSERT_EQ(Put(*lru, "k3", k8), Code::kOk);
  EXPECT_TRUE(inner->Has("k0"));
  EXPECT_FALSE(inner->Has("k1"));
}

TEST(LruTest, GetManyAndPutsAreUses) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 3);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  Entries entries;
  Store::Keys keys = {OwnedKey(Key("k0")), OwnedKey(Key("absent"))};
  Await<Entries>(Call(), &entries,
                 [&](Done<Entries> done) { lru->GetMany(keys, Call(), std::move(done)); });
  ASSERT_EQ(entries.entries.size(), 2u);
  EXPECT_EQ(entries.entries[1].status.code(), Code::kNotFound);
  ASSERT_EQ(Put(*lru, "k1", k8), Code::kOk);  // makes room for itself first: k2 goes
  EXPECT_TRUE(inner->Has("k0"));
  EXPECT_FALSE(inner->Has("k2"));
}

// ---- The ceiling ----

TEST(LruTest, OriginalFault10KeySizesCount) {
  auto inner = ScriptedStore::New("inner");
  auto lru = LruAround(inner, 1000);
  const std::string long_key(490, 'k');
  ASSERT_EQ(Put(*lru, long_key + "1", ""), Code::kOk);
  ASSERT_EQ(Put(*lru, long_key + "2", ""), Code::kOk);
  EXPECT_EQ(lru->ledger().bytes(), 982u);
  ASSERT_EQ(Put(*lru, long_key + "3", ""), Code::kOk);
  EXPECT_EQ(lru->ledger().bytes(), 982u);
  EXPECT_FALSE(inner->Has(long_key + "1"));
}

TEST(LruTest, MakesRoomBeforeItWrites) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 2);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  const std::vector<std::string> expected = {"put k0=" + k8, "put k1=" + k8, "del k0",
                                             "put k2=" + k8};
  EXPECT_EQ(inner->Log(), expected);
}

TEST(LruTest, FreesTheCushionInTheBackgroundWhenItWasFull) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 100, {{"cushion", "20%"}});
  for (int i = 10; i < 90; ++i) ASSERT_EQ(Put(*lru, "x" + std::to_string(i), "1234567"), Code::kOk);
  EXPECT_EQ(inner->Count(Op::kDel), 0u);
  for (int i = 10; i < 31; ++i) ASSERT_EQ(Put(*lru, "y" + std::to_string(i), "1234567"), Code::kOk);
  WaitUntil([&] { return lru->ledger().bytes() <= 810; });
  WaitIdle(*lru);
  EXPECT_GE(lru->ledger().bytes(), 700u);
}

TEST(LruTest, OriginalFault10AnOversizeValueEvictsNeitherTheOthersNorEverything) {
  for (const char* oversize : {"bypass", "reject"}) {
    auto inner = ScriptedStore::New("inner");
    auto lru = Tens(inner, 5, {{"oversize", oversize}});
    for (int i = 0; i < 5; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
    const Receipt receipt = PutInto(*lru, "k0", std::string(49, 'x'));
    EXPECT_EQ(receipt.status.code(), Code::kTooLarge);
    EXPECT_NE(receipt.status.ToString().find("capacity"), std::string::npos);
    EXPECT_FALSE(inner->Has("k0")) << "the older, smaller value must not be read any more";
    for (int i = 1; i < 5; ++i) EXPECT_TRUE(inner->Has(KeyAt(i)));
    EXPECT_EQ(lru->ledger().bytes(), 40u);
    EXPECT_EQ(Put(*lru, "k0", std::string(48, 'x')), Code::kOk) << "just as large as the capacity";
    EXPECT_EQ(lru->ledger().bytes(), 50u);
  }
}

TEST(LruTest, AnOversizeCopyIsPassedByOrRefused) {
  for (const uint32_t copy : {Call::kFill, Call::kUpper}) {
    auto inner = ScriptedStore::New("inner");
    auto bypass = Tens(inner, 5);
    ASSERT_EQ(Put(*bypass, "k0", k8), Code::kOk);
    EXPECT_EQ(Put(*bypass, "k0", std::string(49, 'x'), copy), Code::kOk);
    EXPECT_FALSE(inner->Has("k0"));
    EXPECT_EQ(bypass->ledger().bytes(), 0u);
    auto reject = Tens(inner, 5, {{"oversize", "reject"}});
    EXPECT_EQ(Put(*reject, "k0", std::string(49, 'x'), copy), Code::kTooLarge);
  }
}

TEST(LruTest, AnOversizeCopyWhoseOldValueCannotBeForgottenFails) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  inner->Fail(Op::kDel, Code::kIo);
  EXPECT_EQ(Put(*lru, "k0", std::string(49, 'x'), Call::kUpper), Code::kIo);
}

TEST(LruTest, AnEntryMayTakeTheWholeCapacityAndReplaceItself) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 1);
  EXPECT_EQ(Put(*lru, "k0", k8), Code::kOk);
  EXPECT_EQ(Put(*lru, "k0", "87654321"), Code::kOk);
  EXPECT_EQ(inner->Peek("k0"), "87654321");
  EXPECT_EQ(Put(*lru, "k1", k8), Code::kOk);
  EXPECT_FALSE(inner->Has("k0"));
}

// ---- Evictions that fail ----

TEST(LruTest, OriginalFault10PruningNeverLoopsForEver) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 20);
  Reported reported(*lru);
  for (int i = 10; i < 30; ++i) ASSERT_EQ(Put(*lru, "" + std::to_string(i), k8), Code::kOk);
  inner->Fail(Op::kDel, Code::kIo);
  const Receipt receipt = PutInto(*lru, "new", "1234567");
  EXPECT_EQ(receipt.status.code(), Code::kNoSpace);
  ASSERT_NE(receipt.status.error(), nullptr);
  ASSERT_EQ(receipt.status.error()->causes().size(), 1u);
  EXPECT_EQ(receipt.status.error()->causes()[0]->code(), Code::kIo);
  WaitIdle(*lru);
  EXPECT_LE(inner->Count(Op::kDel), 16u) << "eight by the put, eight in the background";
  EXPECT_EQ(Put(*lru, "newer", "12345"), Code::kNoSpace);
  WaitIdle(*lru);
  WaitUntil([&] { return reported.count() > 0; });
  inner->Fail(Op::kDel, Code::kOk);
  EXPECT_EQ(Put(*lru, "new", "1234567"), Code::kOk);
  inner->Fail(Op::kDel, Code::kIo);
  EXPECT_EQ(Put(*lru, "newer", "12345"), Code::kNoSpace);
  WaitUntil([&] { return reported.count() == 2; });
  EXPECT_NE(reported.first().find("evict"), std::string::npos);
  EXPECT_EQ(lru->ledger().bytes(), 200u) << "what could not be deleted still counts";
}

TEST(LruTest, OneEntryThatCannotBeDeletedDoesNotKeepTheOthersIn) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 3);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  inner->SetScript([](Op op, const std::string& key, const ScriptedStore::Go& go) {
    go(op == Op::kDel && key == "k0" ? Code::kIo : Code::kOk);
  });
  EXPECT_EQ(Put(*lru, "k3", k8), Code::kOk);
  EXPECT_TRUE(inner->Has("k0"));
  EXPECT_FALSE(inner->Has("k1"));
}

// ---- Writes that fail ----

TEST(LruTest, AFailedPutCountsUntilTheStoreSaysWhatBecameOfIt) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  inner->Fail(Op::kGet, Code::kIo);
  inner->Fail(Op::kPut, Code::kIo);
  EXPECT_EQ(Put(*lru, "k0", k8), Code::kIo);
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 10u) << "it may be there";
  inner->Fail(Op::kGet, Code::kOk);
  EXPECT_EQ(Put(*lru, "k1", k8), Code::kIo);
  WaitUntil([&] { return lru->ledger().bytes() == 10; });
  EXPECT_EQ(GetText(*lru, "k0"), "(CS_NOT_FOUND)");
  WaitUntil([&] { return lru->ledger().bytes() == 0; });
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().count(), 0u);
}

TEST(LruTest, AFailedOverwriteCountsAsTheLargerOfBoth) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  ASSERT_EQ(Put(*lru, "k0", std::string(18, 'x')), Code::kOk);
  inner->Fail(Op::kPut, Code::kIo);
  inner->Fail(Op::kGet, Code::kIo);
  EXPECT_EQ(Put(*lru, "k0", k8), Code::kIo);
  EXPECT_EQ(Put(*lru, "k0", std::string(28, 'x')), Code::kIo);
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 30u);
}

TEST(LruTest, APutThatCannotHaveHappenedLeavesTheLedgerAsItWas) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  inner->Fail(Op::kPut, Code::kInvalid);
  EXPECT_EQ(Put(*lru, "k0", k8), Code::kInvalid);
  EXPECT_EQ(lru->ledger().bytes(), 0u);
  EXPECT_EQ(lru->ledger().count(), 0u);
  EXPECT_EQ(inner->Count(Op::kGet), 0u);
}

TEST(LruTest, AnExistingEntryThatWasNotKnownIsCountedWhenIfAbsentMeetsIt) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  inner->Plant("k0", k8);
  inner->Fail(Op::kPut, Code::kExists);
  EXPECT_EQ(Put(*lru, "k0", k8, Call::kIfAbsent), Code::kExists);
  WaitUntil([&] { return lru->ledger().bytes() == 10; });
}

TEST(LruTest, AFailedDelStillCounts) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  inner->Fail(Op::kDel, Code::kIo);
  EXPECT_EQ(Del(*lru, "k0"), Code::kIo);
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 10u);
  inner->Fail(Op::kDel, Code::kOk);
  EXPECT_EQ(Del(*lru, "k0"), Code::kOk);
  EXPECT_EQ(Del(*lru, "k0"), Code::kOk) << "nothing to delete is fine";
  EXPECT_EQ(lru->ledger().count(), 0u);
}

// ---- What happens beside it ----

TEST(LruTest, AMissMakesItForgetWhatDisappearedBesideIt) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  inner->Evict("k0");
  EXPECT_EQ(GetFrom(*lru, "k0", Call::kSpeculative, Wait::kHere).status.code(), Code::kNotFound);
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 10u) << "a speculative miss leaves no trace";
  lru->NoteMiss(Key("k0"));
  WaitUntil([&] { return lru->ledger().bytes() == 0; });
  EXPECT_EQ(inner->misses_noted(), 1u);
}

TEST(LruTest, AnExpiredEntryIsDeletedWhenItIsMissed) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  ASSERT_EQ(PutInto(*lru, "k0", k8, 0, Wait::kHere, 1).status.code(), Code::kOk);
  EXPECT_EQ(GetText(*lru, "k0"), "(CS_NOT_FOUND)");
  WaitUntil([&] { return lru->ledger().bytes() == 0; });
  EXPECT_FALSE(inner->Has("k0")) << "it would go on taking its room";
}

TEST(LruTest, AHitOfWhatAppearedBesideItIsCounted) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 5);
  inner->Plant("k0", k8);
  EXPECT_EQ(GetText(*lru, "k0"), k8);
  WaitUntil([&] { return lru->ledger().bytes() == 10; });
}

// ---- Batches ----

Ref<Batch> BatchOf(const std::vector<std::pair<std::string, std::string>>& ops) {
  auto batch = MakeRef<Batch>();
  for (const auto& [key, value] : ops) {
    batch->ops.push_back({OwnedKey(Key(key)), value == "-" ? nullptr : Value::Copy(value), 0});
  }
  return batch;
}

TEST(LruTest, ABatchReservesForAllOfIt) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 4);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  const Entries entries = WriteInto(*lru, BatchOf({{"n0", k8}, {"k3", "-"}, {"n1", k8}}));
  EXPECT_TRUE(entries.status.ok()) << entries.status.ToString();
  EXPECT_EQ(inner->Log()[4], "del k0");
  EXPECT_EQ(inner->Log()[5], "del k1");
  EXPECT_EQ(lru->ledger().bytes(), 30u);
  EXPECT_FALSE(inner->Has("k3"));
}

TEST(LruTest, ABatchLargerThanTheCapacityIsRefusedWholeAndNothingHappens) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 2);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  const Entries entries = WriteInto(*lru, BatchOf({{"k0", k8}, {"k1", k8}, {"k2", k8}}));
  EXPECT_EQ(entries.status.code(), Code::kTooLarge);
  EXPECT_EQ(inner->Log().size(), 1u);
  EXPECT_EQ(WriteInto(*lru, BatchOf({{"k0", "-"}, {"k1", std::string(19, 'x')}})).status.code(),
            Code::kTooLarge);
  EXPECT_TRUE(inner->Has("k0"));
  // As a copy it is passed by: what it would replace is deleted.
  Entries passed;
  Await<Entries>(Call(), &passed, [&](Done<Entries> done) {
    lru->Write(BatchOf({{"k0", std::string(19, 'x')}, {"k1", k8}}),
               CallOf(Wait::kHere, Call::kUpper), std::move(done));
  });
  EXPECT_TRUE(passed.status.ok());
  EXPECT_FALSE(inner->Has("k0"));
  EXPECT_TRUE(inner->Has("k1"));
}

TEST(LruTest, ABatchMayReplaceAllThatIsThere) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 2);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  ASSERT_EQ(Put(*lru, "k1", k8), Code::kOk);
  EXPECT_TRUE(WriteInto(*lru, BatchOf({{"k0", "12345678"}, {"k1", "12345678"}})).status.ok());
  EXPECT_EQ(inner->Peek("k0"), "12345678");
  EXPECT_EQ(lru->ledger().bytes(), 20u);
}

TEST(LruTest, TheLastWordOfABatchOnAKeyCounts) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 9);
  EXPECT_TRUE(
      WriteInto(*lru, BatchOf({{"k0", k8}, {"k0", "-"}, {"k1", "-"}, {"k1", k8}, {"k1", ""}}))
          .status.ok());
  EXPECT_EQ(lru->ledger().bytes(), 2u);
  EXPECT_EQ(lru->ledger().count(), 1u);
}

TEST(LruTest, ABatchThatFailsInPartsIsCountedByParts) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 9);
  inner->SetScript([](Op op, const std::string& key, const ScriptedStore::Go& go) {
    go(op == Op::kPut && key == "k1"   ? Code::kIo
       : op == Op::kPut && key == "k2" ? Code::kInvalid
       : op == Op::kGet                ? Code::kIo
                                       : Code::kOk);
  });
  EXPECT_EQ(WriteInto(*lru, BatchOf({{"k0", k8}, {"k1", k8}, {"k2", k8}})).status.code(),
            Code::kPartial);
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 20u);
}

// ---- Kinds of waiting ----

TEST(LruTest, TryAnswersFromMemoryOrSaysWouldBlock) {
  auto blocking = ScriptedStore::New("inner");
  auto lru = Tens(blocking, 2);
  EXPECT_EQ(GetFrom(*lru, "k0", 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_EQ(PutInto(*lru, "k0", k8, 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_EQ(lru->ledger().count(), 0u);

  auto memory = ScriptedStore::New("inner", kCapScan | kCapTry);
  lru = Tens(memory, 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(PutInto(*lru, KeyAt(i), k8, 0, Wait::kNever).status.code(), Code::kOk);
  }
  EXPECT_EQ(TextOf(GetFrom(*lru, "k2", 0, Wait::kNever)), k8);
  EXPECT_EQ(GetFrom(*lru, "k0", 0, Wait::kNever).status.code(), Code::kNotFound);
  EXPECT_EQ(lru->ledger().bytes(), 20u);
}

// A put that is held up in the inner store, until told to go on.
struct HeldPut {
  explicit HeldPut(ScriptedStore& inner, std::string key) {
    inner.SetScript([this, key](Op op, const std::string& at, const ScriptedStore::Go& go) {
      if (op != Op::kPut || at != key) return go(Code::kOk);
      held = go;
      begun.Set();
    });
  }
  Event begun;
  ScriptedStore::Go held;
};

TEST(LruTest, APutWaitsForTheRoomThatAnotherLeaves) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 1);
  HeldPut slow(*inner, "k0");
  Receipt first, second;
  Event first_done, second_done;
  lru->Put(Key("k0"), Payload(k8), CallOf(Wait::kLater), [&](Receipt&& receipt) {
    first = std::move(receipt);
    first_done.Set();
  });
  slow.begun.Wait();
  lru->Put(Key("k1"), Payload(k8), CallOf(Wait::kLater), [&](Receipt&& receipt) {
    second = std::move(receipt);
    second_done.Set();
  });
  EXPECT_EQ(PutInto(*lru, "k2", k8, 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_FALSE(second_done.IsSet()) << "the capacity is reserved for the first";
  slow.held(Code::kOk);
  first_done.Wait();
  second_done.Wait();
  EXPECT_TRUE(first.status.ok());
  EXPECT_TRUE(second.status.ok());
  EXPECT_FALSE(inner->Has("k0"));
  EXPECT_TRUE(inner->Has("k1"));
}

TEST(LruTest, WaitingForRoomEndsWithTheDeadlineOrTheToken) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 1);
  HeldPut slow(*inner, "k0");
  Event first_done;
  lru->Put(Key("k0"), Payload(k8), CallOf(Wait::kLater), [&](Receipt&&) { first_done.Set(); });
  slow.begun.Wait();
  for (const Wait wait : {Wait::kHere, Wait::kLater}) {
    Call limited = CallOf(wait);
    limited.deadline_ns = Clock::System().DeadlineAfterMs(5);
    Receipt receipt;
    Await<Receipt>(Call(), &receipt, [&](Done<Receipt> done) {
      lru->Put(Key("k1"), Payload(k8), limited, std::move(done));
    });
    EXPECT_EQ(receipt.status.code(), Code::kTimeout);
    Call cancelled = CallOf(wait);
    cancelled.cancel = MakeRef<CancelToken>();
    std::thread fire([&] { cancelled.cancel->Fire(); });
    Await<Receipt>(Call(), &receipt, [&](Done<Receipt> done) {
      lru->Put(Key("k1"), Payload(k8), cancelled, std::move(done));
    });
    fire.join();
    EXPECT_EQ(receipt.status.code(), Code::kCancelled);
  }
  slow.held(Code::kOk);
  first_done.Wait();
  EXPECT_TRUE(inner->Has("k0"));
  EXPECT_EQ(Put(*lru, "k1", k8), Code::kOk);
}

TEST(LruTest, WritesOfOneKeyTakeEffectInTheOrderInWhichTheyWereStarted) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 10);
  HeldPut slow(*inner, "k0");
  std::atomic<int> done{0};
  lru->Put(Key("k0"), Payload("a"), CallOf(Wait::kLater), [&](Receipt&&) { ++done; });
  slow.begun.Wait();
  inner->SetScript(nullptr);
  for (const char* value : {"b", "c", "d"}) {
    lru->Put(Key("k0"), Payload(value), CallOf(Wait::kLater), [&](Receipt&&) { ++done; });
  }
  lru->Del(Key("k0"), CallOf(Wait::kLater), [&](Receipt&&) { ++done; });
  lru->Put(Key("k0"), Payload("e"), CallOf(Wait::kLater), [&](Receipt&&) { ++done; });
  slow.held(Code::kOk);
  WaitUntil([&] { return done.load() == 6; });
  const std::vector<std::string> expected = {"put k0=a", "put k0=b", "put k0=c",
                                             "put k0=d", "del k0",   "put k0=e"};
  EXPECT_EQ(inner->Log(), expected);
  EXPECT_EQ(lru->ledger().bytes(), 3u);
}

TEST(LruTest, AnEvictionAndAPutOfOneKeyNeverOverlap) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 1);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  ScriptedStore::Go held;
  Event deleting;
  inner->SetScript([&](Op op, const std::string&, const ScriptedStore::Go& go) {
    if (op != Op::kDel) return go(Code::kOk);
    held = go;
    deleting.Set();
  });
  std::atomic<int> done{0};
  lru->Put(Key("k1"), Payload(k8), CallOf(Wait::kLater), [&](Receipt&&) { ++done; });
  deleting.Wait();
  inner->SetScript(nullptr);
  lru->Put(Key("k0"), Payload("again"), CallOf(Wait::kLater), [&](Receipt&&) { ++done; });
  EXPECT_EQ(inner->Count(Op::kPut), 1u);
  held(Code::kOk);
  WaitUntil([&] { return done.load() == 2; });
  WaitIdle(*lru);
  EXPECT_EQ(inner->Has("k0"), lru->ledger().HoldsIdle(Key("k0")));
  EXPECT_EQ(inner->Has("k1"), lru->ledger().HoldsIdle(Key("k1")));
  EXPECT_TRUE(inner->Has("k0") != inner->Has("k1"));
}

// ---- While running ----

TEST(LruTest, ASmallerCapacityIsKeptToAtOnce) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 9);
  for (int i = 0; i < 9; ++i) ASSERT_EQ(Put(*lru, KeyAt(i), k8), Code::kOk);
  EXPECT_EQ(GetText(*lru, "k0"), k8);
  EXPECT_TRUE(lru->Set("max_bytes", "30").ok());
  EXPECT_EQ(lru->ledger().bytes(), 30u);
  EXPECT_TRUE(inner->Has("k0"));
  EXPECT_TRUE(inner->Has("k8"));
  EXPECT_FALSE(inner->Has("k6"));
  EXPECT_TRUE(lru->Set("max_bytes", "1KiB").ok());
  EXPECT_EQ(Put(*lru, "k9", k8), Code::kOk);
  EXPECT_EQ(inner->Count(Op::kDel), 6u);
  inner->Fail(Op::kDel, Code::kIo);
  EXPECT_EQ(lru->Set("max_bytes", "10").code(), Code::kNoSpace);
  EXPECT_EQ(lru->Set("max_bytes", "0").code(), Code::kInvalid);
  EXPECT_EQ(lru->Set("max_bytes", "-1").code(), Code::kInvalid);
  EXPECT_EQ(lru->Set("shards", "1").code(), Code::kInvalid);
  EXPECT_TRUE(lru->Set("cushion", "5%").ok());
  EXPECT_EQ(lru->Set("cushion", "200").code(), Code::kInvalid);
}

TEST(LruTest, AnswersClosedAfterCloseAndClosesItsInnerStore) {
  auto inner = ScriptedStore::New("inner");
  auto lru = Tens(inner, 9);
  ASSERT_EQ(Put(*lru, "k0", k8), Code::kOk);
  EXPECT_TRUE(FlushStore(*lru).ok());
  EXPECT_TRUE(CloseStore(*lru).ok());
  EXPECT_TRUE(inner->closed());
  EXPECT_EQ(GetFrom(*lru, "k0").status.code(), Code::kClosed);
  EXPECT_EQ(Put(*lru, "k0", k8), Code::kClosed);
  EXPECT_EQ(Del(*lru, "k0"), Code::kClosed);
  EXPECT_EQ(ScanPage(*lru, {}).status.code(), Code::kClosed);
  EXPECT_EQ(WriteInto(*lru, BatchOf({{"k0", k8}})).status.code(), Code::kClosed);
  EXPECT_EQ(FlushStore(*lru).code(), Code::kClosed);
  EXPECT_EQ(lru->Set("max_bytes", "100").code(), Code::kClosed);
}

TEST(LruTest, WorksAroundAnotherLru) {
  auto inner = ScriptedStore::New("inner");
  auto lower = Tens(inner, 4);
  auto upper = LruAround(lower, 20);
  for (int i = 0; i < 6; ++i) ASSERT_EQ(Put(*upper, KeyAt(i), k8), Code::kOk);
  EXPECT_EQ(lower->ledger().bytes(), 20u);
  EXPECT_EQ(upper->ledger().bytes(), 20u);
  EXPECT_EQ(GetText(*upper, "k5"), k8);
}

}  // namespace
}  // namespace chainstore
