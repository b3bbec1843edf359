// A full map, a full disk, and groups in which something fails.
#include <sys/stat.h>

#include <thread>

#include "stores/lmdb/lmdb_error.h"
#include "stores/lmdb/lmdb_test_support.h"
#include "stores/lmdb/map_space.h"
#include "support/small_filesystem.h"
#include "support/sync_log.h"

namespace chainstore {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string KeyOf(int number) { return "key" + std::to_string(10000 + number); }

// Puts until one fails; how many were acknowledged.
int PutUntilFull(Store& store, size_t size, Status* ended, int from = 0) {
  for (int i = from; i < 100'000; ++i) {
    const Receipt receipt =
        PutInto(store, KeyOf(i), std::string(size, static_cast<char>('a' + i % 26)));
    if (receipt.status.ok()) continue;
    *ended = receipt.status;
    return i;
  }
  return 100'000;
}

class LmdbMapFullTest : public ::testing::TestWithParam<size_t> {};

// For entries of every kind of size: in a page, half a page, overflow pages, long runs of them.
TEST_P(LmdbMapFullTest, DeletesWorkWhereTheMapIsFullForPutsAndMakeRoomForThem) {
  const TemporaryDirectory root;
  const bool small = GetParam() <= 100;
  OpenedLmdb store(root / "db", nullptr,
                   {{"durability", "cache"}, {"map_size", small ? "1MiB" : "4MiB"}});
  int before = 0;
  for (int round = 0; round < (small ? 2 : 3); ++round) {
    Status full;
    const int count = PutUntilFull(*store, GetParam(), &full);
    ExpectFailed(full, Code::kNoSpace, "map_size");
    EXPECT_TRUE(full.retryable());
    ASSERT_GT(count, 1);
    EXPECT_GE(count, before * 8 / 10) << "room that was freed is used again";
    before = count;
    EXPECT_GT(count * (GetParam() + 40), size_t{small ? 1u << 20 : 4u << 20} * 3 / 10);
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(GetFrom(*store, KeyOf(i)).value->size(), GetParam());
    }
    ASSERT_EQ(Put(*store, "another", std::string(GetParam(), 'x')), Code::kNoSpace) << "still";
    for (int i = 0; i < count; ++i) ASSERT_EQ(Del(*store, KeyOf(i)), Code::kOk) << i;
    EXPECT_EQ(ScanText(*store, Range()), "");
  }
}
INSTANTIATE_TEST_SUITE_P(Sizes, LmdbMapFullTest,
                         ::testing::Values(100, 1500, 2100, 10'000, 100'000, 500'000));

TEST(LmdbFullTest, ABatchThatDoesNotFitLeavesNothingBehind) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}, {"map_size", "4MiB"}});
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("k")), nullptr, 0});
  for (int i = 0; i < 100; ++i) {
    batch->ops.push_back({OwnedKey(Key(KeyOf(i))), Value::Copy(std::string(100'000, 'b')), 0});
  }
  const Entries entries = WriteInto(*store, batch);
  ExpectFailed(entries.status, Code::kNoSpace, "map_size");
  for (const Entry& entry : entries.entries) EXPECT_EQ(entry.status.code(), Code::kNoSpace);
  EXPECT_EQ(ScanText(*store, Range()), "k=v");
}

TEST(LmdbFullTest, AValueLargerThanTheMapIsRefusedAndTheMapGoesOn) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}, {"map_size", "4MiB"}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Put(*store, "large", std::string(5 << 20, 'l')), Code::kNoSpace);
    EXPECT_EQ(Put(*store, KeyOf(i), "v"), Code::kOk);
  }
}

TEST(LmdbFullTest, KeepsAReserveInProportionToTheMap) {
  EXPECT_EQ(lmdb::MapSpace::ReserveBytes(uint64_t{1} << 40), uint64_t{64} << 20);
  EXPECT_EQ(lmdb::MapSpace::ReserveBytes(uint64_t{8} << 20), uint64_t{1} << 20);
}

// ---- Groups in which something fails ----

// A put over the name of a database fails within the transaction, and so fails the transaction.
TEST(LmdbGroupTest, AFailingWriteOfAGroupHarmsNoOther) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  {
    PlainLmdb plain(root / "db");
    plain.Put("named", "k", "v");
  }
  OpenedLmdb store(root / "db", nullptr, {{"format", "raw"}});
  constexpr int kWrites = 200;
  std::vector<Code> codes(kWrites, Code::kInternal);
  std::atomic<int> answered{0};
  const uint64_t commits = lmdb::CommitsOf(*store);
  for (int i = 0; i < kWrites; ++i) {
    const std::string key = i % 10 == 7 ? "named" : KeyOf(i);
    store->Put(Key(key), Payload(Bytes("v")), CallOf(Wait::kLater), [&, i](Receipt&& receipt) {
      codes[i] = receipt.status.code();
      ++answered;
    });
  }
  while (answered < kWrites) sched_yield();
  for (int i = 0; i < kWrites; ++i) {
    EXPECT_EQ(codes[i], i % 10 == 7 ? Code::kInvalid : Code::kOk) << i;
  }
  EXPECT_EQ(ScanPage(*store, Range()).entries.size(), size_t{kWrites * 9 / 10});
  EXPECT_LT(lmdb::CommitsOf(*store) - commits, uint64_t{kWrites / 2}) << "the others still share";
}

TEST(LmdbGroupTest, ABatchThatFailsHalfwayLeavesNothingBehind) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  {
    PlainLmdb plain(root / "db");
    plain.Put("named", "k", "v");
    plain.Put(nullptr, "old", "v");
  }
  OpenedLmdb store(root / "db", nullptr, {{"format", "raw"}});
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("a")), Value::Copy("1"), 0});
  batch->ops.push_back({OwnedKey(Key("old")), nullptr, 0});
  batch->ops.push_back({OwnedKey(Key("named")), Value::Copy("2"), 0});
  EXPECT_EQ(WriteInto(*store, batch).status.code(), Code::kInvalid);
  EXPECT_EQ(ScanText(*store, Range()), "old=v");
}

TEST(LmdbGroupTest, ConcurrentSyncWritersShareCommits) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  constexpr int kThreads = 16;
  constexpr int kWrites = 20;
  const uint64_t before = lmdb::CommitsOf(*store);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kWrites; ++i) {
        EXPECT_EQ(Put(*store, KeyOf(t * kWrites + i), "v"), Code::kOk);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(lmdb::CommitsOf(*store) - before, uint64_t{kThreads * kWrites / 2});
  Range range;
  range.page_size = 1000;
  EXPECT_EQ(ScanPage(*store, range).entries.size(), size_t{kThreads * kWrites});
}

// ---- Disk ----

TEST(LmdbDurabilityTest, SyncsBeforeItAcknowledgesUnlessItIsACache) {
  const TemporaryDirectory root;
  OpenedLmdb full(root / "full");
  OpenedLmdb cache(root / "cache", nullptr, {{"durability", "cache"}});
  SyncLog log;
  ASSERT_EQ(Put(*full, "k", "v"), Code::kOk);
  EXPECT_THAT(log.Take(), Contains(HasSubstr("/full/data.mdb")));
  ASSERT_EQ(Del(*full, "k"), Code::kOk);
  EXPECT_THAT(log.Take(), Contains(HasSubstr("/full/data.mdb")));
  ASSERT_EQ(Put(*cache, "k", "v"), Code::kOk);
  EXPECT_TRUE(log.Take().empty());
  EXPECT_TRUE(FlushStore(*cache).ok());
  EXPECT_THAT(log.Take(), Contains(HasSubstr("/cache/data.mdb")));
  cache.Close();
  EXPECT_THAT(log.Take(), Contains(HasSubstr("/cache/data.mdb"))) << "before it is marked clean";
}

TEST(LmdbFullTest, AFullDiskIsAClearAnswerAndPassesWithoutLoss) {
  SmallFilesystem disk("6m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system takes root";
  int first = 0;
  int second = 0;
  {
    OpenedLmdb store(disk / "db");
    Status full;
    first = PutUntilFull(*store, 3000, &full);
    ExpectFailed(full, Code::kNoSpace, "free disk space");
    ASSERT_GT(first, 100);
    for (int i = 0; i < first; ++i) ASSERT_EQ(GetFrom(*store, KeyOf(i)).value->size(), 3000u);
    EXPECT_EQ(Put(*store, "more", std::string(1 << 20, 'm')), Code::kNoSpace);
  }
  {
    OpenedLmdb store(disk / "db");
    for (int i = 0; i < first / 2; ++i) Del(*store, KeyOf(i));
    Status full;
    second = PutUntilFull(*store, 3000, &full, first);
    EXPECT_TRUE(full.Is(Code::kNoSpace)) << full.ToString();
    for (int i = first; i < second; ++i) ASSERT_EQ(GetFrom(*store, KeyOf(i)).value->size(), 3000u);
  }
}

TEST(LmdbFullTest, GoesOnWhenADiskThatWasFullHasRoomAgain) {
  SmallFilesystem disk("8m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system takes root";
  int count = 0;
  {
    OpenedLmdb store(disk / "db");
    ASSERT_EQ(Put(*store, KeyOf(0), "first"), Code::kOk);
    disk.Fill();
    Status full;
    count = PutUntilFull(*store, 3000, &full, 1);
    ExpectFailed(full, Code::kNoSpace, "");
    EXPECT_EQ(GetText(*store, KeyOf(0)), "first");
    disk.MakeRoom();
    for (int i = count; i < count + 100; ++i) {
      ASSERT_EQ(Put(*store, KeyOf(i), std::string(3000, 'v')), Code::kOk);
    }
    count += 100;
  }
  OpenedLmdb store(disk / "db");
  for (int i = 1; i < count; ++i) EXPECT_EQ(GetFrom(*store, KeyOf(i)).value->size(), 3000u);
}

TEST(LmdbFullTest, OpeningOnAFullDiskIsAnErrorAndNoSignal) {
  SmallFilesystem disk("2m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system takes root";
  disk.Fill();
  const auto refused = TryOpenLmdb(disk / "db");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kNoSpace) << refused.status().ToString();
  // With room for all but LMDB's own files.
  disk.MakeRoom();
  { OpenedLmdb store(disk / "db"); }
  ASSERT_EQ(unlink((disk / "db/lock.mdb").c_str()), 0);
  ASSERT_EQ(unlink((disk / "db/data.mdb").c_str()), 0);
  disk.Fill();
  const auto again = TryOpenLmdb(disk / "db");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.status().code(), Code::kNoSpace) << again.status().ToString();
  disk.MakeRoom();
  OpenedLmdb store(disk / "db");
  EXPECT_EQ(Put(*store, "k", "v"), Code::kOk);
}

TEST(LmdbOpenTest, AnswersDeniedOnAReadOnlyFileSystem) {
  SmallFilesystem disk("2m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system takes root";
  { OpenedLmdb store(disk / "db"); }
  ASSERT_TRUE(disk.MakeReadOnly());
  ExpectRefused(TryOpenLmdb(disk / "db"), Code::kDenied, "Read-only");
  ExpectRefused(TryOpenLmdb(disk / "new"), Code::kDenied, "Read-only");
}

// ---- What LMDB says, as a status ----

TEST(LmdbErrorTest, GivesEachCodeItsStatus) {
  const std::pair<int, Code> expected[] = {
      {MDB_CORRUPTED, Code::kCorrupt},
      {MDB_PAGE_NOTFOUND, Code::kCorrupt},
      {MDB_INVALID, Code::kCorrupt},
      {MDB_VERSION_MISMATCH, Code::kCorrupt},
      {MDB_MAP_FULL, Code::kNoSpace},
      {ENOSPC, Code::kNoSpace},
      {EACCES, Code::kDenied},
      {EROFS, Code::kDenied},
      {MDB_TXN_FULL, Code::kTooLarge},
      {MDB_READERS_FULL, Code::kBusy},
      {MDB_DBS_FULL, Code::kBusy},
      {MDB_PANIC, Code::kIo},
      {EIO, Code::kIo},
      {ENOMEM, Code::kNoMemory},
      {MDB_INCOMPATIBLE, Code::kUnsupported},
      {MDB_BAD_TXN, Code::kInternal},
      {MDB_NOTFOUND, Code::kNotFound},
      {0, Code::kOk},
  };
  for (const auto& [rc, code] : expected) {
    EXPECT_EQ(lmdb::CodeOf(rc), code) << rc;
    if (static_cast<int>(code) >= 0) continue;
    const Status status = lmdb::FailureOf(rc, "cannot write");
    EXPECT_THAT(status.ToString(), HasSubstr("cannot write: "));
  }
  EXPECT_FALSE(Status(lmdb::FailureOf(MDB_PANIC, "x")).retryable());
}

}  // namespace
}  // namespace chainstore
