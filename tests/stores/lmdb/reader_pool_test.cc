#include "stores/lmdb/reader_pool.h"

#include <thread>

#include "stores/lmdb/lmdb_test_support.h"

namespace chainstore::lmdb {
namespace {

class ReaderPoolTest : public ::testing::Test {
 protected:
  void Open(unsigned max_readers) {
    ASSERT_EQ(mdb_env_create(&env_), 0);
    mdb_env_set_mapsize(env_, size_t{64} << 20);
    mdb_env_set_maxreaders(env_, max_readers);
    ASSERT_EQ(
        mdb_env_open(env_, (root_ / "file").c_str(), MDB_NOTLS | MDB_NOSUBDIR | MDB_NOSYNC, 0666),
        0);
    pool_ = MakeRef<ReaderPool>(env_, RuntimeSlot::Default().Acquire());
  }
  void TearDown() override {
    pool_->Close();
    mdb_env_close(env_);
  }
  void Commit(const std::string& key) {
    MDB_txn* txn;
    MDB_dbi dbi;
    ASSERT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, nullptr, 0, &dbi), 0);
    MDB_val k = {key.size(), const_cast<char*>(key.data())};
    ASSERT_EQ(mdb_put(txn, dbi, &k, &k, 0), 0);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }
  // The snapshots that readers hold, by LMDB's own table.
  std::vector<std::string> Held() {
    std::vector<std::string> held;
    mdb_reader_list(
        env_,
        [](const char* line, void* context) {
          const std::string text = line;
          if (text.find("pid") != std::string::npos || text.find("(no") == 0) return 0;
          const size_t last = text.find_last_of(' ');
          const std::string snapshot = text.substr(last + 1, text.size() - last - 2);
          if (snapshot != "-") static_cast<std::vector<std::string>*>(context)->push_back(snapshot);
          return 0;
        },
        &held);
    return held;
  }

  const TemporaryDirectory root_;
  MDB_env* env_ = nullptr;
  Ref<ReaderPool> pool_;
};

TEST_F(ReaderPoolTest, ReusesATransactionAndSeesEveryCommit) {
  Open(16);
  MDB_txn* txn = nullptr;
  for (int i = 0; i < 3; ++i) {
    ReaderPool::Lease lease;
    ASSERT_EQ(pool_->Acquire(&lease), 0);
    EXPECT_TRUE(!txn || lease.txn() == txn);
    txn = lease.txn();
    EXPECT_EQ(lease.snapshot(), 0u) << "nothing was committed yet";
  }
  for (uint64_t i = 1; i <= 5; ++i) {
    Commit("k" + std::to_string(i));
    ReaderPool::Lease lease;
    ASSERT_EQ(pool_->Acquire(&lease), 0);
    EXPECT_EQ(lease.txn(), txn);
    EXPECT_EQ(lease.snapshot(), i);
    MDB_stat stat;
    ASSERT_EQ(mdb_stat(lease.txn(), 1, &stat), 0);
    EXPECT_EQ(stat.ms_entries, i);
  }
}

TEST_F(ReaderPoolTest, IdleTransactionsLetGoOfOldSnapshotsOnly) {
  Open(16);
  Commit("a");
  {
    ReaderPool::Lease lease;
    ASSERT_EQ(pool_->Acquire(&lease), 0);
  }
  pool_->DropOldSnapshots();
  EXPECT_EQ(Held(), std::vector<std::string>{"1"}) << "the newest costs nothing";
  Commit("b");
  pool_->DropOldSnapshots();
  EXPECT_TRUE(Held().empty());
  ReaderPool::Lease lease;
  ASSERT_EQ(pool_->Acquire(&lease), 0);
  Commit("c");
  pool_->DropOldSnapshots();
  EXPECT_EQ(Held(), std::vector<std::string>{"2"}) << "one that is in use is left alone";
}

// Another process may write: nobody tells this one that its snapshot is old.
TEST_F(ReaderPoolTest, ATransactionThatNobodyUsesLetsGoByItself) {
  Open(16);
  Commit("a");
  for (int i = 0; i < 2; ++i) {
    {
      ReaderPool::Lease lease;
      ASSERT_EQ(pool_->Acquire(&lease), 0);
    }
    const int64_t give_up_ns = Clock::System().DeadlineAfterMs(20'000);
    while (!Held().empty() && Clock::System().SteadyNs() < give_up_ns) sched_yield();
    EXPECT_TRUE(Held().empty()) << "round " << i;
  }
}

TEST_F(ReaderPoolTest, WaitsForATransactionWhereTheReaderTableIsFull) {
  Open(2);
  Commit("a");
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        ReaderPool::Lease lease;
        reads += pool_->Acquire(&lease) == 0;
        if (i % 10 == 0) sched_yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reads, 8 * 200);
}

TEST_F(ReaderPoolTest, AnswersReadersFullWhereOthersHaveThemAll) {
  Open(2);
  Commit("a");
  MDB_txn* others[2];
  for (MDB_txn*& txn : others) ASSERT_EQ(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), 0);
  ReaderPool::Lease lease;
  EXPECT_EQ(pool_->Acquire(&lease), MDB_READERS_FULL);
  mdb_txn_abort(others[0]);
  EXPECT_EQ(pool_->Acquire(&lease), 0);
  mdb_txn_abort(others[1]);
}

TEST_F(ReaderPoolTest, NobodyReadsWhileItIsQuiet) {
  Open(16);
  Commit("a");
  std::atomic<bool> stop{false};
  std::atomic<int> reading{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        ReaderPool::Lease lease;
        ASSERT_EQ(pool_->Acquire(&lease), 0);
        ++reading;
        --reading;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const int rc = pool_->WhileQuiet([&] {
      EXPECT_EQ(reading, 0);
      EXPECT_TRUE(Held().empty());
      return 0;
    });
    EXPECT_EQ(rc, 0);
    sched_yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool_->WhileQuiet([] { return ENOMEM; }), ENOMEM);
  ReaderPool::Lease lease;
  EXPECT_EQ(pool_->Acquire(&lease), MDB_PANIC) << "its map is gone: it must not be touched";
}

}  // namespace
}  // namespace chainstore::lmdb
