// What goes wrong around a LevelDB store: bad input, damage, full disks, killed processes, and
// threads that all wait for the one that cannot run.
#include <dirent.h>
#include <fcntl.h>
#include <leveldb/db.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "core/error_sink.h"
#include "stores/leveldb/faulty_env.h"
#include "stores/leveldb/leveldb_fixture.h"
#include "support/child_process.h"
#include "support/event.h"
#include "support/small_filesystem.h"
#include "support/sync_log.h"

namespace chainstore {
namespace {

using LevelDbFailureTest = LevelDbFixture;

void ExpectFailure(const Result<Ref<Store>>& opened, Code code, const std::string& part) {
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), code) << opened.status().ToString();
  EXPECT_NE(opened.status().ToString().find("leveldb:"), std::string::npos) << "names the store";
  EXPECT_NE(opened.status().ToString().find(part), std::string::npos) << opened.status().ToString();
}

std::vector<std::string> FilesIn(const std::string& path, std::string_view ending) {
  std::vector<std::string> files;
  const FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY));
  (void)ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
    if (std::string_view(name).ends_with(ending)) files.push_back(path + "/" + name);
    return true;
  });
  return files;
}

// ---- Opening ----

TEST_F(LevelDbFailureTest, RefusesBadOptionsByName) {
  ExpectFailure(TryOpen(folder_ / "db", {{"sync", "true"}}), Code::kInvalid, "durability");
  ExpectFailure(TryOpen(folder_ / "db", {{"durability", "some"}}), Code::kInvalid, "full|cache");
  ExpectFailure(TryOpen(folder_ / "db", {{"block_size", "much"}}), Code::kInvalid, "block_size");
  ExpectFailure(TryOpen(folder_ / "db", {{"block_size", "8MiB"}}), Code::kInvalid, "block_size");
  EXPECT_FALSE(Exists(folder_ / "db")) << "nothing half-done";
}

TEST_F(LevelDbFailureTest, RefusesAPathThatIsAFileOrDenied) {
  WriteTestFile(folder_ / "file", "x");
  ExpectFailure(TryOpen(folder_ / "file"), Code::kInvalid, "file");
  ASSERT_EQ(mkdir((folder_ / "closed").c_str(), 0700), 0);
  EXPECT_EQ(RunInChild([this] {
              if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 99;
              const auto opened = TryOpen("/proc/chainstore-db");
              return opened.status().Is(Code::kDenied) || opened.status().failed() ? 0 : 1;
            }),
            0);
  EXPECT_EQ(RunInChild([this] {
              if (geteuid() != 0) return 0;  // only root owns what nobody may not enter
              if (setresuid(65534, 65534, 65534) != 0) return 99;
              return TryOpen(folder_ / "closed").status().Is(Code::kDenied) ? 0 : 1;
            }),
            0);
}

TEST_F(LevelDbFailureTest, SaysThatTheFileSystemIsReadOnly) {
  SmallFilesystem disk("8m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
  {
    auto store = *TryOpen(disk / "db");
    ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
    ASSERT_TRUE(CloseStore(*store).ok());
  }
  ASSERT_TRUE(disk.MakeReadOnly());
  ExpectFailure(TryOpen(disk / "db"), Code::kDenied, "Read-only");
}

TEST_F(LevelDbFailureTest, TwoStoresOnOneDirectoryAreRefused) {
  auto store = Open();
  ExpectFailure(TryOpen(folder_ / "db/../db"), Code::kBusy, "share the handle");
  EXPECT_EQ(Put(*store, "a", "1"), Code::kOk) << "the first is not harmed";
}

TEST_F(LevelDbFailureTest, ADatabaseThatAnotherProgramHasOpenIsBusy) {
  ASSERT_TRUE(CloseStore(*Open({{"format", "raw"}})).ok());
  int ready[2], finish[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(finish), 0);
  const pid_t child = StartChild([&] {
    leveldb::DB* db = nullptr;
    const bool opened = leveldb::DB::Open(leveldb::Options(), folder_ / "db", &db).ok();
    char byte = opened ? 'y' : 'n';
    close(finish[1]);
    if (write(ready[1], &byte, 1) != 1) return 2;
    return read(finish[0], &byte, 1) == 0 ? 0 : 1;  // until the parent closes its end
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  ExpectFailure(TryOpen(folder_ / "db", {{"format", "raw"}}), Code::kBusy, "another process");
  close(finish[1]);
  EXPECT_EQ(WaitChild(child), 0);
  EXPECT_TRUE(Open({{"format", "raw"}})) << "and free when that one has ended";
  for (const int fd : {ready[0], ready[1], finish[0]}) close(fd);
}

TEST_F(LevelDbFailureTest, ADamagedManifestIsCorruptWithAWayOut) {
  ASSERT_TRUE(CloseStore(*Open()).ok());
  FileDescriptor folder(open((folder_ / "db").c_str(), O_RDONLY | O_DIRECTORY));
  std::string manifest;
  (void)ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
    if (std::string_view(name).starts_with("MANIFEST-")) manifest = name;
    return true;
  });
  WriteTestFile(folder_ / "db/" + manifest, "rubbish that is no manifest");
  ExpectFailure(TryOpen(folder_ / "db"), Code::kCorrupt, "RepairDB");
  EXPECT_TRUE(Exists(folder_ / "db/" + manifest)) << "nothing is deleted";
}

// ---- Damage under it ----

TEST_F(LevelDbFailureTest, ADamagedValueIsCorruptAndTheOthersAreNot) {
  const Given plain = {{"compression", "none"}};
  auto store = Open(plain);
  ASSERT_EQ(Put(*store, "good", std::string(9000, 'g')), Code::kOk);
  ASSERT_EQ(Put(*store, "hurt", std::string(9000, 'h')), Code::kOk);
  Restart(&store, plain);  // the log has become a table
  ASSERT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  const auto tables = FilesIn(folder_ / "db", ".ldb");
  ASSERT_EQ(tables.size(), 1u);
  std::string bytes = ReadTestFile(tables[0]);
  const size_t at = bytes.find(std::string(5000, 'h'));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 2000] = 'x';
  WriteTestFile(tables[0], bytes);

  store = Open(plain);
  const Answer hurt = GetFrom(*store, "hurt");
  EXPECT_EQ(hurt.status.code(), Code::kCorrupt);
  EXPECT_EQ(*hurt.status.error()->FindDetail("key"), "hurt");
  EXPECT_EQ(hurt.status.error()->message().find("hhhh"), std::string::npos);
  EXPECT_EQ(GetText(*store, "good").size(), 9000u);
  const Page page = ScanPage(*store, Range());
  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_TRUE(page.entries[0].status.ok());
  EXPECT_EQ(page.entries[1].status.code(), Code::kCorrupt) << "a scan tells it of the entry";
  EXPECT_EQ(Put(*store, "hurt", "x", Call::kIfAbsent), Code::kCorrupt) << "neither there nor not";
  EXPECT_EQ(Put(*store, "hurt", "healed"), Code::kOk);
  EXPECT_EQ(GetText(*store, "hurt"), "healed");
}

TEST_F(LevelDbFailureTest, VerifyOffReadsWhatIsThere) {
  const Given plain = {{"compression", "none"}, {"verify", "off"}};
  auto store = Open(plain);
  ASSERT_EQ(Put(*store, "hurt", std::string(9000, 'h')), Code::kOk);
  Restart(&store, plain);
  ASSERT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  const auto tables = FilesIn(folder_ / "db", ".ldb");
  ASSERT_EQ(tables.size(), 1u);
  std::string bytes = ReadTestFile(tables[0]);
  bytes[bytes.find(std::string(5000, 'h')) + 2000] = 'x';
  WriteTestFile(tables[0], bytes);
  store = Open(plain);
  EXPECT_EQ(GetText(*store, "hurt").size(), 9000u);
}

TEST_F(LevelDbFailureTest, RawFindsADamagedBlock) {
  const Given plain = {{"compression", "none"}, {"format", "raw"}};
  auto store = Open(plain);
  ASSERT_EQ(Put(*store, "hurt", std::string(9000, 'h')), Code::kOk);
  Restart(&store, plain);
  ASSERT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  const auto tables = FilesIn(folder_ / "db", ".ldb");
  ASSERT_EQ(tables.size(), 1u);
  std::string bytes = ReadTestFile(tables[0]);
  bytes[bytes.find(std::string(5000, 'h')) + 2000] = 'x';
  WriteTestFile(tables[0], bytes);
  store = Open(plain);
  EXPECT_EQ(GetText(*store, "hurt"), "(CS_CORRUPT)");
  EXPECT_EQ(ScanPage(*store, Range()).status.code(), Code::kCorrupt);
}

// ---- A disk that fails ----

TEST_F(LevelDbFailureTest, AFailedWriteFailsAloneAndWhatIsAcknowledgedLaterStays) {
  FaultyEnv disk;
  auto store = Open({}, &disk);
  ASSERT_EQ(Put(*store, "before", "1"), Code::kOk);
  disk.FailNext(1, FaultyEnv::Op::kAppend, ".log", ENOSPC);
  const Receipt torn = PutInto(*store, "torn", std::string(1000, 't'));
  EXPECT_EQ(torn.status.code(), Code::kNoSpace);
  EXPECT_TRUE(torn.status.retryable());
  EXPECT_TRUE(torn.status.ToString().find("put: ") != std::string::npos) << torn.status.ToString();
  disk.FailNext(1, FaultyEnv::Op::kSync, ".log", EIO);
  EXPECT_EQ(Del(*store, "before"), Code::kIo);
  EXPECT_EQ(Put(*store, "after", "2"), Code::kOk);
  Restart(&store);
  EXPECT_EQ(GetText(*store, "after"), "2");
}

TEST_F(LevelDbFailureTest, AFullDiskIsSaidToBeFullAndTheStoreGoesOnByItself) {
  SmallFilesystem disk("8m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
  auto store = *TryOpen(disk / "db");
  ASSERT_EQ(Put(*store, "early", "1"), Code::kOk);
  disk.Fill();
  Receipt full;
  for (int i = 0; i < 300 && full.status.ok(); ++i) {
    full = PutInto(*store, "filler" + std::to_string(i), std::string(997, 'f'));
  }
  EXPECT_EQ(full.status.code(), Code::kNoSpace) << full.status.ToString();
  EXPECT_EQ(Del(*store, "early"), Code::kNoSpace);
  EXPECT_EQ(GetText(*store, "early"), "1") << "reads go on";
  EXPECT_FALSE(ScanPage(*store, Range()).status.failed());
  disk.MakeRoom();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(Put(*store, "late" + std::to_string(i), "2"), Code::kOk);
  }
  ASSERT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  store = *TryOpen(disk / "db");
  EXPECT_EQ(GetText(*store, "early"), "1");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(GetText(*store, "late" + std::to_string(i)), "2") << i;
}

// ---- Durability ----

bool EndsWith(const std::string& path, std::string_view ending) { return path.ends_with(ending); }

TEST_F(LevelDbFailureTest, FullSyncsEveryWriteAndTheNameOfANewLog) {
  auto store = Open();
  SyncLog synced;
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  const auto first = synced.Take();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_TRUE(EndsWith(first[0], ".log")) << first[0];
  EXPECT_EQ(first[1], folder_ / "db");
  ASSERT_EQ(Del(*store, "a"), Code::kOk);
  EXPECT_EQ(synced.Take().size(), 1u);
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("b")), Value::Copy("2"), 0});
  batch->ops.push_back({OwnedKey(Key("c")), Value::Copy("3"), 0});
  ASSERT_TRUE(WriteInto(*store, batch).status.ok());
  EXPECT_EQ(synced.Take().size(), 1u) << "one for the whole batch";
  EXPECT_TRUE(FlushStore(*store).ok());
  EXPECT_EQ(synced.Take().size(), 0u) << "nothing is left to do";
  EXPECT_NE(store->caps() & kCapDurable, 0u);
}

TEST_F(LevelDbFailureTest, CacheSyncsNoWriteUntilAFlushWhichSyncsEveryLog) {
  Event release;
  auto store = Open({{"durability", "cache"}, {"write_buffer_size", "64KiB"}});
  EXPECT_EQ(store->caps() & kCapDurable, 0u);
  // No compaction comes: what is in the older log is nowhere else.
  store->runtime().Post(Lane::kBackground, [&] { release.Wait(); });
  SyncLog synced;
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(Put(*store, std::to_string(i), std::string(16 << 10, 'x')), Code::kOk);
  }
  EXPECT_EQ(synced.Take().size(), 0u);
  EXPECT_TRUE(FlushStore(*store).ok());
  const auto flushed = synced.Take();
  std::set<std::string> logs;
  bool folder = false;
  for (const std::string& path : flushed) {
    if (EndsWith(path, ".log")) logs.insert(path);
    folder = folder || path == folder_ / "db";
  }
  EXPECT_EQ(logs.size(), 2u);
  EXPECT_TRUE(folder);
  release.Set();
  ASSERT_EQ(Put(*store, "last", "1"), Code::kOk);
  synced.Take();
  EXPECT_TRUE(CloseStore(*store).ok());
  const auto closed = synced.Take();
  EXPECT_TRUE(std::any_of(closed.begin(), closed.end(), [](const std::string& path) {
    return EndsWith(path, ".log");
  })) << "a clean close vouches for what is there";
}

TEST_F(LevelDbFailureTest, ACacheIsEmptiedAfterACrashOfTheMachineAndSaysSo) {
  const Given cache = {{"durability", "cache"}};
  auto store = Open(cache);
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  Restart(&store, cache);
  EXPECT_EQ(GetText(*store, "a"), "1") << "warm after a close";
  store = nullptr;
  store = Open(cache);
  EXPECT_EQ(GetText(*store, "a"), "1") << "and without one, in the same boot";
  ASSERT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  WriteTestFile(folder_ / "db/.chainstore/state", "boot=another state=open\n");
  store = Open(cache);
  EXPECT_EQ(GetText(*store, "a"), "(CS_NOT_FOUND)");
  Event told;
  store->error_sink().Set(
      [](void* event, const Error* error) {
        EXPECT_NE(error->message().find("emptied"), std::string::npos) << error->message();
        static_cast<Event*>(event)->Set();
      },
      &told, nullptr);
  told.Wait();
  store->error_sink().Set(nullptr, nullptr, nullptr);
  ExpectFailure(TryOpen(folder_ / "db"), Code::kBusy, "");
  ASSERT_TRUE(CloseStore(*store).ok());
  ExpectFailure(TryOpen(folder_ / "db"), Code::kInvalid, "durability=cache");
}

void PutUntilKilled(const std::string& path, const char* durability, int acknowledged) {
  Options options;
  options.values = {{"durability", durability}, {"write_buffer_size", "64KiB"}};
  const auto store = NewLevelDbStore(path, &options);
  if (!store.ok()) _exit(3);
  for (uint32_t i = 0;; ++i) {
    const std::string text = std::to_string(i);
    if (Put(**store, text, text + std::string(2000, 'v')) != Code::kOk) _exit(4);
    if (i > 0 && Del(**store, std::to_string(i - 1) + "/gone") != Code::kOk) _exit(5);
    if (Put(**store, text + "/gone", "x") != Code::kOk) _exit(6);
    if (write(acknowledged, &i, sizeof i) != sizeof i) _exit(7);
  }
}

TEST_F(LevelDbFailureTest, AKilledProcessLosesNothingThatWasAcknowledged) {
  for (const char* durability : {"full", "cache"}) {
    const std::string path = folder_ / durability;
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = StartChild([&] {
      PutUntilKilled(path, durability, pipe_ends[1]);
      return 0;
    });
    close(pipe_ends[1]);
    uint32_t last = 0;
    while (last < 100) ASSERT_EQ(read(pipe_ends[0], &last, sizeof last), ssize_t{sizeof last});
    kill(child, SIGKILL);
    uint32_t later;
    while (read(pipe_ends[0], &later, sizeof later) == ssize_t{sizeof later}) last = later;
    close(pipe_ends[0]);
    EXPECT_EQ(WaitChild(child), 1000 + SIGKILL);
    auto store = *TryOpen(path, {{"durability", durability}});
    for (uint32_t i = 0; i <= last; ++i) {
      const std::string text = std::to_string(i);
      ASSERT_EQ(GetText(*store, text), text + std::string(2000, 'v')) << durability;
      if (i + 1 < last) {
        EXPECT_EQ(GetText(*store, text + "/gone"), "(CS_NOT_FOUND)") << "a delete holds, too";
      }
    }
    EXPECT_TRUE(CloseStore(*store).ok());
    store = nullptr;
    ASSERT_TRUE(slot_->WaitGone(kForeverNs)) << "the next child is forked without threads";
  }
}

// ---- Threads ----

std::vector<std::string> ThreadNames() {
  std::vector<std::string> names;
  DIR* folder = opendir("/proc/self/task");
  while (const dirent* entry = readdir(folder)) {
    std::ifstream file("/proc/self/task/" + std::string(entry->d_name) + "/comm");
    std::string name;
    if (std::getline(file, name)) names.push_back(name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

// Enough for tables and compactions.
void WriteManyBuffers(Store& store) {
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(Put(store, std::to_string(i % 20), std::string(16 << 10, 'x')), Code::kOk);
  }
}

TEST_F(LevelDbFailureTest, HasNoThreadButTheRuntimesAndLeavesNoneBehind) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "the thread sanitizer starts a thread of its own, when it likes";
#endif
#endif
  const auto before = ThreadNames();
  auto store = Open({{"durability", "cache"}, {"write_buffer_size", "64KiB"}});
  WriteManyBuffers(*store);
  std::vector<std::string> during = ThreadNames();
  EXPECT_EQ(std::count(during.begin(), during.end(), "cs-background"), 1);
  std::erase_if(during, [](const std::string& name) { return name.starts_with("cs-"); });
  EXPECT_EQ(during, before) << "every other thread was there before";
  ASSERT_TRUE(CloseStore(*store).ok());
  store = nullptr;
  ASSERT_TRUE(slot_->WaitGone(Clock::System().DeadlineAfterMs(60'000)));
  EXPECT_EQ(ThreadNames(), before);
}

// A write waits for a compaction when the buffer is full, and a close for the one under way.
TEST_F(LevelDbFailureTest, WritesAndClosesThatFillEveryWorkerWaitForNobodyForEver) {
  for (const uint32_t workers : {1u, 2u, 4u}) {
    RuntimeSettings settings;
    settings.workers = workers;
    const auto slot = MakeRef<RuntimeSlot>(settings);
    std::vector<Ref<Store>> stores;
    for (int i = 0; i < 3; ++i) {
      Options options;
      options.runtime = slot;
      options.values = {{"durability", "cache"}, {"write_buffer_size", "64KiB"}};
      const std::string name = std::to_string(workers) + "-" + std::to_string(i);
      auto store = NewLevelDbStore(folder_ / name, &options);
      ASSERT_TRUE(store.ok()) << store.status().ToString();
      stores.push_back(*store);
    }
    constexpr int kPuts = 120;
    std::atomic<int> left{kPuts};
    Event all;
    for (int i = 0; i < kPuts; ++i) {
      Store& store = *stores[static_cast<size_t>(i) % stores.size()];
      store.Put(Key(std::to_string(i)), Payload(Value::Copy(std::string(16 << 10, 'x'))),
                CallOf(Wait::kLater), [&](Receipt&& receipt) {
                  EXPECT_TRUE(receipt.status.ok()) << receipt.status.ToString();
                  if (--left == 0) all.Set();
                });
    }
    all.Wait();
    std::atomic<size_t> open{stores.size()};
    Event closed;
    for (const Ref<Store>& store : stores) {
      store->Close(CallOf(Wait::kLater), [&](Status&& status) {
        EXPECT_TRUE(status.ok());
        if (--open == 0) closed.Set();
      });
    }
    closed.Wait();
    stores.clear();
    EXPECT_TRUE(slot->WaitGone(kForeverNs));
  }
}

TEST_F(LevelDbFailureTest, ACallThatHasEndedBeforeItBeginsChangesNothing) {
  auto store = Open();
  Call cancelled;
  cancelled.cancel = MakeRef<CancelToken>();
  cancelled.cancel->Fire();
  Call late;
  late.deadline_ns = 1;
  for (const auto& [call, code] :
       {std::pair(cancelled, Code::kCancelled), std::pair(late, Code::kTimeout)}) {
    Receipt receipt;
    store->Put(Key("a"), Payload(Bytes("1")), call, [&](Receipt&& r) { receipt = std::move(r); });
    EXPECT_EQ(receipt.status.code(), code);
  }
  EXPECT_EQ(GetText(*store, "a"), "(CS_NOT_FOUND)");
}

}  // namespace
}  // namespace chainstore
