// Several processes and threads: on one file, forked with it, and killed.
#include <signal.h>
#include <sys/stat.h>

#include <random>
#include <thread>

#include "stores/lmdb/lmdb_test_support.h"
#include "support/child_process.h"

namespace chainstore {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool kThreadSanitizer = false;
#endif

// Lets two processes take turns.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_), 0); }
  ~Pipe() {
    for (const int end : ends_) close(end);
  }
  void Send(int number) {
    EXPECT_EQ(write(ends_[1], &number, sizeof(number)), ssize_t{sizeof(number)});
  }
  // -1: the other end is gone.
  int Receive() {
    int number = -1;
    return read(ends_[0], &number, sizeof(number)) == ssize_t{sizeof(number)} ? number : -1;
  }
  // In the process that only receives: so that the end of the other is seen.
  void CloseSending() { close(std::exchange(ends_[1], -1)); }

 private:
  int ends_[2] = {-1, -1};
};

// ThreadSanitizer allows a child to start threads only if its parent had none.
pid_t StartLoneChild(const std::function<int()>& run) {
  EXPECT_TRUE(RuntimeSlot::Default().WaitGone(Clock::System().DeadlineAfterMs(20'000)));
  return StartChild(run);
}

std::string ProcessKey(int number) { return "key" + std::to_string(number); }

TEST(LmdbProcessTest, TwoProcessesReadAndWriteOneFile) {
  const TemporaryDirectory root;
  Pipe to_child, to_parent;
  const pid_t child = StartLoneChild([&] {
    if (to_child.Receive() != 1) return 1;
    Ref<Store> store = OpenLmdb(root / "db");
    if (!store || GetText(*store, "parent") != "1") return 2;
    if (Put(*store, "child", "2") != Code::kOk) return 3;
    to_parent.Send(2);
    if (to_child.Receive() != 3) return 4;
    // At once, though this process holds a transaction that is older.
    if (GetText(*store, "child") != "3") return 5;
    for (int i = 0; i < 100; ++i) {
      if (Put(*store, "c" + std::to_string(i), "v") != Code::kOk) return 6;
    }
    return CloseStore(*store).ok() ? 0 : 7;
  });
  {
    OpenedLmdb store(root / "db");
    ASSERT_EQ(Put(*store, "parent", "1"), Code::kOk);
    EXPECT_EQ(GetText(*store, "child"), "(CS_NOT_FOUND)");
    to_child.Send(1);
    ASSERT_EQ(to_parent.Receive(), 2);
    EXPECT_EQ(GetText(*store, "child"), "2");
    ASSERT_EQ(Put(*store, "child", "3"), Code::kOk);
    to_child.Send(3);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(Put(*store, "p" + std::to_string(i), "v"), Code::kOk);
    EXPECT_EQ(WaitChild(child), 0);
    Range range;
    range.page_size = 1000;
    EXPECT_EQ(ScanPage(*store, range).entries.size(), 202u);
  }
}

TEST(LmdbProcessTest, FollowsAnotherProcessBeyondItsOwnMap) {
  const TemporaryDirectory root;
  Pipe to_child;
  const pid_t child = StartLoneChild([&] {
    if (to_child.Receive() != 1) return 1;
    Ref<Store> store = OpenLmdb(root / "db", nullptr, {{"map_size", "32MiB"}});
    if (!store) return 2;
    for (int i = 0; i < 100; ++i) {
      if (Put(*store, ProcessKey(i), std::string(100'000, 'c')) != Code::kOk) return 3;
    }
    return CloseStore(*store).ok() ? 0 : 4;
  });
  OpenedLmdb store(root / "db", nullptr, {{"map_size", "2MiB"}});
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  EXPECT_EQ(GetText(*store, "k"), "v");
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!stop) failed += GetText(*store, "k") != "v";
    });
  }
  to_child.Send(1);
  EXPECT_EQ(WaitChild(child), 0);
  EXPECT_EQ(GetFrom(*store, ProcessKey(99)).value->size(), 100'000u);
  EXPECT_EQ(Put(*store, "after", "w"), Code::kOk);
  OpenedLmdb bucket(root / "db", "another", {{"map_size", "2MiB"}});
  EXPECT_EQ(Put(*bucket, "k", "v"), Code::kOk);
  stop = true;
  for (std::thread& thread : readers) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST(LmdbProcessTest, AWriterMeetsALargerMapFirst) {
  const TemporaryDirectory root;
  Pipe to_child;
  const pid_t child = StartLoneChild([&] {
    if (to_child.Receive() != 1) return 1;
    Ref<Store> store = OpenLmdb(root / "db", nullptr, {{"map_size", "32MiB"}});
    if (!store || Put(*store, "large", std::string(10 << 20, 'c')) != Code::kOk) return 2;
    return CloseStore(*store).ok() ? 0 : 3;
  });
  OpenedLmdb store(root / "db", nullptr, {{"map_size", "2MiB"}});
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  to_child.Send(1);
  EXPECT_EQ(WaitChild(child), 0);
  EXPECT_EQ(Put(*store, "k", "w"), Code::kOk);
  EXPECT_EQ(GetFrom(*store, "large").value->size(), size_t{10 << 20});
}

// A reader that died keeps pages from being used again until somebody clears it away.
TEST(LmdbProcessTest, ADeadProcessDoesNotFillTheMap) {
  const TemporaryDirectory root;
  Pipe to_child, to_parent;
  const pid_t child = StartLoneChild([&] {
    if (to_child.Receive() != 1) return 1;
    PlainLmdb plain(root / "db");
    MDB_txn* txn;
    if (mdb_txn_begin(plain.env(), nullptr, MDB_RDONLY, &txn) != 0) return 2;
    to_parent.Send(2);
    return to_child.Receive();
  });
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}, {"map_size", "8MiB"}});
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  to_child.Send(1);
  ASSERT_EQ(to_parent.Receive(), 2);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  EXPECT_EQ(WaitChild(child), 1000 + SIGKILL);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(Put(*store, "k", std::string(100'000, 'v')), Code::kOk) << i;
  }
}

// Readers of this process that are idle do not keep old pages either.
TEST(LmdbProcessTest, ReadsBetweenWritesDoNotLetTheFileGrow) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(Put(*store, "k", std::string(100'000, 'v')), Code::kOk);
    ASSERT_EQ(GetFrom(*store, "k").value->size(), 100'000u);
    ASSERT_EQ(ScanPage(*store, Range()).entries.size(), 1u);
    if (i % 100 == 0) std::thread([&] { GetText(*store, "k"); }).join();
  }
  struct stat info;
  ASSERT_EQ(stat((root / "db/data.mdb").c_str(), &info), 0);
  EXPECT_LT(info.st_size, 2 << 20);
}

// ---- Fork ----

TEST(LmdbProcessTest, AForkedChildIsToldSoAndHarmsNothing) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
  ASSERT_EQ(GetText(*store, "k"), "v");
  const int result = RunInChild([&] {
    if (GetText(*store, "k") != "(CS_FORKED)") return 1;
    if (Put(*store, "k", "w") != Code::kForked) return 2;
    if (Del(*store, "k") != Code::kForked) return 3;
    if (ScanText(*store, Range()) != "(CS_FORKED)") return 4;
    if (FlushStore(*store).code() != Code::kForked) return 5;
    uint64_t bytes;
    if (store->UsedBytes(&bytes)) return 6;
    auto batch = MakeRef<Batch>();
    batch->ops.push_back({OwnedKey(Key("k")), nullptr, 0});
    if (!WriteInto(*store, batch).status.Is(Code::kForked)) return 7;
    // It cannot start threads in a child of several threads.
    if (kThreadSanitizer) return 0;
    // What it opens itself is its own.
    const auto own = TryOpenLmdb(root / "db");
    if (!own.ok()) return 8;
    if (GetText(**own, "k") != "v" || Put(**own, "child", "c") != Code::kOk) return 9;
    return CloseStore(**own).ok() ? 0 : 10;
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(GetText(*store, "k"), "v");
  EXPECT_EQ(GetText(*store, "child"), kThreadSanitizer ? "(CS_NOT_FOUND)" : "c");
  EXPECT_EQ(Put(*store, "k", "x"), Code::kOk);
  EXPECT_EQ(GetText(*store, "k"), "x");
}

// ---- kill -9 ----

class LmdbKillTest : public ::testing::TestWithParam<const char*> {};

TEST_P(LmdbKillTest, WhatWasAcknowledgedIsThereAfterwards) {
  const TemporaryDirectory root;
  const OptionPairs options = {{"durability", GetParam()}};
  std::mt19937 random(7);
  int next = 0;
  for (int cycle = 0; cycle < 6; ++cycle) {
    Pipe acknowledged;
    const pid_t child = StartLoneChild([&] {
      Ref<Store> store = OpenLmdb(root / "db", nullptr, options);
      if (!store) return 1;
      std::vector<std::thread> threads;
      std::atomic<int> number{next};
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          for (;;) {
            const int mine = number++;
            const std::string value = std::string(static_cast<size_t>(mine % 5000), 'v');
            if (Put(*store, ProcessKey(mine), value) != Code::kOk) _exit(2);
            // Every other one is deleted again, the one before it stays.
            if (mine % 2 == 1 && Del(*store, ProcessKey(mine)) != Code::kOk) _exit(3);
            acknowledged.Send(mine);
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      return 0;
    });
    acknowledged.CloseSending();
    std::vector<int> numbers;
    const size_t enough = 20 + random() % 60;
    while (numbers.size() < enough) {
      const int number = acknowledged.Receive();
      ASSERT_GE(number, 0) << "the child ended by itself";
      numbers.push_back(number);
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    EXPECT_EQ(WaitChild(child), 1000 + SIGKILL);
    for (int number; (number = acknowledged.Receive()) >= 0;) numbers.push_back(number);
    OpenedLmdb store(root / "db", nullptr, options);
    for (const int number : numbers) {
      const Answer answer = GetFrom(*store, ProcessKey(number));
      if (number % 2 == 1) {
        EXPECT_EQ(answer.status.code(), Code::kNotFound) << "a deleted key came back";
      } else {
        ASSERT_TRUE(answer.status.ok()) << answer.status.ToString();
        EXPECT_EQ(answer.value->size(), static_cast<size_t>(number % 5000));
      }
      next = std::max(next, number + 1);
    }
    next += 100;  // beyond those that were written and not acknowledged
  }
}
INSTANTIATE_TEST_SUITE_P(Durabilities, LmdbKillTest, ::testing::Values("full", "cache"));

// ---- Threads ----

// Every operation at once, from eight threads, on two buckets of one file: each thread finds what
// it wrote last.
TEST(LmdbThreadTest, EightThreadsMixEveryOperation) {
  const TemporaryDirectory root;
  OpenedLmdb a(root / "db", "a", {{"durability", "cache"}});
  OpenedLmdb b(root / "db", "b", {{"durability", "cache"}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Store& store = t % 2 ? *a : *b;
      std::mt19937 random(t);
      std::map<std::string, std::string> mine;
      for (int i = 0; i < 150; ++i) {
        const std::string key = "t" + std::to_string(t) + "-" + std::to_string(random() % 10);
        const std::string value(random() % 6000, static_cast<char>('a' + t));
        const Wait wait = random() % 2 ? Wait::kHere : Wait::kLater;
        switch (random() % 8) {
          case 0:
          case 1:
            EXPECT_TRUE(PutInto(store, key, value, 0, wait).status.ok());
            mine[key] = value;
            break;
          case 2:
            EXPECT_EQ(Del(store, key), Code::kOk);
            mine.erase(key);
            break;
          case 3: {
            auto batch = MakeRef<Batch>();
            batch->ops.push_back({OwnedKey(Key(key)), Value::Copy(value), 0});
            batch->ops.push_back({OwnedKey(Key("shared")), Value::Copy(key), 0});
            EXPECT_TRUE(WriteInto(store, batch).status.ok());
            mine[key] = value;
            break;
          }
          case 4: {
            Range range;
            range.prefix = "t" + std::to_string(t) + "-";
            const Page page = ScanPage(store, range);
            EXPECT_EQ(page.entries.size(), mine.size());
            break;
          }
          case 5: {
            Entries many;
            Await<Entries>(Call(), &many, [&](Done<Entries> done) {
              store.GetMany({OwnedKey(Key(key)), OwnedKey(Key("shared"))}, CallOf(wait),
                            std::move(done));
            });
            EXPECT_EQ(many.entries[0].status.ok(), mine.contains(key));
            break;
          }
          default: {
            const Answer answer = GetFrom(store, key, 0, wait);
            const auto found = mine.find(key);
            EXPECT_EQ(answer.status.ok(), found != mine.end());
            if (answer.status.ok() && found != mine.end()) {
              EXPECT_EQ(answer.value->bytes(), found->second);
            }
            uint64_t bytes = 0;
            EXPECT_TRUE(store.UsedBytes(&bytes));
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Writes of one key that one thread starts take effect in that order, whichever way they wait.
TEST(LmdbThreadTest, WritesOfOneKeyTakeEffectInTheOrderOfTheirStart) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> answered{0};
    for (int i = 0; i < 20; ++i) {
      store->Put(Key("k"), Payload(Bytes("later" + std::to_string(i))), CallOf(Wait::kLater),
                 [&](Receipt&&) { ++answered; });
    }
    ASSERT_EQ(Put(*store, "k", "last"), Code::kOk);
    EXPECT_EQ(GetText(*store, "k"), "last");
    while (answered < 20) sched_yield();
    EXPECT_EQ(GetText(*store, "k"), "last");
  }
}

}  // namespace
}  // namespace chainstore
