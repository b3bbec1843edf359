#include "stores/leveldb/database.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "stores/leveldb/faulty_env.h"
#include "support/small_filesystem.h"
#include "support/temporary_directory.h"

namespace chainstore {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Database>> TryOpen(const std::string& directory, leveldb::Env* env) {
    DatabaseSettings settings;
    settings.store = "leveldb:test";
    settings.directory = directory;
    settings.scratch = directory + ".probe";
    settings.options.write_buffer_size = size_t{64} << 10;
    settings.env = env;
    return Database::Open(std::move(settings), runtime_.get());
  }
  std::unique_ptr<Database> Open(const std::string& directory, leveldb::Env* env) {
    auto database = TryOpen(directory, env);
    EXPECT_TRUE(database.ok()) << database.status().ToString();
    return database.ok() ? std::move(*database) : nullptr;
  }
  std::unique_ptr<Database> Open() { return Open(folder_ / "db", &disk_); }
  // As another process finds it later.
  std::unique_ptr<Database> OpenHealthy() { return Open(folder_ / "db", leveldb::Env::Default()); }
  static Status Put(Database& database, const std::string& key, const std::string& value,
                    bool sync = true) {
    leveldb::WriteBatch batch;
    batch.Put(key, value);
    return database.Write("put", &batch, sync);
  }
  static std::string Get(Database& database, const std::string& key) {
    std::string value;
    leveldb::Status found;
    const Status status = database.Read("get", [&](leveldb::DB& db) -> Status {
      found = db.Get(leveldb::ReadOptions(), key, &value);
      return Code::kOk;
    });
    if (!status.ok()) return CodeName(status.code());
    return found.ok() ? value : found.ToString();
  }

  const TemporaryDirectory folder_;
  const Ref<Runtime> runtime_ = MakeRef<RuntimeSlot>(RuntimeSettings{})->Acquire();
  FaultyEnv disk_;
};

// Without the opening in between, LevelDB appends the third write behind the torn second one, and
// a later start ends its reading of the log there.
TEST_F(DatabaseTest, KeepsWhatItAcknowledgedAfterATornWrite) {
  auto database = Open();
  ASSERT_TRUE(Put(*database, "before", "1").ok());
  disk_.FailNext(1, FaultyEnv::Op::kAppend, ".log", ENOSPC);
  EXPECT_EQ(Put(*database, "torn", std::string(1000, 't')).code(), Code::kNoSpace);
  EXPECT_EQ(database->reopened(), 0u) << "opened again by the next write, not by the failed one";
  EXPECT_EQ(Get(*database, "before"), "1") << "reads go on";
  ASSERT_TRUE(Put(*database, "after", "2").ok());
  EXPECT_EQ(database->reopened(), 1u);
  ASSERT_TRUE(Put(*database, "later", "3").ok());
  EXPECT_EQ(database->reopened(), 1u) << "once is enough";
  database = nullptr;
  database = OpenHealthy();
  EXPECT_EQ(Get(*database, "before"), "1");
  EXPECT_EQ(Get(*database, "after"), "2");
  EXPECT_EQ(Get(*database, "later"), "3");
}

TEST_F(DatabaseTest, KeepsWhatItAcknowledgedAfterAFailedSync) {
  auto database = Open();
  disk_.FailNext(1, FaultyEnv::Op::kSync, ".log", EIO);
  EXPECT_EQ(Put(*database, "failed", "1").code(), Code::kIo);
  ASSERT_TRUE(Put(*database, "after", "2").ok());
  EXPECT_EQ(database->reopened(), 1u);
  database = nullptr;
  database = OpenHealthy();
  EXPECT_EQ(Get(*database, "after"), "2");
}

TEST_F(DatabaseTest, GoesOnAfterABackgroundFailure) {
  auto database = Open();
  disk_.FailNext(1, FaultyEnv::Op::kAppend, ".ldb", EIO);
  // More than a write buffer: it becomes a table, which fails, and LevelDB refuses every write.
  int failed = 0;
  for (int i = 0; i < 100; ++i) {
    if (!Put(*database, "k" + std::to_string(i), std::string(4096, 'v'), false).ok()) ++failed;
  }
  EXPECT_LE(failed, 1) << "at most the write that met it";
  EXPECT_GE(database->reopened(), 1u);
  database = nullptr;
  database = OpenHealthy();
  int there = 0;
  for (int i = 0; i < 100; ++i) there += Get(*database, "k" + std::to_string(i)).size() == 4096;
  EXPECT_GE(there, 100 - failed);
}

// A write that LevelDB answered OK may stand behind one of another thread that failed: it is
// written once more before it is acknowledged.
TEST_F(DatabaseTest, KeepsWhatManyThreadsGotAcknowledgedOnADiskThatFailsNowAndThen) {
  auto database = Open();
  std::mt19937 random(7);
  disk_.Set([&random](FaultyEnv::Op op, const std::string& name) {
    return op == FaultyEnv::Op::kAppend && name.ends_with(".log") && random() % 20 == 0 ? ENOSPC
                                                                                        : 0;
  });
  constexpr int kThreads = 8;
  constexpr int kWrites = 60;
  std::vector<std::set<int>> acknowledged(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kWrites; ++i) {
        const std::string key = std::to_string(thread) + "/" + std::to_string(i);
        const Status status = Put(*database, key, key + std::string(500, '.'), false);
        if (status.ok()) acknowledged[static_cast<size_t>(thread)].insert(i);
        (void)Get(*database, key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(database->reopened(), 3u);
  disk_.Heal();
  database = nullptr;
  database = OpenHealthy();
  size_t kept = 0;
  for (int thread = 0; thread < kThreads; ++thread) {
    for (const int i : acknowledged[static_cast<size_t>(thread)]) {
      const std::string key = std::to_string(thread) + "/" + std::to_string(i);
      EXPECT_EQ(Get(*database, key), key + std::string(500, '.'));
      ++kept;
    }
  }
  EXPECT_GE(kept, size_t{kThreads} * kWrites / 4) << "most writes go well, some at the second go";
}

TEST_F(DatabaseTest, IsBackAsSoonAsItCanBeOpenedAgain) {
  auto database = Open();
  ASSERT_TRUE(Put(*database, "a", "1").ok());
  // The write fails, and the opening after it as well.
  disk_.Set(
      [](FaultyEnv::Op op, const std::string&) { return op == FaultyEnv::Op::kSync ? 0 : EIO; });
  EXPECT_EQ(Put(*database, "b", "2").code(), Code::kIo);
  EXPECT_EQ(Put(*database, "b", "2").code(), Code::kIo);
  EXPECT_EQ(Get(*database, "a"), "CS_IO") << "an error is never a miss";
  disk_.Heal();
  EXPECT_EQ(Get(*database, "a"), "1") << "a read opens it, too";
  EXPECT_TRUE(Put(*database, "b", "2").ok());
  EXPECT_EQ(Get(*database, "b"), "2");
}

TEST_F(DatabaseTest, OnAFullDiskReadsGoOnAndWhatIsAcknowledgedLaterStays) {
  SmallFilesystem disk("6m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
  auto database = Open(disk / "db", leveldb::Env::Default());
  ASSERT_TRUE(Put(*database, "early", "1").ok());
  disk.Fill();
  Status full;
  for (int i = 0; i < 300 && full.ok(); ++i) {
    full = Put(*database, "filler" + std::to_string(i), std::string(997, 'f'));
  }
  EXPECT_EQ(full.code(), Code::kNoSpace) << full.ToString();
  for (int i = 0; i < 3; ++i) {
    const Status still = Put(*database, "no", "room");
    EXPECT_EQ(still.code(), Code::kNoSpace) << still.ToString();
    EXPECT_EQ(Get(*database, "early"), "1") << "what was open stays open";
  }
  EXPECT_EQ(database->reopened(), 0u);
  disk.MakeRoom();
  for (int i = 0; i < 50; ++i) {
    const Status status = Put(*database, "late" + std::to_string(i), "2");
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  EXPECT_EQ(database->reopened(), 1u);
  database = nullptr;
  database = Open(disk / "db", leveldb::Env::Default());
  EXPECT_EQ(Get(*database, "early"), "1");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Get(*database, "late" + std::to_string(i)), "2") << i;
}

TEST_F(DatabaseTest, TellsDamageWithAWayOut) {
  const auto damaged = [this](const std::function<void(const std::string& db)>& damage) {
    const std::string path = folder_ / std::to_string(std::random_device{}());
    {
      auto database = Open(path, &disk_);
      EXPECT_TRUE(Put(*database, "a", "1").ok());
    }
    EXPECT_TRUE(Open(path, &disk_)) << "the log has become a table";
    damage(path);
    const auto database = TryOpen(path, &disk_);
    EXPECT_EQ(database.status().code(), Code::kCorrupt) << database.status().ToString();
    EXPECT_NE(database.status().ToString().find("RepairDB"), std::string::npos)
        << database.status().ToString();
  };
  const auto each = [](const std::string& db, std::string_view part, auto change) {
    const FileDescriptor folder(open(db.c_str(), O_RDONLY | O_DIRECTORY));
    int changed = 0;
    (void)ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
      if (std::string_view(name).find(part) != std::string_view::npos) {
        change(db + "/" + name);
        ++changed;
      }
      return true;
    });
    EXPECT_GE(changed, 1) << part;
  };
  damaged([](const std::string& db) { WriteTestFile(db + "/CURRENT", "MANIFEST"); });
  damaged([](const std::string& db) { WriteTestFile(db + "/CURRENT", "MANIFEST-000099\n"); });
  damaged([](const std::string& db) { unlink((db + "/CURRENT").c_str()); });
  damaged([&](const std::string& db) {
    each(db, "MANIFEST-", [](const std::string& file) { WriteTestFile(file, "rubbish"); });
  });
  damaged([&](const std::string& db) {
    each(db, ".ldb", [](const std::string& file) { unlink(file.c_str()); });
  });
}

TEST_F(DatabaseTest, AMakingThatWasCutShortIsBegunAnew) {
  const std::string db = folder_ / "db";
  ASSERT_EQ(mkdir(db.c_str(), 0777), 0);
  WriteTestFile(db + "/MANIFEST-000001", "half");
  auto database = Open();
  EXPECT_TRUE(Put(*database, "a", "1").ok());
}

TEST_F(DatabaseTest, ATableThatVanishesUnderItIsNoMiss) {
  {
    auto database = Open();
    ASSERT_TRUE(Put(*database, "a", "1").ok());
  }
  ASSERT_TRUE(Open()) << "makes a table of the log";
  auto database = Open();
  const FileDescriptor folder(open((folder_ / "db").c_str(), O_RDONLY | O_DIRECTORY));
  int removed = 0;
  (void)ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
    if (std::string_view(name).ends_with(".ldb")) removed += unlinkat(folder.get(), name, 0) == 0;
    return true;
  });
  ASSERT_EQ(removed, 1);
  const std::string answer = Get(*database, "a");
  EXPECT_NE(answer.find("Corruption"), std::string::npos) << answer;
}

}  // namespace
}  // namespace chainstore
