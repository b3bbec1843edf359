// An LRU around stores that outlive it: warm after a restart, a close or not.
#include <dirent.h>
#include <signal.h>

#include "managers/lru/lru_testing.h"
#include "support/child_process.h"
#include "support/temporary_directory.h"
#ifdef CHAINSTORE_WITH_LMDB
#include "stores/lmdb/lmdb_store.h"
#endif
#ifdef CHAINSTORE_WITH_LEVELDB
#include "stores/leveldb/leveldb_store.h"
#endif

namespace chainstore {
namespace {

const std::string k1000(1000, 'v');

std::string RestartKey(int i) { return "key" + std::to_string(1000 + i); }

struct Engine {
  const char* name;
  Result<Ref<Store>> (*open)(const std::string& directory);
};

std::vector<Engine> Engines() {
  std::vector<Engine> engines;
#ifdef CHAINSTORE_WITH_LMDB
  engines.push_back({"lmdb", [](const std::string& directory) {
                       Options options = OptionsOf({{"map_size", "256MiB"}});
                       return NewLmdbStore(directory, nullptr, &options);
                     }});
#endif
#ifdef CHAINSTORE_WITH_LEVELDB
  engines.push_back({"leveldb", [](const std::string& directory) {
                       return NewLevelDbStore(directory, nullptr);
                     }});
#endif
  return engines;
}

class LruRestartTest : public ::testing::TestWithParam<Engine> {
 protected:
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 20;

  Ref<Store> OpenInner() {
    auto opened = GetParam().open(directory_ / "store");
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *opened : nullptr;
  }
  Ref<LruStore> Open(uint64_t max_bytes = kMaxBytes) {
    auto lru = LruAround(OpenInner(), max_bytes, {{"recency_interval", "1h"}});
    WaitLoaded(*lru);
    return lru;
  }
  // What the store takes, in the terms of the ceiling.
  static uint64_t Used(LruStore& lru) {
    uint64_t bytes = 0;
    return lru.UsedBytes(&bytes) ? bytes : lru.ledger().bytes();
  }
  std::string RecencyDirectory() { return directory_ / "store/.chainstore/recency"; }
  std::string LogPath() {
    std::string path;
    DIR* folder = opendir(RecencyDirectory().c_str());
    while (const dirent* entry = folder ? readdir(folder) : nullptr) {
      if (std::string_view(entry->d_name).ends_with(".log")) {
        path = RecencyDirectory() + "/" + entry->d_name;
      }
    }
    if (folder) closedir(folder);
    return path;
  }
  // Puts a hundred, then uses the first fifty: the order of use is not that of the writes.
  void Use(LruStore& lru) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(Put(lru, RestartKey(i), k1000), Code::kOk);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(GetText(lru, RestartKey(i)), k1000);
  }
  // Leaves room for little more than half of them, and says how many of the used and of the others
  // are still there.
  std::pair<int, int> LeftAfterHalving(LruStore& lru) {
    EXPECT_TRUE(lru.Set("max_bytes", std::to_string(Used(lru) * 6 / 10)).ok());
    std::pair<int, int> left;
    for (int i = 0; i < 100; ++i) {
      const bool there = GetFrom(lru.below(), RestartKey(i)).status.ok();
      (i < 50 ? left.first : left.second) += there;
    }
    return left;
  }

  TemporaryDirectory directory_;
};

TEST_P(LruRestartTest, OriginalFault10IsNotEmptyAfterARestartAndKnowsTheOrder) {
  auto lru = Open();
  Use(*lru);
  const uint64_t used = Used(*lru);
  const uint64_t bytes = lru->ledger().bytes();
  ASSERT_TRUE(CloseStore(*lru).ok());
  lru = Open();
  EXPECT_EQ(lru->ledger().count(), 100u);
  EXPECT_EQ(lru->ledger().bytes(), bytes);
  EXPECT_EQ(Used(*lru), used);
  const auto [used_ones, others] = LeftAfterHalving(*lru);
  EXPECT_EQ(used_ones, 50);
  EXPECT_LT(others, 20);
  EXPECT_TRUE(CloseStore(*lru).ok());
}

TEST_P(LruRestartTest, IsWarmAfterKill9) {
  const int ended = RunInChild([&] {
    auto lru = Open();
    Use(*lru);
    // What the timer does every recency_interval.
    lru->recency()->Save(false);
    kill(getpid(), SIGKILL);
    return 0;
  });
  ASSERT_EQ(ended, 1000 + SIGKILL);
  auto lru = Open();
  EXPECT_EQ(lru->ledger().count(), 100u);
  const auto [used_ones, others] = LeftAfterHalving(*lru);
  EXPECT_EQ(used_ones, 50);
  EXPECT_LT(others, 20);
  EXPECT_TRUE(CloseStore(*lru).ok());
}

TEST_P(LruRestartTest, WhatTheLogDoesNotKnowIsTheMostRecent) {
  const int ended = RunInChild([&] {
    auto lru = Open();
    for (int i = 50; i < 100; ++i) Put(*lru, RestartKey(i), k1000);
    lru->recency()->Save(false);
    for (int i = 0; i < 50; ++i) Put(*lru, RestartKey(i), k1000);  // these few seconds are lost
    kill(getpid(), SIGKILL);
    return 0;
  });
  ASSERT_EQ(ended, 1000 + SIGKILL);
  auto lru = Open();
  EXPECT_TRUE(lru->Set("max_bytes", std::to_string(Used(*lru) * 6 / 10)).ok());
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(GetFrom(lru->below(), RestartKey(i)).status.ok()) << i;
  EXPECT_TRUE(CloseStore(*lru).ok());
}

TEST_P(LruRestartTest, ADamagedLogIsReportedAndLosesNothingButTheOrder) {
  auto lru = Open();
  Use(*lru);
  ASSERT_TRUE(CloseStore(*lru).ok());
  ASSERT_NE(LogPath(), "");
  WriteTestFile(LogPath(), std::string(500, 'x'));
  lru = Open();
  Reported reported(*lru);
  WaitUntil([&] { return reported.count() == 1; });
  EXPECT_NE(reported.first().find("recency log"), std::string::npos);
  EXPECT_EQ(lru->ledger().count(), 100u);
  EXPECT_EQ(Put(*lru, "new", k1000), Code::kOk);
  EXPECT_TRUE(CloseStore(*lru).ok());
  WaitUntil([&] { return lru->IsUnique(); });
}

TEST_P(LruRestartTest, TheLogIsBounded) {
  auto lru = Open();
  Use(*lru);
  for (int round = 0; round < 1500; ++round) {
    for (int i = 0; i < 50; ++i) lru->ledger().Touch(Key(RestartKey(i)));
    lru->recency()->Save(false);
  }
  EXPECT_LT(ReadTestFile(LogPath()).size(), 1u << 20);
  ASSERT_TRUE(CloseStore(*lru).ok());
  EXPECT_LT(ReadTestFile(LogPath()).size(), 1000u) << "a clean close leaves what is needed";
}

TEST_P(LruRestartTest, ASecondLruAroundOneStoreWorksWithoutALog) {
  Ref<Store> inner = OpenInner();
  auto first = LruAround(inner, kMaxBytes);
  auto second = LruAround(inner, kMaxBytes);
  Reported reported_first(*first);
  Reported reported_second(*second);
  WaitUntil([&] { return reported_first.count() + reported_second.count() == 1; });
  EXPECT_EQ(Put(*second, "key", k1000), Code::kOk);
  EXPECT_TRUE(CloseStore(*first).ok());
  EXPECT_FALSE(inner->closed());
  EXPECT_TRUE(CloseStore(*second).ok());
}

TEST_P(LruRestartTest, TheCeilingIsKeptWhileItFills) {
  constexpr uint64_t kCeiling = uint64_t{1} << 20;
  auto lru = Open(kCeiling);
  ASSERT_TRUE(lru->Set("cushion", "10%").ok());
  for (int i = 0; i < 1500; ++i) {
    ASSERT_EQ(Put(*lru, RestartKey(i), std::string(static_cast<size_t>(i) * 7 % 3000, 'v')),
              Code::kOk);
    ASSERT_LE(Used(*lru), kCeiling) << i;
  }
  EXPECT_GT(Used(*lru), kCeiling / 2);
  EXPECT_TRUE(CloseStore(*lru).ok());
}

TEST_P(LruRestartTest, TheTimerSavesByItself) {
  auto lru = LruAround(OpenInner(), kMaxBytes, {{"recency_interval", "1ms"}});
  WaitLoaded(*lru);
  ASSERT_EQ(Put(*lru, "key", k1000), Code::kOk);
  WaitUntil([&] { return LogPath() != "" && ReadTestFile(LogPath()).size() > 16; });
  // Nobody closes it: letting go is enough.
}

// A build without those engines has nothing to run it on.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LruRestartTest);

INSTANTIATE_TEST_SUITE_P(Engines, LruRestartTest, ::testing::ValuesIn(Engines()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace chainstore
