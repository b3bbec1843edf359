#include "stores/memory/memory_store.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "memory_fixture.h"

namespace chainstore {
namespace {

class MemoryStoreTest : public MemoryFixture {};

TEST_F(MemoryStoreTest, GivesBackWhatWasPutAndForgetsWhatWasDeleted) {
  EXPECT_EQ(Text("k"), "[CS_NOT_FOUND]");
  EXPECT_TRUE(Put("k", "v1").status.ok());
  EXPECT_EQ(Text("k"), "v1");
  EXPECT_TRUE(Put("k", "longer v2").status.ok());
  EXPECT_EQ(Text("k"), "longer v2");
  EXPECT_TRUE(Del("k").status.ok());
  EXPECT_EQ(Text("k"), "[CS_NOT_FOUND]");
  EXPECT_TRUE(Del("k").status.ok()) << "deleting what is not there is no error";
}

TEST_F(MemoryStoreTest, TellsAnEmptyValueFromNone) {
  ASSERT_TRUE(Put("k", "").status.ok());
  const Answer answer = Get("k");
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.value->size(), 0u);
}

TEST_F(MemoryStoreTest, TakesEveryKeyOfOneTo1024BytesAndRefusesOthers) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  const std::string longest(1024, 'x');
  for (const std::string& key :
       {std::string("a"), std::string("\0", 1), std::string("../etc"), every_byte, longest}) {
    EXPECT_TRUE(Put(key, "of " + key).status.ok());
  }
  EXPECT_EQ(Text(every_byte), "of " + every_byte);
  EXPECT_EQ(Text(longest), "of " + longest);
  EXPECT_EQ(Put("", "v").status.code(), Code::kInvalid);
  EXPECT_EQ(Put(std::string(1025, 'x'), "v").status.code(), Code::kInvalid);
  EXPECT_EQ(Get(std::string(1025, 'x')).status.code(), Code::kNotFound);
}

TEST_F(MemoryStoreTest, CopiesBorrowedBytes) {
  std::string bytes = "before";
  ASSERT_TRUE(Put("k", Payload(bytes)).status.ok());
  bytes = "after.";
  EXPECT_EQ(Text("k"), "before");
}

TEST_F(MemoryStoreTest, HitsWithoutACopyOrAnAllocation) {
  ASSERT_TRUE(Put("k", std::string(1 << 20, 'v')).status.ok());
  const Answer first = Get("k");
  const struct mallinfo2 before = mallinfo2();
  const Answer second = Get("k");
  const struct mallinfo2 after = mallinfo2();
  EXPECT_EQ(first.value->data(), second.value->data());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_EQ(before.uordblks, after.uordblks);
#endif
}

TEST_F(MemoryStoreTest, HoldsTheCallersMemoryAndReleasesItWhenItGoes) {
  static const char kBytes[] = "wrapped";
  int released = 0;
  const auto release = [](void* context) { ++*static_cast<int*>(context); };
  ASSERT_TRUE(Put("k", Payload(Value::Wrap(Bytes(kBytes, 7), release, &released))).status.ok());
  EXPECT_EQ(Get("k").value->data(), kBytes);
  EXPECT_FALSE(Get("k").value->is_heap());
  Answer pinned = Get("k");
  ASSERT_TRUE(Put("k", "other").status.ok());
  EXPECT_EQ(released, 0) << "a reader still has it";
  EXPECT_EQ(pinned.value->bytes(), "wrapped");
  pinned.value = nullptr;
  EXPECT_EQ(released, 1);
}

TEST_F(MemoryStoreTest, GivesOwnedBytesToWhoeverAsksForThem) {
  int released = 0;
  const auto release = [](void* context) { ++*static_cast<int*>(context); };
  ASSERT_TRUE(Put("k", Payload(Value::Wrap("wrapped", release, &released))).status.ok());
  const Answer owned = Get("k", Read::Whole(), With(Call::kOwned));
  const Answer part = Get("k", Read::Range(1, 3), With(Call::kOwned));
  ASSERT_TRUE(Del("k").status.ok());
  EXPECT_EQ(released, 1);
  EXPECT_TRUE(owned.value->is_heap());
  EXPECT_EQ(owned.value->bytes(), "wrapped");
  EXPECT_EQ(part.value->bytes(), "rap");
}

TEST_F(MemoryStoreTest, SharesALargeHeapValueAndCopiesASmallOrASlicedOne) {
  const Ref<Value> large = Value::Copy(std::string(100'000, 'l'));
  const Ref<Value> small = Value::Copy("small");
  const Ref<Value> slice = Value::Slice(large, 0, 50'000);
  ASSERT_TRUE(Put("large", Payload(large)).status.ok());
  ASSERT_TRUE(Put("small", Payload(small)).status.ok());
  ASSERT_TRUE(Put("slice", Payload(slice)).status.ok());
  EXPECT_EQ(Get("large").value->data(), large->data());
  EXPECT_NE(Get("small").value->data(), small->data());
  EXPECT_NE(Get("slice").value->data(), slice->data()) << "it would keep the whole alive";
  EXPECT_FALSE(Get("large").value->IsPrivate()) << "others see the bytes";
}

TEST_F(MemoryStoreTest, KeepsPinnedValuesAliveThroughOverwriteDeleteAndClose) {
  ASSERT_TRUE(Put("a", "first").status.ok());
  ASSERT_TRUE(Put("b", "second").status.ok());
  ASSERT_TRUE(Put("c", "third").status.ok());
  const Answer a = Get("a"), b = Get("b"), c = Get("c");
  ASSERT_TRUE(Put("a", "other").status.ok());
  ASSERT_TRUE(Del("b").status.ok());
  ASSERT_TRUE(Close(*store_).ok());
  EXPECT_EQ(a.value->bytes(), "first");
  EXPECT_EQ(b.value->bytes(), "second");
  EXPECT_EQ(c.value->bytes(), "third");
  EXPECT_TRUE(b.value->IsPrivate());
}

TEST_F(MemoryStoreTest, CountsMorePinsOfOneEntryThanASlotCan) {
  ASSERT_TRUE(Put("k", "v").status.ok());
  std::vector<Ref<Value>> pins;
  for (int i = 0; i < 200'000; ++i) pins.push_back(Get("k").value);
  for (int i = 0; i < 100'000; ++i) pins.pop_back();
  EXPECT_EQ(Text("k"), "v");
  ASSERT_TRUE(Del("k").status.ok());
  EXPECT_EQ(pins.back()->bytes(), "v");
  while (pins.size() > 1) pins.pop_back();
  EXPECT_TRUE(pins.back()->IsPrivate()) << "the last reference is the only one";
}

TEST_F(MemoryStoreTest, AnswersStatAndRange) {
  ASSERT_TRUE(Put("k", "0123456789", kStartMs + 5000).status.ok());
  const Answer stat = Get("k", Read::Stat());
  EXPECT_TRUE(stat.status.ok());
  EXPECT_FALSE(stat.value);
  EXPECT_EQ(stat.meta.total_size, 10u);
  EXPECT_EQ(stat.meta.expires_at_ms, kStartMs + 5000);
  EXPECT_EQ(stat.tier, 1u);
  const auto part = [this](uint64_t offset, uint64_t length) {
    const Answer answer = Get("k", Read::Range(offset, length));
    EXPECT_TRUE(answer.status.ok());
    EXPECT_EQ(answer.meta.total_size, 10u);
    return std::string(answer.value->bytes());
  };
  EXPECT_EQ(part(2, 3), "234");
  EXPECT_EQ(part(8, 100), "89");
  EXPECT_EQ(part(0, UINT64_MAX), "0123456789");
  EXPECT_EQ(part(4, 0), "");
  EXPECT_EQ(part(10, 1), "");
  EXPECT_EQ(part(UINT64_MAX, UINT64_MAX), "");
  EXPECT_EQ(Get("no", Read::Stat()).status.code(), Code::kNotFound);
}

TEST_F(MemoryStoreTest, ChangesTheVersionWithEveryWrite) {
  ASSERT_TRUE(Put("k", "v").status.ok());
  const uint64_t first = Get("k").meta.version;
  EXPECT_NE(first, 0u);
  EXPECT_EQ(Get("k").meta.version, first);
  ASSERT_TRUE(Put("k", "v").status.ok());
  const uint64_t second = Get("k").meta.version;
  EXPECT_NE(second, first);
  ASSERT_TRUE(Del("k").status.ok());
  ASSERT_TRUE(Put("k", "v").status.ok());
  EXPECT_NE(Get("k").meta.version, first);
  EXPECT_NE(Get("k").meta.version, second);
}

TEST_F(MemoryStoreTest, PutsIfAbsentOnlyWhereNothingLives) {
  const Call if_absent = With(Call::kIfAbsent);
  EXPECT_EQ(Put("k", Payload("a"), if_absent).status.code(), Code::kOk);
  EXPECT_EQ(Put("k", Payload("b"), if_absent).status.code(), Code::kExists);
  EXPECT_EQ(Text("k"), "a");
  ASSERT_TRUE(Put("k", "short-lived", kStartMs + 10).status.ok());
  EXPECT_EQ(Put("k", Payload("c"), if_absent).status.code(), Code::kExists);
  clock_.AdvanceMs(10);
  EXPECT_EQ(Put("k", Payload("c"), if_absent).status.code(), Code::kOk);
  EXPECT_EQ(Text("k"), "c");
}

// ---- Many ----

TEST_F(MemoryStoreTest, KeepsEveryKeyWhileTheTableGrowsAndShrinksAgain) {
  Open(uint64_t{64} << 20, "1");
  constexpr int kKeys = 50'000;
  for (int i = 0; i < kKeys; ++i)
    ASSERT_TRUE(Put(std::to_string(i), std::to_string(i)).status.ok());
  for (int i = 0; i < kKeys; ++i) ASSERT_EQ(Text(std::to_string(i)), std::to_string(i));
  for (int i = 0; i < kKeys; i += 3) ASSERT_TRUE(Del(std::to_string(i)).status.ok());
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(Text(std::to_string(i)), i % 3 == 0 ? "[CS_NOT_FOUND]" : std::to_string(i));
  }
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(Del(std::to_string(i)).status.ok());
  EXPECT_EQ(Used(), 0u);
}

TEST_F(MemoryStoreTest, KeepsManyKeysOfOneBucketUntilTheTableIsLargeEnoughToSplitThem) {
  Open(uint64_t{64} << 20, "1");
  // Keys that share the part of the hash that chooses a bucket among up to 1024.
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 200; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (HashBytes(key) % 1024 == 7) keys.push_back(key);
  }
  for (const std::string& key : keys) ASSERT_TRUE(Put(key, key).status.ok());
  const auto check = [&](size_t gone_below) {
    for (size_t at = 0; at < keys.size(); ++at) {
      EXPECT_EQ(Text(keys[at]), at % 2 == 0 && at < gone_below ? "[CS_NOT_FOUND]" : keys[at]);
    }
  };
  check(0);
  for (size_t at = 0; at < 100; at += 2) ASSERT_TRUE(Del(keys[at]).status.ok());
  check(100);
  for (int i = 0; i < 30'000; ++i) ASSERT_TRUE(Put("filler" + std::to_string(i), "").status.ok());
  check(100);
  for (size_t at = 100; at < 200; at += 2) ASSERT_TRUE(Del(keys[at]).status.ok());
  check(200);
}

TEST_F(MemoryStoreTest, GetsManyInTheOrderAsked) {
  for (int i = 0; i < 1000; i += 2) ASSERT_TRUE(Put(std::to_string(i), "v").status.ok());
  Store::Keys keys;
  for (int i = 999; i >= 0; --i) keys.emplace_back(Key(std::to_string(i)));
  keys.emplace_back(Key("0"));
  Entries entries;
  store_->GetMany(std::move(keys), Call(), [&](Entries&& answer) { entries = std::move(answer); });
  EXPECT_TRUE(entries.status.ok()) << "a miss is no failure";
  ASSERT_EQ(entries.entries.size(), 1001u);
  for (int at = 0; at < 1000; ++at) {
    const Entry& entry = entries.entries[at];
    EXPECT_EQ(entry.key, std::to_string(999 - at));
    EXPECT_EQ(entry.status.code(), at % 2 == 1 ? Code::kOk : Code::kNotFound);
    EXPECT_EQ(entry.value ? entry.value->bytes() : "", at % 2 == 1 ? "v" : "");
  }
  EXPECT_EQ(entries.entries[1000].value->bytes(), "v") << "a key may be asked for twice";
}

TEST_F(MemoryStoreTest, WritesABatchInOrder) {
  auto batch = MakeRef<Batch>();
  const auto add = [&](Bytes key, const char* value, int64_t expires_at_ms = 0) {
    batch->ops.push_back({OwnedKey(Key(key)), value ? Value::Copy(value) : nullptr, expires_at_ms});
  };
  ASSERT_TRUE(Put("gone", "v").status.ok());
  add("a", "1");
  add("gone", nullptr);
  add("a", "2");
  add("b", "3", kStartMs + 7);
  Entries entries;
  store_->Write(batch, Call(), [&](Entries&& answer) { entries = std::move(answer); });
  EXPECT_TRUE(entries.status.ok());
  ASSERT_EQ(entries.entries.size(), 4u);
  EXPECT_EQ(entries.entries[2].meta.total_size, 1u);
  EXPECT_EQ(Text("a"), "2");
  EXPECT_EQ(Text("gone"), "[CS_NOT_FOUND]");
  EXPECT_EQ(Get("b").meta.expires_at_ms, kStartMs + 7);
}

TEST_F(MemoryStoreTest, SaysWhichPartOfABatchDidNotFit) {
  Open(2000);
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("small")), Value::Copy("v"), 0});
  batch->ops.push_back({OwnedKey(Key("large")), Value::Copy(std::string(5000, 'v')), 0});
  Entries entries;
  store_->Write(batch, Call(), [&](Entries&& answer) { entries = std::move(answer); });
  EXPECT_EQ(entries.status.code(), Code::kPartial);
  EXPECT_TRUE(entries.entries[0].status.ok());
  EXPECT_EQ(entries.entries[1].status.code(), Code::kNoSpace);
  EXPECT_EQ(Text("small"), "v");
}

// ---- Budget ----

TEST_F(MemoryStoreTest, CountsWhatEntryCostSaysAndGivesItBack) {
  uint64_t expected = 0;
  for (size_t size : {0, 1, 100, 4095, 4096, 100'000}) {
    const std::string key = "key" + std::to_string(size);
    ASSERT_TRUE(Put(key, std::string(size, 'v')).status.ok());
    expected += store_->EntryCost(key.size(), size);
    EXPECT_EQ(Used(), expected);
    EXPECT_GE(store_->EntryCost(key.size(), size), key.size() + size + sizeof(Value));
  }
  ASSERT_TRUE(Put("key0", std::string(100, 'v')).status.ok());
  EXPECT_EQ(Used(), expected - store_->EntryCost(4, 0) + store_->EntryCost(4, 100));
  ASSERT_TRUE(Put("key0", "", kStartMs + 1).status.ok());
  EXPECT_EQ(Used(), expected) << "an expiry costs no more than was said";
  for (size_t size : {0, 1, 100, 4095, 4096, 100'000}) {
    ASSERT_TRUE(Del("key" + std::to_string(size)).status.ok());
  }
  EXPECT_EQ(Used(), 0u);
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(MemoryStoreTest, CostsWhatItTakesOfTheProcess) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
  GTEST_SKIP() << "memory is the sanitizer's, or may be";
#endif
  for (const size_t size : {size_t{0}, size_t{100}, size_t{1000}, size_t{3000}, size_t{5000}}) {
    Open(uint64_t{1} << 30);
    malloc_trim(0);  // what earlier rounds gave back to malloc must not be taken from it unseen
    const uint64_t before = ResidentBytes();
    const std::string value(size, 'v');
    // 30 MB: whole huge pages are little of it.
    for (size_t i = 0; i < 30'000'000 / (size + 150); ++i) {
      const std::string key = "a key of 24 bytes " + std::to_string(100'000 + i);
      ASSERT_TRUE(Put(key, Payload(Value::Copy(value))).status.ok());
    }
    const double taken = static_cast<double>(ResidentBytes() - before);
    const double counted = static_cast<double>(Used());
    EXPECT_GT(counted, 0.9 * taken - 5e6) << size;
    EXPECT_LT(counted, 1.2 * taken + 5e6) << size;
  }
}

TEST_F(MemoryStoreTest, KeepsPinnedValuesOfALargeStoreAliveAfterItHasGone) {
  std::vector<Ref<Value>> pins;
  {
    Options options;
    Ref<Store> other = *NewMemoryStore(uint64_t{64} << 20, &options);
    std::swap(store_, other);
    for (int i = 0; i < 30'000; ++i) {
      ASSERT_TRUE(Put(std::to_string(i), std::string(100, 'v')).status.ok());
      if (i % 100 == 0) pins.push_back(Get(std::to_string(i)).value);
    }
    std::swap(store_, other);
    ASSERT_TRUE(Close(*other).ok());
  }
  for (const Ref<Value>& pin : pins) EXPECT_EQ(pin->bytes(), std::string(100, 'v'));
}

TEST_F(MemoryStoreTest, RefusesAPutAtTheCeilingAndLosesNothing) {
  const uint64_t cost = MemoryEntry::Cost(2, 100);
  Open(3 * cost);
  const std::string value(100, 'v');
  for (const char* key : {"k1", "k2", "k3"}) EXPECT_TRUE(Put(key, value).status.ok());
  EXPECT_EQ(Used(), 3 * cost);
  const Receipt refused = Put("k4", value);
  EXPECT_EQ(refused.status.code(), Code::kNoSpace);
  EXPECT_NE(refused.status.error()->message().find("max_bytes"), std::string::npos);
  EXPECT_EQ(Text("k4"), "[CS_NOT_FOUND]");
  EXPECT_TRUE(Put("k2", std::string(100, 'w')).status.ok()) << "only the difference counts";
  EXPECT_EQ(Put("k2", std::string(200, 'x')).status.code(), Code::kNoSpace);
  EXPECT_EQ(Text("k2"), std::string(100, 'w')) << "what was there is still there";
  EXPECT_TRUE(Put("k2", "").status.ok());
  EXPECT_TRUE(Del("k1").status.ok());
  EXPECT_TRUE(Put("k4", value).status.ok());
  EXPECT_LE(Used(), 3 * cost);
}

TEST_F(MemoryStoreTest, RefusesAValueLargerThanItAll) {
  Open(1000);
  EXPECT_EQ(Put("k", std::string(1001, 'v')).status.code(), Code::kNoSpace);
  EXPECT_EQ(Used(), 0u);
}

TEST_F(MemoryStoreTest, ChangesItsCeilingWhileItRuns) {
  const uint64_t cost = MemoryEntry::Cost(2, 100);
  const std::string value(100, 'v');
  for (const char* key : {"k1", "k2", "k3"}) ASSERT_TRUE(Put(key, value).status.ok());
  ASSERT_TRUE(store_->Set("max_bytes", std::to_string(2 * cost)).ok());
  EXPECT_EQ(Text("k1"), value) << "it evicts nothing";
  EXPECT_EQ(Put("k4", value).status.code(), Code::kNoSpace);
  ASSERT_TRUE(Del("k1").status.ok());
  ASSERT_TRUE(Del("k2").status.ok());
  EXPECT_TRUE(Put("k4", value).status.ok());
  EXPECT_EQ(Put("k5", value).status.code(), Code::kNoSpace);
  ASSERT_TRUE(store_->Set("max_bytes", "1MiB").ok());
  EXPECT_TRUE(Put("k5", value).status.ok());
  EXPECT_EQ(store_->Set("max_bytes", "0").code(), Code::kInvalid);
  EXPECT_EQ(store_->Set("max_bytes", "much").code(), Code::kInvalid);
  EXPECT_EQ(store_->Set("shards", "4").code(), Code::kInvalid);
}

TEST_F(MemoryStoreTest, AHitIsWhatAGetAnswers) {
  ASSERT_TRUE(Put("k", "value", kStartMs + 100).status.ok());
  ASSERT_TRUE(Put("for ever", "v").status.ok());
  for (const char* key : {"k", "for ever"}) {
    const Answer answer = Get(key);
    Hit hit;
    ASSERT_TRUE(store_->GetHit(Key(key), &hit));
    EXPECT_EQ(hit.value, answer.value) << "the entry itself";
    EXPECT_EQ(hit.expires_at_ms, answer.meta.expires_at_ms);
    EXPECT_EQ(hit.version, answer.meta.version);
  }
  Hit none;
  EXPECT_FALSE(store_->GetHit(Key("missing"), &none));
  clock_.AdvanceMs(100);
  EXPECT_FALSE(store_->GetHit(Key("k"), &none)) << "it has expired";
  ASSERT_TRUE(Close(*store_).ok());
  EXPECT_FALSE(store_->GetHit(Key("for ever"), &none));
  EXPECT_FALSE(none.value);
}

// ---- Expiry ----

TEST_F(MemoryStoreTest, HidesAnExpiredEntryAndReclaimsItWhenTouched) {
  ASSERT_TRUE(Put("k", "v", kStartMs + 100).status.ok());
  clock_.AdvanceMs(99);
  EXPECT_EQ(Text("k"), "v");
  EXPECT_EQ(Get("k").meta.expires_at_ms, kStartMs + 100);
  clock_.AdvanceMs(1);
  EXPECT_EQ(Get("k", Read::Stat()).status.code(), Code::kNotFound);
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(Text("k"), "[CS_NOT_FOUND]");
}

TEST_F(MemoryStoreTest, NeverStaysFullOfExpiredEntries) {
  const uint64_t cost = MemoryEntry::Cost(8, 100);
  Open(1000 * cost);
  const std::string value(100, 'v');
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Put("key" + std::to_string(10'000 + i), value, kStartMs + 100 + i).status.ok());
  }
  EXPECT_EQ(Put("key99999", value).status.code(), Code::kNoSpace);
  for (int round = 0; round < 10; ++round) {
    clock_.AdvanceMs(200);
    const int expired = std::min(1000, (round + 1) * 200 - 99);
    EXPECT_TRUE(Put("new" + std::to_string(10'000 + round), value).status.ok()) << expired;
    EXPECT_LE(Used(), 1000 * cost);
  }
}

TEST_F(MemoryStoreTest, ReclaimsExpiredEntriesNowAndThenOnPuts) {
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(Put("dead" + std::to_string(i), "v", kStartMs + 100).status.ok());
  }
  const uint64_t full = Used();
  clock_.AdvanceMs(100);
  for (int i = 0; i < 20'000; ++i)
    ASSERT_TRUE(Put("live" + std::to_string(i % 10), "v").status.ok());
  EXPECT_LT(Used(), full / 2);
  ASSERT_TRUE(Close(*store_).ok());
  EXPECT_EQ(Used(), 0u) << "wherever the sweep was";
}

TEST_F(MemoryStoreTest, AnOverwriteTakesTheExpiryAway) {
  ASSERT_TRUE(Put("k", "v", kStartMs + 100).status.ok());
  ASSERT_TRUE(Put("k", "w").status.ok());
  clock_.AdvanceMs(1000);
  EXPECT_EQ(Text("k"), "w");
  EXPECT_EQ(Get("k").meta.expires_at_ms, 0);
}

// ---- Calls and life ----

TEST_F(MemoryStoreTest, EndsACallThatIsCancelledOrOutOfTime) {
  ASSERT_TRUE(Put("k", "v").status.ok());
  Call cancelled;
  cancelled.cancel = MakeRef<CancelToken>();
  cancelled.cancel->Fire();
  Call late;
  late.deadline_ns = 1;
  EXPECT_EQ(Get("k", Read::Whole(), cancelled).status.code(), Code::kCancelled);
  EXPECT_EQ(Get("k", Read::Whole(), late).status.code(), Code::kTimeout);
  EXPECT_EQ(Put("k", Payload("w"), cancelled).status.code(), Code::kCancelled);
  EXPECT_EQ(Put("k", Payload("w"), late).status.code(), Code::kTimeout);
  EXPECT_EQ(Scan(Range(), late).status.code(), Code::kTimeout);
  EXPECT_EQ(Text("k"), "v");
}

TEST_F(MemoryStoreTest, AnswersUnderEveryKindOfWait) {
  for (const Wait wait : {Wait::kNever, Wait::kLater, Wait::kHere}) {
    EXPECT_TRUE(Put("k", Payload("v"), Call().With(wait)).status.ok());
    EXPECT_TRUE(Get("k", Read::Whole(), Call().With(wait)).status.ok());
  }
}

TEST_F(MemoryStoreTest, AnswersClosedToEverythingOnceItIsClosed) {
  ASSERT_TRUE(Put("k", "v").status.ok());
  ASSERT_TRUE(Close(*store_).ok());
  EXPECT_EQ(Get("k").status.code(), Code::kClosed);
  EXPECT_NE(Get("k").status.error()->message().find("memory:"), std::string::npos);
  EXPECT_EQ(Put("k", "v").status.code(), Code::kClosed);
  EXPECT_EQ(Del("k").status.code(), Code::kClosed);
  EXPECT_EQ(Scan(Range()).status.code(), Code::kClosed);
  EXPECT_EQ(store_->Set("max_bytes", "1MiB").code(), Code::kClosed);
  Store::Keys keys(1, OwnedKey(Key("k")));
  store_->GetMany(std::move(keys), Call(),
                  [](Entries&& entries) { EXPECT_EQ(entries.status.code(), Code::kClosed); });
  store_->Write(MakeRef<Batch>(), Call(),
                [](Entries&& entries) { EXPECT_EQ(entries.status.code(), Code::kClosed); });
  store_->Flush("", Call(), [](Status&& status) { EXPECT_EQ(status.code(), Code::kClosed); });
  EXPECT_EQ(Used(), 0u);
  EXPECT_TRUE(Close(*store_).ok()) << "closing twice is closing once";
}

TEST_F(MemoryStoreTest, ReleasesEveryValueWhenItCloses) {
  int released = 0;
  const auto release = [](void* context) { ++*static_cast<int*>(context); };
  for (int i = 0; i < 1000; ++i) {
    const Payload payload(Value::Wrap("wrapped", release, &released));
    ASSERT_TRUE(Put(std::to_string(i), payload).status.ok());
  }
  ASSERT_TRUE(Close(*store_).ok());
  EXPECT_EQ(released, 1000);
}

TEST(MemoryStoreOpenTest, RefusesWhatMakesNoSense) {
  const auto open = [](uint64_t max_bytes, const char* name, const char* value) {
    Options options;
    if (name) options.values[name] = value;
    return NewMemoryStore(max_bytes, &options).status();
  };
  EXPECT_EQ(open(0, nullptr, nullptr).code(), Code::kInvalid);
  EXPECT_EQ(open(1, "shards", "0").code(), Code::kInvalid);
  EXPECT_EQ(open(1, "shards", "3").code(), Code::kInvalid);
  EXPECT_EQ(open(1, "shards", "2048").code(), Code::kInvalid);
  EXPECT_EQ(open(1, "shards", "many").code(), Code::kInvalid);
  const Status unknown = open(1, "shard", "1");
  EXPECT_EQ(unknown.code(), Code::kInvalid);
  EXPECT_NE(unknown.error()->message().find("shards"), std::string::npos);
  EXPECT_TRUE(NewMemoryStore(UINT64_MAX, nullptr).ok());
}

}  // namespace
}  // namespace chainstore
