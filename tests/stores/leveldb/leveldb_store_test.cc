#include "stores/leveldb/leveldb_store.h"

#include <fcntl.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "stores/leveldb/leveldb_fixture.h"

namespace chainstore {
namespace {

using LevelDbStoreTest = LevelDbFixture;

TEST_F(LevelDbStoreTest, KeepsWhatWasPutAcrossARestart) {
  auto store = Open();
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(Put(*store, "a", "1"), Code::kOk);
  EXPECT_EQ(Put(*store, "empty", ""), Code::kOk);
  EXPECT_EQ(Put(*store, std::string("\0\xff/%", 4), "odd"), Code::kOk);
  EXPECT_EQ(Put(*store, std::string(kMaxKeySize, 'k'), "long"), Code::kOk);
  EXPECT_EQ(Put(*store, "large", large), Code::kOk);
  EXPECT_EQ(Put(*store, "gone", "1"), Code::kOk);
  EXPECT_EQ(Del(*store, "gone"), Code::kOk);
  EXPECT_EQ(Del(*store, "never there"), Code::kOk);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(GetText(*store, "a"), "1");
    EXPECT_EQ(GetText(*store, "empty"), "") << "empty is not missing";
    EXPECT_EQ(GetText(*store, Bytes("\0\xff/%", 4)), "odd");
    EXPECT_EQ(GetText(*store, std::string(kMaxKeySize, 'k')), "long");
    EXPECT_EQ(GetText(*store, "large"), large);
    EXPECT_EQ(GetText(*store, "gone"), "(CS_NOT_FOUND)");
    Restart(&store);
  }
}

TEST_F(LevelDbStoreTest, AnswersAllThreeKindsOfWaiting) {
  auto store = Open();
  EXPECT_EQ(PutInto(*store, "a", "1", 0, Wait::kLater).status.code(), Code::kOk);
  EXPECT_EQ(TextOf(GetFrom(*store, "a", 0, Wait::kLater)), "1");
  EXPECT_EQ(TextOf(GetFrom(*store, "a", 0, Wait::kHere)), "1");
  EXPECT_EQ(TextOf(GetFrom(*store, "a", 0, Wait::kNever)), "(CS_WOULD_BLOCK)");
}

TEST_F(LevelDbStoreTest, AValueIsItsReadersOwnAndPinsNothing) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "old"), Code::kOk);
  const Answer answer = GetFrom(*store, "a", Call::kOwned);
  EXPECT_TRUE(answer.value->is_heap());
  EXPECT_TRUE(answer.value->IsPrivate());
  EXPECT_EQ(answer.tier, 1u);
  ASSERT_EQ(Put(*store, "a", "new"), Code::kOk);
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_EQ(answer.value->bytes(), "old");
}

TEST_F(LevelDbStoreTest, RangesAreCutAtTheEndAndTellTheWholeSize) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "0123456789"), Code::kOk);
  const auto range = [&](uint64_t offset, uint64_t length) {
    const Answer answer =
        GetFrom(*store, "a", 0, Wait::kHere, chainstore::Read::Range(offset, length));
    EXPECT_EQ(answer.meta.total_size, 10u);
    return TextOf(answer);
  };
  EXPECT_EQ(range(0, UINT64_MAX), "0123456789");
  EXPECT_EQ(range(2, 3), "234");
  EXPECT_EQ(range(8, 100), "89");
  EXPECT_EQ(range(10, 5), "");
  EXPECT_EQ(range(UINT64_MAX, UINT64_MAX), "");
  EXPECT_EQ(range(3, 0), "");
  EXPECT_EQ(TextOf(GetFrom(*store, "b", 0, Wait::kHere, chainstore::Read::Range(0, 1))),
            "(CS_NOT_FOUND)");
}

TEST_F(LevelDbStoreTest, AStatTellsWhatIsKnownWithoutTheValue) {
  auto store = Open();
  const Receipt receipt = PutInto(*store, "a", "12345", 0, Wait::kHere, kStartMs + 5000);
  const Answer answer = GetFrom(*store, "a", 0, Wait::kHere, chainstore::Read::Stat());
  ASSERT_TRUE(answer.status.ok());
  EXPECT_FALSE(answer.value);
  EXPECT_EQ(answer.meta.total_size, 5u);
  EXPECT_EQ(answer.meta.expires_at_ms, kStartMs + 5000);
  EXPECT_EQ(answer.meta.version, receipt.meta.version);
  EXPECT_EQ(receipt.meta.total_size, 5u);
}

TEST_F(LevelDbStoreTest, VersionsRiseWithEveryPutAlsoWhileTheClockStandsStill) {
  auto store = Open();
  const uint64_t first = PutInto(*store, "a", "1").meta.version;
  const uint64_t second = PutInto(*store, "a", "1").meta.version;
  EXPECT_EQ(first, static_cast<uint64_t>(kStartMs) * 1000);
  EXPECT_EQ(second, first + 1);
  clock_.AdvanceMs(1);
  EXPECT_EQ(PutInto(*store, "b", "1").meta.version, first + 1000);
}

TEST_F(LevelDbStoreTest, AnExpiredEntryIsAMissEverywhere) {
  auto store = Open();
  EXPECT_EQ(PutInto(*store, "a", "1", 0, Wait::kHere, kStartMs + 1000).status.code(), Code::kOk);
  EXPECT_EQ(Put(*store, "b", "2"), Code::kOk);
  clock_.AdvanceMs(999);
  EXPECT_EQ(GetText(*store, "a"), "1");
  EXPECT_EQ(ScanText(*store, Range()), "a=1 b=2");
  EXPECT_EQ(Put(*store, "a", "other", Call::kIfAbsent), Code::kExists);
  clock_.AdvanceMs(1);
  EXPECT_EQ(GetText(*store, "a"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetFrom(*store, "a", 0, Wait::kHere, chainstore::Read::Stat()).status.code(),
            Code::kNotFound);
  EXPECT_EQ(ScanText(*store, Range()), "b=2");
  Restart(&store);
  EXPECT_EQ(GetText(*store, "a"), "(CS_NOT_FOUND)") << "the expiry is stored";
  EXPECT_EQ(Put(*store, "a", "new", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(GetText(*store, "a"), "new");
  EXPECT_EQ(PutInto(*store, "c", "3", 0, Wait::kHere, INT64_MAX).status.code(), Code::kInvalid);
}

TEST_F(LevelDbStoreTest, IfAbsentLetsOneOfManyIn) {
  auto store = Open({{"durability", "cache"}});
  std::atomic<int> in{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const Wait wait = i % 2 == 0 ? Wait::kHere : Wait::kLater;
      const Code code =
          PutInto(*store, "k", std::to_string(i), Call::kIfAbsent, wait).status.code();
      if (code == Code::kOk)
        ++in;
      else
        EXPECT_EQ(code, Code::kExists);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(in.load(), 1);
}

Ref<Batch> MakeBatch(const std::vector<std::pair<std::string, const char*>>& ops) {
  auto batch = MakeRef<Batch>();
  for (const auto& [key, value] : ops) {
    batch->ops.push_back({OwnedKey(Key(key)), value ? Value::Copy(value) : nullptr, 0});
  }
  return batch;
}

TEST_F(LevelDbStoreTest, ABatchTakesEffectInItsOrder) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "old", "1"), Code::kOk);
  const Entries entries = WriteInto(
      *store, MakeBatch({{"a", "1"}, {"a", "2"}, {"b", "1"}, {"b", nullptr}, {"old", nullptr}}));
  EXPECT_TRUE(entries.status.ok());
  ASSERT_EQ(entries.entries.size(), 5u);
  EXPECT_EQ(entries.entries[1].meta.total_size, 1u);
  EXPECT_EQ(ScanText(*store, Range()), "a=2");
  EXPECT_NE(store->caps() & kCapAtomicBatch, 0u);
  EXPECT_TRUE(WriteInto(*store, MakeRef<Batch>()).status.ok()) << "an empty one is fine";
}

TEST_F(LevelDbStoreTest, OfABatchWithABadOpNothingIsWritten) {
  auto store = Open();
  auto batch = MakeBatch({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  batch->ops[1].expires_at_ms = INT64_MAX;
  const Entries entries = WriteInto(*store, batch);
  EXPECT_EQ(entries.status.code(), Code::kInvalid);
  for (const Entry& entry : entries.entries) EXPECT_EQ(entry.status.code(), Code::kInvalid);
  EXPECT_EQ(ScanText(*store, Range()), "");
}

TEST_F(LevelDbStoreTest, RefusesAValueThatIsTooLargeBeforeItReadsIt) {
  auto store = Open();
  // Never touched: only the size is real.
  const Bytes huge("x", kMaxLevelDbValueBytes + 1);
  const Receipt receipt = PutInto(*store, "a", huge);
  EXPECT_EQ(receipt.status.code(), Code::kTooLarge);
  EXPECT_EQ(store->limits().max_value_size, kMaxLevelDbValueBytes);
}

TEST_F(LevelDbStoreTest, CountsAnEntryInLogicalBytes) {
  auto store = Open();
  EXPECT_EQ(store->EntryCost(10, 1000), 10u + 1000 + 64);
  uint64_t used;
  EXPECT_FALSE(store->UsedBytes(&used));
}

// ---- Scans, against a map ----

std::string ScanOfMap(const std::map<std::string, std::string>& map, const Range& range) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : map) {
    const bool in =
        key.starts_with(range.prefix) && key >= range.start && (!range.has_end || key < range.end);
    if (in) parts.push_back(range.keys_only ? key : key + "=" + value);
  }
  if (range.reverse) std::reverse(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

TEST_F(LevelDbStoreTest, ScansLikeASortedMapInEveryDirectionRangeAndPageSize) {
  auto store = Open({{"durability", "cache"}, {"write_buffer_size", "64KiB"}});
  std::map<std::string, std::string> map;
  const std::vector<std::string> parts = {"", "a", "b", "\xff", std::string(1, '\0')};
  for (const auto& x : parts) {
    for (const auto& y : parts) {
      for (const auto& z : parts) map[x + y + z] = std::to_string(map.size());
    }
  }
  map.erase("");
  for (const auto& [key, value] : map) ASSERT_EQ(Put(*store, key, value), Code::kOk);
  std::mt19937 random(3);
  const auto any = [&] { return parts[random() % 5] + parts[random() % 5]; };
  for (int i = 0; i < 400; ++i) {
    Range range;
    range.prefix = random() % 2 ? any() : "";
    range.start = random() % 2 ? any() : "";
    range.has_end = random() % 2;
    if (range.has_end) range.end = any();
    range.reverse = random() % 2;
    range.keys_only = random() % 2;
    range.page_size = random() % 3 == 0 ? 0 : 1 + static_cast<uint32_t>(random() % 7);
    ASSERT_EQ(ScanText(*store, range), ScanOfMap(map, range))
        << "prefix '" << range.prefix << "' start '" << range.start << "' end '" << range.end
        << "' " << range.has_end << range.reverse << range.keys_only << range.page_size;
  }
}

TEST_F(LevelDbStoreTest, AKeysOnlyScanTellsSizesAndExpiry) {
  auto store = Open();
  PutInto(*store, "a", "12345", 0, Wait::kHere, kStartMs + 5000);
  Range range;
  range.keys_only = true;
  const Page page = ScanPage(*store, range);
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_FALSE(page.entries[0].value);
  EXPECT_EQ(page.entries[0].meta.total_size, 5u);
  EXPECT_EQ(page.entries[0].meta.expires_at_ms, kStartMs + 5000);
  EXPECT_NE(page.entries[0].meta.version, 0u);
  EXPECT_FALSE(page.more);
}

TEST_F(LevelDbStoreTest, APageEndsEarlyWhenItsValuesAreLarge) {
  auto store = Open({{"durability", "cache"}});
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Put(*store, std::to_string(i), std::string(3 << 20, 'x')), Code::kOk);
  }
  const Page page = ScanPage(*store, Range());
  EXPECT_EQ(page.entries.size(), 3u);
  EXPECT_TRUE(page.more);
}

TEST_F(LevelDbStoreTest, ALongScanOfExpiredEntriesHeedsItsDeadline) {
  auto store = Open({{"durability", "cache"}});
  auto batch = MakeRef<Batch>();
  for (int i = 0; i < 20000; ++i) {
    batch->ops.push_back({OwnedKey(Key(std::to_string(i))), Value::Copy("x"), kStartMs + 1});
  }
  ASSERT_TRUE(WriteInto(*store, batch).status.ok());
  clock_.AdvanceMs(10);
  EXPECT_TRUE(ScanPage(*store, Range()).status.Is(Code::kEnd));
  Call call;
  call.deadline_ns = Clock::System().SteadyNs() + 200'000;  // far less than the scan takes
  Page page;
  store->Scan(Range(), call, [&](Page&& answer) { page = std::move(answer); });
  EXPECT_EQ(page.status.code(), Code::kTimeout);
}

// ---- Plain values of other programs ----

void WriteAsAnotherProgram(const std::string& path) {
  leveldb::Options options;
  options.create_if_missing = true;
  leveldb::DB* db = nullptr;
  ASSERT_TRUE(leveldb::DB::Open(options, path, &db).ok());
  ASSERT_TRUE(db->Put(leveldb::WriteOptions(), "theirs", "plain").ok());
  delete db;
}

TEST_F(LevelDbStoreTest, RawReadsAndWritesTheValuesOfOtherPrograms) {
  WriteAsAnotherProgram(folder_ / "db");
  auto store = Open({{"format", "raw"}});
  EXPECT_EQ(GetText(*store, "theirs"), "plain");
  EXPECT_EQ(Put(*store, "ours", "too"), Code::kOk);
  EXPECT_EQ(Put(*store, "ours", "again", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(ScanText(*store, Range()), "ours=too theirs=plain");
  const Answer stat = GetFrom(*store, "ours", 0, Wait::kHere, chainstore::Read::Stat());
  EXPECT_EQ(stat.meta.total_size, 3u);
  EXPECT_EQ(stat.meta.version, 0u) << "nothing is known of it";
  const Receipt ttl = PutInto(*store, "ours", "x", 0, Wait::kHere, kStartMs + 1);
  EXPECT_EQ(ttl.status.code(), Code::kUnsupported);
  EXPECT_FALSE(store->limits().ttl);
  EXPECT_EQ(store->caps() & kCapTtl, 0u);
  EXPECT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  leveldb::DB* db = nullptr;
  ASSERT_TRUE(leveldb::DB::Open(leveldb::Options(), folder_ / "db", &db).ok());
  std::string value;
  EXPECT_TRUE(db->Get(leveldb::ReadOptions(), "ours", &value).ok());
  EXPECT_EQ(value, "too");
  delete db;
}

TEST_F(LevelDbStoreTest, ADatabaseOfTheOtherFormatIsRefusedUnharmed) {
  WriteAsAnotherProgram(folder_ / "db");
  const auto refused = TryOpen(folder_ / "db");
  EXPECT_EQ(refused.status().code(), Code::kInvalid);
  EXPECT_NE(refused.status().ToString().find("format=raw"), std::string::npos);
  auto store = Open({{"format", "raw"}});
  EXPECT_EQ(ScanText(*store, Range()), "theirs=plain");
}

// ---- Many threads ----

TEST_F(LevelDbStoreTest, EightThreadsMixEveryOperation) {
  auto store = Open({{"durability", "cache"}, {"write_buffer_size", "64KiB"}});
  constexpr int kThreads = 8;
  constexpr int kOperations = 300;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(static_cast<unsigned>(thread));
      for (int i = 0; i < kOperations; ++i) {
        const std::string key = "k" + std::to_string(random() % 40);
        const std::string value = key + ":" + std::string(random() % 2000, 'v');
        const Wait wait = random() % 2 ? Wait::kHere : Wait::kLater;
        switch (random() % 6) {
          case 0:
            EXPECT_EQ(PutInto(*store, key, value, 0, wait).status.code(), Code::kOk);
            break;
          case 1:
            EXPECT_EQ(Del(*store, key), Code::kOk);
            break;
          case 2: {
            const Answer answer = GetFrom(*store, key, 0, wait);
            EXPECT_TRUE(answer.status.Is(Code::kNotFound) ||
                        answer.value->bytes().starts_with(key + ":"));
            break;
          }
          case 3: {
            auto batch = MakeBatch({{key, value.c_str()}, {"batch", value.c_str()}});
            EXPECT_TRUE(WriteInto(*store, batch).status.ok());
            break;
          }
          case 4: {
            Range range;
            range.prefix = "k1";
            range.reverse = random() % 2;
            EXPECT_FALSE(ScanPage(*store, range).status.failed());
            break;
          }
          default:
            EXPECT_TRUE(FlushStore(*store).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Restart(&store, {{"durability", "cache"}});
  for (const std::string& key : {std::string("k1"), std::string("k2")}) {
    const Answer answer = GetFrom(*store, key);
    EXPECT_TRUE(answer.status.Is(Code::kNotFound) || answer.value->bytes().starts_with(key + ":"));
  }
}

TEST_F(LevelDbStoreTest, CallsAfterCloseAnswerClosed) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_TRUE(CloseStore(*store).ok()) << "twice is fine";
  EXPECT_EQ(GetText(*store, "a"), "(CS_CLOSED)");
  EXPECT_EQ(Put(*store, "a", "1"), Code::kClosed);
  EXPECT_EQ(ScanPage(*store, Range()).status.code(), Code::kClosed);
  EXPECT_EQ(FlushStore(*store).code(), Code::kClosed);
  EXPECT_EQ(store->name(), "leveldb:" + (folder_ / "db"));
}

TEST_F(LevelDbStoreTest, AStoreThatIsLetGoWithoutACloseCanBeOpenedAgainAtOnce) {
  for (int i = 0; i < 5; ++i) {
    auto store = Open();
    ASSERT_TRUE(store);
    EXPECT_EQ(Put(*store, std::to_string(i), "1"), Code::kOk);
  }
  auto store = Open();
  EXPECT_EQ(ScanText(*store, Range()), "0=1 1=1 2=1 3=1 4=1");
}

}  // namespace
}  // namespace chainstore
