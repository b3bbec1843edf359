#include "stores/lmdb/lmdb_store.h"

#include <thread>

#include "stores/lmdb/lmdb_test_support.h"
#include "stores/record.h"
#include "support/event.h"

namespace chainstore {
namespace {

using ::testing::HasSubstr;

Ref<Batch> MakeBatch(std::initializer_list<std::pair<const char*, const char*>> ops) {
  auto batch = MakeRef<Batch>();
  for (const auto& [key, value] : ops) {
    batch->ops.push_back({OwnedKey(Key(key)), value ? Value::Copy(value) : nullptr, 0});
  }
  return batch;
}

TEST(LmdbStoreTest, GivesBackWhatWasPutAlsoAfterItWasClosed) {
  const TemporaryDirectory root;
  {
    OpenedLmdb store(root / "db");
    EXPECT_EQ(Put(*store, "a", "1"), Code::kOk);
    EXPECT_EQ(Put(*store, "b", "2"), Code::kOk);
    EXPECT_EQ(Put(*store, "a", "3"), Code::kOk);
    EXPECT_EQ(Del(*store, "b"), Code::kOk);
    EXPECT_EQ(Del(*store, "never"), Code::kOk);
    EXPECT_EQ(GetText(*store, "a"), "3");
    EXPECT_EQ(GetText(*store, "b"), "(CS_NOT_FOUND)");
  }
  OpenedLmdb store(root / "db");
  EXPECT_EQ(GetText(*store, "a"), "3");
  EXPECT_EQ(GetText(*store, "b"), "(CS_NOT_FOUND)");
}

TEST(LmdbStoreTest, TellsAnEmptyValueFromAMissingOne) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  EXPECT_EQ(Put(*store, "empty", ""), Code::kOk);
  const Answer answer = GetFrom(*store, "empty");
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.value->size(), 0u);
  EXPECT_EQ(answer.meta.total_size, 0u);
}

TEST(LmdbStoreTest, SaysWhatItCanDo) {
  const TemporaryDirectory root;
  OpenedLmdb full(root / "full");
  constexpr uint32_t kAlways = kCapOrdered | kCapAtomicBatch | kCapScan | kCapRange;
  EXPECT_EQ(full->caps(), kAlways | kCapTtl | kCapDurable);
  EXPECT_EQ(full->limits().max_key_size, 1024u);
  EXPECT_TRUE(full->limits().ttl);
  EXPECT_EQ(full->directory(), root / "full");
  EXPECT_EQ(full->name(), "lmdb:" + (root / "full"));
  OpenedLmdb cache(root / "cache", "b", {{"durability", "cache"}});
  EXPECT_EQ(cache->caps(), kAlways | kCapTtl);
  EXPECT_EQ(cache->name(), "lmdb:" + (root / "cache") + "?bucket=b");
  OpenedLmdb raw(root / "raw", nullptr, {{"format", "raw"}});
  EXPECT_EQ(raw->caps(), kAlways | kCapDurable);
  EXPECT_EQ(raw->limits().max_key_size, 511u);
  EXPECT_FALSE(raw->limits().ttl);
}

TEST(LmdbStoreTest, ReadsPartsOfAValue) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  const std::string value(100'000, 'x');
  ASSERT_EQ(Put(*store, "k", "0123456789"), Code::kOk);
  const auto range = [&store](uint64_t offset, uint64_t length) {
    const Answer answer = GetFrom(*store, "k", 0, Wait::kHere, Read::Range(offset, length));
    EXPECT_EQ(answer.meta.total_size, 10u);
    return TextOf(answer);
  };
  EXPECT_EQ(range(0, UINT64_MAX), "0123456789");
  EXPECT_EQ(range(3, 4), "3456");
  EXPECT_EQ(range(8, 100), "89");
  EXPECT_EQ(range(10, 1), "");
  EXPECT_EQ(range(UINT64_MAX, UINT64_MAX), "");
  EXPECT_EQ(range(2, 0), "");
  const Answer stat = GetFrom(*store, "k", 0, Wait::kHere, Read::Stat());
  EXPECT_TRUE(stat.status.ok());
  EXPECT_FALSE(stat.value);
  EXPECT_EQ(stat.meta.total_size, 10u);
  EXPECT_NE(stat.meta.version, 0u);
}

TEST(LmdbStoreTest, KeepsAValueAfterItsEntryIsGone) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  const std::string large(3 << 20, 'v');
  ASSERT_EQ(Put(*store, "k", large), Code::kOk);
  const Answer answer = GetFrom(*store, "k");
  ASSERT_TRUE(answer.status.ok());
  EXPECT_TRUE(answer.value->is_heap());
  ASSERT_EQ(Del(*store, "k"), Code::kOk);
  store.Close();
  EXPECT_EQ(answer.value->bytes(), large);
}

TEST(LmdbStoreTest, HidesAnExpiredEntryEverywhere) {
  const TemporaryDirectory root;
  ManualClock clock(1'000'000);
  Options options = LmdbOptions({});
  RuntimeSettings settings;
  settings.clock = &clock;
  options.runtime = MakeRef<RuntimeSlot>(settings);
  auto opened = NewLmdbStore(root / "db", nullptr, &options);
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  EXPECT_EQ(PutInto(store, "t", "1", 0, Wait::kHere, 1'000'500).meta.expires_at_ms, 1'000'500);
  ASSERT_EQ(Put(store, "u", "2"), Code::kOk);
  EXPECT_EQ(GetFrom(store, "t").meta.expires_at_ms, 1'000'500);
  EXPECT_EQ(Put(store, "t", "no", Call::kIfAbsent), Code::kExists);
  clock.AdvanceMs(499);
  EXPECT_EQ(GetText(store, "t"), "1");
  clock.AdvanceMs(1);
  EXPECT_EQ(GetText(store, "t"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetFrom(store, "t", 0, Wait::kHere, Read::Stat()).status.code(), Code::kNotFound);
  EXPECT_EQ(ScanText(store, Range()), "u=2");
  Entries many;
  Await<Entries>(Call(), &many, [&](Done<Entries> done) {
    store.GetMany({OwnedKey(Key("t")), OwnedKey(Key("u"))}, Call(), std::move(done));
  });
  EXPECT_EQ(many.entries[0].status.code(), Code::kNotFound);
  EXPECT_EQ(many.entries[1].value->bytes(), "2");
  EXPECT_EQ(Put(store, "t", "3", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(GetText(store, "t"), "3");
  EXPECT_EQ(GetFrom(store, "t").meta.expires_at_ms, 0);
  EXPECT_TRUE(CloseStore(store).ok());
}

TEST(LmdbStoreTest, RefusesATimeToLiveThatItCannotStore) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ExpectFailed(PutInto(*store, "k", "v", 0, Wait::kHere, kMaxExpiryMs + 1).status, Code::kInvalid,
               "too long");
  EXPECT_TRUE(PutInto(*store, "k", "v", 0, Wait::kHere, kMaxExpiryMs).status.ok());
  EXPECT_EQ(GetFrom(*store, "k").meta.expires_at_ms, kMaxExpiryMs);
}

TEST(LmdbStoreTest, PutsIfAbsentOnlyWhereNothingIs) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  EXPECT_EQ(Put(*store, "k", "1", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Put(*store, "k", "2", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(GetText(*store, "k"), "1");
}

// Of many that try at once, in whatever transactions, one wins.
TEST(LmdbStoreTest, LetsOneOfManyConcurrentIfAbsentPutsWin) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const std::string key = "k" + std::to_string(i);
        won += Put(*store, key, "v", Call::kIfAbsent) == Code::kOk;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 50);
}

TEST(LmdbStoreTest, GivesEveryWriteAHigherVersion) {
  const TemporaryDirectory root;
  ManualClock clock(1'000'000);
  Options options = LmdbOptions({});
  RuntimeSettings settings;
  settings.clock = &clock;
  options.runtime = MakeRef<RuntimeSlot>(settings);
  auto opened = NewLmdbStore(root / "db", nullptr, &options);
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  uint64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    const uint64_t version = PutInto(store, "k", "v").meta.version;
    EXPECT_EQ(version, i == 0 ? 1'000'000'000u : last + 1) << "a clock that stands still";
    EXPECT_EQ(GetFrom(store, "k").meta.version, version);
    last = version;
  }
  clock.AdvanceMs(5);
  EXPECT_EQ(PutInto(store, "k", "v").meta.version, 1'000'005'000u);
  clock.AdvanceMs(-1000);
  EXPECT_EQ(PutInto(store, "k", "v").meta.version, 1'000'005'001u) << "a clock that steps back";
  EXPECT_TRUE(CloseStore(store).ok());
}

TEST(LmdbStoreTest, GetsManyKeysInTheOrderAsked) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  ASSERT_EQ(Put(*store, "c", "3"), Code::kOk);
  Entries many;
  Await<Entries>(Call(), &many, [&](Done<Entries> done) {
    store->GetMany({OwnedKey(Key("c")), OwnedKey(Key("b")), OwnedKey(Key("a"))},
                   CallOf(Wait::kLater), std::move(done));
  });
  EXPECT_TRUE(many.status.ok());
  ASSERT_EQ(many.entries.size(), 3u);
  EXPECT_EQ(many.entries[0].key, "c");
  EXPECT_EQ(many.entries[0].value->bytes(), "3");
  EXPECT_EQ(many.entries[1].status.code(), Code::kNotFound);
  EXPECT_EQ(many.entries[2].value->bytes(), "1");
}

TEST(LmdbStoreTest, AppliesABatchInOrderAsOne) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ASSERT_EQ(Put(*store, "old", "x"), Code::kOk);
  const uint64_t commits = lmdb::CommitsOf(*store);
  const Entries entries = WriteInto(
      *store, MakeBatch({{"a", "1"}, {"a", "2"}, {"old", nullptr}, {"b", "3"}, {"b", nullptr}}));
  EXPECT_TRUE(entries.status.ok()) << entries.status.ToString();
  EXPECT_EQ(entries.entries.size(), 5u);
  EXPECT_EQ(entries.entries[1].meta.total_size, 1u);
  EXPECT_EQ(lmdb::CommitsOf(*store), commits + 1);
  EXPECT_EQ(ScanText(*store, Range()), "a=2");
}

TEST(LmdbStoreTest, AppliesNothingOfABatchThatHasABadEntry) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  auto batch = MakeBatch({{"a", "1"}, {"b", "2"}});
  batch->ops[1].expires_at_ms = kMaxExpiryMs + 1;
  const Entries entries = WriteInto(*store, batch);
  ExpectFailed(entries.status, Code::kInvalid, "time to live");
  for (const Entry& entry : entries.entries) EXPECT_EQ(entry.status.code(), Code::kInvalid);
  EXPECT_EQ(ScanText(*store, Range()), "");
}

TEST(LmdbStoreTest, ABatchWithIfAbsentPassesByWhatIsThere) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ASSERT_EQ(Put(*store, "a", "old"), Code::kOk);
  Entries entries;
  Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
    store->Write(MakeBatch({{"a", "1"}, {"b", "2"}, {"b", "3"}}),
                 CallOf(Wait::kHere, Call::kIfAbsent), std::move(done));
  });
  EXPECT_EQ(entries.entries[0].status.code(), Code::kExists);
  EXPECT_EQ(entries.entries[1].status.code(), Code::kOk);
  EXPECT_EQ(entries.entries[2].status.code(), Code::kExists);
  EXPECT_EQ(ScanText(*store, Range()), "a=old b=2");
}

TEST(LmdbStoreTest, TakesAnEmptyBatch) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  const Entries entries = WriteInto(*store, MakeBatch({}));
  EXPECT_TRUE(entries.status.ok());
  EXPECT_TRUE(entries.entries.empty());
}

TEST(LmdbStoreTest, AnswersWouldBlockWhereItMustNotWait) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  EXPECT_EQ(GetFrom(*store, "k", 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_EQ(PutInto(*store, "k", "w", 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_EQ(GetText(*store, "k"), "v");
}

TEST(LmdbStoreTest, RefusesKeysThatCannotBe) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ExpectFailed(PutInto(*store, "", "v").status, Code::kInvalid, "empty");
  ExpectFailed(PutInto(*store, std::string(1025, 'k'), "v").status, Code::kTooLarge, "1024");
  EXPECT_EQ(GetText(*store, ""), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetText(*store, std::string(1025, 'k')), "(CS_NOT_FOUND)");
  EXPECT_EQ(Del(*store, std::string(1025, 'k')), Code::kOk);
}

TEST(LmdbStoreTest, RefusesAValueAboveItsLimit) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  // Never read: only its size counts.
  const Bytes huge("v", store->limits().max_value_size + 1);
  ExpectFailed(PutInto(*store, "k", huge).status, Code::kTooLarge, "the most is");
  EXPECT_EQ(GetText(*store, "k"), "(CS_NOT_FOUND)");
}

TEST(LmdbStoreTest, AnswersClosedAfterItWasClosed) {
  const TemporaryDirectory root;
  const Ref<Store> store = OpenLmdb(root / "db");
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  ASSERT_TRUE(CloseStore(*store).ok());
  EXPECT_EQ(GetText(*store, "k"), "(CS_CLOSED)");
  EXPECT_EQ(Put(*store, "k", "w"), Code::kClosed);
  EXPECT_EQ(Del(*store, "k"), Code::kClosed);
  EXPECT_EQ(WriteInto(*store, MakeBatch({{"a", "1"}})).status.code(), Code::kClosed);
  EXPECT_EQ(ScanText(*store, Range()), "(CS_CLOSED)");
  EXPECT_EQ(FlushStore(*store).code(), Code::kClosed);
  uint64_t bytes;
  EXPECT_FALSE(store->UsedBytes(&bytes));
  EXPECT_TRUE(CloseStore(*store).ok()) << "the second time, too";
}

TEST(LmdbStoreTest, CloseWaitsForWritesThatWereStarted) {
  const TemporaryDirectory root;
  std::atomic<int> answered{0};
  {
    OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
    for (int i = 0; i < 1000; ++i) {
      store->Put(Key("k" + std::to_string(i)), Payload(Bytes("v")), CallOf(Wait::kLater),
                 [&](Receipt&& receipt) { answered += receipt.status.ok(); });
    }
    store.Close();
    EXPECT_EQ(answered, 1000);
  }
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  Range range;
  range.page_size = 2000;
  EXPECT_EQ(ScanPage(*store, range).entries.size(), 1000u);
}

TEST(LmdbStoreTest, ClosesItselfWhenItsLastUserGoes) {
  const TemporaryDirectory root;
  Ref<Store> store = OpenLmdb(root / "db");
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  store = nullptr;
  // Waits for the one that is on its way out.
  OpenedLmdb again(root / "db");
  EXPECT_EQ(GetText(*again, "k"), "v");
}

TEST(LmdbStoreTest, AnExpiredDeadlineOrAFiredTokenStopsACallBeforeItBegins) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  Call late;
  late.deadline_ns = 1;
  Call cancelled;
  cancelled.cancel = MakeRef<CancelToken>();
  cancelled.cancel->Fire();
  for (const Wait wait : {Wait::kHere, Wait::kLater}) {
    for (const auto& [call, code] :
         {std::pair(late, Code::kTimeout), std::pair(cancelled, Code::kCancelled)}) {
      Receipt receipt;
      Await<Receipt>(Call(), &receipt, [&, &call = call](Done<Receipt> done) {
        store->Put(Key("k"), Payload(Bytes("v")), call.With(wait), std::move(done));
      });
      EXPECT_EQ(receipt.status.code(), code);
      Answer answer;
      Await<Answer>(Call(), &answer, [&, &call = call](Done<Answer> done) {
        store->Get(Key("k"), Read::Whole(), call.With(wait), std::move(done));
      });
      EXPECT_EQ(answer.status.code(), code);
    }
  }
  EXPECT_EQ(GetText(*store, "k"), "(CS_NOT_FOUND)");
}

// ---- Space ----

TEST(LmdbStoreTest, CountsThePagesThatItTakes) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  uint64_t before = 0;
  ASSERT_TRUE(store->UsedBytes(&before));
  uint64_t estimated = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(Put(*store, "key" + std::to_string(i), std::string(2100, 'v')), Code::kOk);
    estimated += store->EntryCost(6, 2100);
  }
  uint64_t after = 0;
  ASSERT_TRUE(store->UsedBytes(&after));
  // 2,100 bytes do not fit half a page: they take one of their own.
  EXPECT_GE(after - before, 1000u * 4096);
  EXPECT_LE(after - before, estimated + 2 * 4096) << "a tree has a root";
  EXPECT_LE(estimated, (after - before) * 5 / 4);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Del(*store, "key" + std::to_string(i)), Code::kOk);
  uint64_t emptied = 0;
  ASSERT_TRUE(store->UsedBytes(&emptied));
  EXPECT_LE(emptied, before + 2 * 4096);
}

TEST(LmdbStoreTest, AnEntryCostsNoMoreThanEstimatedOfAnySizeInAnyOrder) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  for (const size_t size : {0, 10, 100, 1000, 1500, 1900, 2020, 4056, 4057, 10'000}) {
    for (const uint32_t step : {1u, 2654435761u, 0xffffffffu}) {  // up, scattered, down
      uint64_t estimated = 0;
      auto batch = MakeRef<Batch>();
      auto undo = MakeRef<Batch>();
      for (uint32_t i = 0; i < 1000; ++i) {
        const std::string key = std::to_string(4'000'000'000u + i * step);
        batch->ops.push_back({OwnedKey(Key(key)), Value::Copy(std::string(size, 'v')), 0});
        undo->ops.push_back({OwnedKey(Key(key)), nullptr, 0});
        estimated += store->EntryCost(key.size(), size);
      }
      ASSERT_TRUE(WriteInto(*store, batch).status.ok());
      uint64_t used = 0;
      ASSERT_TRUE(store->UsedBytes(&used));
      EXPECT_LE(used, estimated + 2 * 4096) << size << " by " << step;
      EXPECT_LE(estimated, 3 * used) << size << " by " << step;
      ASSERT_TRUE(WriteInto(*store, undo).status.ok());
    }
  }
}

TEST(LmdbStoreTest, FlushesAndTellsItsOptions) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  EXPECT_TRUE(FlushStore(*store).ok());
  ExpectRefused(TryOpenLmdb(root / "x", nullptr, {{"sync", "off"}}), Code::kInvalid, "durability");
  ExpectRefused(TryOpenLmdb(root / "x", nullptr, {{"durability", "no"}}), Code::kInvalid,
                "full|cache");
  ExpectRefused(TryOpenLmdb(root / "x", nullptr, {{"map_size", "1KiB"}}), Code::kInvalid,
                "map_size");
  ExpectRefused(TryOpenLmdb(root / "x", nullptr, {{"map_size", "99999999TiB"}}), Code::kInvalid,
                "too large");
  ExpectRefused(TryOpenLmdb(root / "x", ""), Code::kInvalid, "bucket");
  ExpectRefused(TryOpenLmdb(root / "x", std::string(512, 'b').c_str()), Code::kInvalid, "bucket");
  EXPECT_FALSE(Exists(root / "x"));
}

}  // namespace
}  // namespace chainstore
