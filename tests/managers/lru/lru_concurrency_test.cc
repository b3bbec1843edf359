// The ceiling and the ledger under eight threads.
#include <random>

#include "managers/lru/lru_testing.h"
#include "stores/memory/memory_store.h"

namespace chainstore {
namespace {

constexpr int kThreads = 8;

// Every operation, at random, on few keys; returns when all threads are done.
void Mix(LruStore& lru, int operations, const std::function<void()>& check) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(static_cast<uint32_t>(thread));
      const auto key = [&] { return "key" + std::to_string(random() % 200); };
      for (int i = 0; i < operations; ++i) {
        const Wait wait = random() % 2 == 0 ? Wait::kHere : Wait::kLater;
        switch (random() % 8) {
          case 0:
          case 1:
          case 2:
            EXPECT_FALSE(
                PutInto(lru, key(), std::string(random() % 300, 'v'), 0, wait).status.failed());
            break;
          case 3:
            EXPECT_EQ(Del(lru, key()), Code::kOk);
            break;
          case 4: {
            auto batch = MakeRef<Batch>();
            for (int op = 0; op < 4; ++op) {
              batch->ops.push_back(
                  {OwnedKey(Key(key())), op == 3 ? nullptr : Value::Copy("batched"), 0});
            }
            EXPECT_TRUE(WriteInto(lru, batch).status.ok());
            break;
          }
          case 5:
            PutInto(lru, key(), "try", 0, Wait::kNever);
            break;
          default:
            EXPECT_FALSE(GetFrom(lru, key(), 0, wait).status.failed());
            break;
        }
        check();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class LruPolicyConcurrencyTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Policies, LruPolicyConcurrencyTest, ::testing::Values("lru", "s3fifo"));

TEST_P(LruPolicyConcurrencyTest, TheCeilingIsNeverExceededAndTheLedgerEqualsTheStore) {
  for (const char* shards : {"1", "4"}) {
    constexpr uint64_t kMaxBytes = 10000;
    Ref<Store> memory = *NewMemoryStore(1 << 20, nullptr);
    auto lru = LruAround(memory, kMaxBytes,
                         {{"shards", shards}, {"cushion", "10%"}, {"policy", GetParam()}});
    const auto used = [&] {
      uint64_t bytes = 0;
      EXPECT_TRUE(memory->UsedBytes(&bytes));
      return bytes;
    };
    Mix(*lru, 2000, [&] { EXPECT_LE(used(), kMaxBytes); });
    WaitIdle(*lru);
    EXPECT_EQ(lru->ledger().bytes(), used());
    std::string held;
    uint64_t count = 0;
    for (Range range;;) {
      const Page page = ScanPage(*memory, range);
      for (const Entry& entry : page.entries) {
        EXPECT_TRUE(lru->ledger().HoldsIdle(Key(entry.key))) << entry.key;
        ++count;
      }
      if (!page.more) break;
      range.after = page.entries.back().key;
      range.has_after = true;
    }
    EXPECT_EQ(lru->ledger().count(), count);
    // The policy has lost sight of none of them.
    EXPECT_TRUE(lru->Set("max_bytes", "1").ok());
    EXPECT_EQ(lru->ledger().count(), 0u);
  }
}

// The same around a store that knows no size, which fails now and then, late, on other threads.
TEST_P(LruPolicyConcurrencyTest, TheLedgerComesBackToTheStoreAfterFailures) {
  constexpr uint64_t kMaxBytes = 4000;
  auto inner = ScriptedStore::New("inner");
  auto lru =
      LruAround(inner, kMaxBytes, {{"shards", "2"}, {"cushion", "10%"}, {"policy", GetParam()}});
  WaitLoaded(*lru);
  std::atomic<uint32_t> count{0};
  inner->SetScript([&](ScriptedStore::Op op, const std::string&, const ScriptedStore::Go& go) {
    const uint32_t at = count.fetch_add(1);
    const Code code = at % 7 == 0 && op != ScriptedStore::Op::kGet ? Code::kIo : Code::kOk;
    if (at % 3 != 0) return go(code);
    inner->runtime().Post(Lane::kFast, [go, code] { go(code); });
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(static_cast<uint32_t>(thread));
      for (int i = 0; i < 500; ++i) {
        const std::string key = "key" + std::to_string(random() % 100);
        const Wait wait = random() % 2 == 0 ? Wait::kHere : Wait::kLater;
        switch (random() % 4) {
          case 0:
            Del(*lru, key);
            break;
          case 1:
            GetFrom(*lru, key, 0, wait);
            break;
          default:
            PutInto(*lru, key, std::string(random() % 100, 'v'), 0, wait);
        }
        EXPECT_LE(lru->ledger().bytes(), kMaxBytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  inner->SetScript(nullptr);
  WaitIdle(*lru);
  // Reads put right what failures left in doubt.
  for (int i = 0; i < 100; ++i) GetFrom(*lru, "key" + std::to_string(i));
  WaitIdle(*lru);
  for (int i = 0; i < 100; ++i) {
    const std::string key = "key" + std::to_string(i);
    EXPECT_EQ(lru->ledger().HoldsIdle(Key(key)), inner->Has(key)) << key;
  }
  EXPECT_TRUE(lru->Set("max_bytes", "1").ok());
  EXPECT_EQ(lru->ledger().count(), 0u) << "the policy has lost sight of none";
}

// Room for each alone, and never for all: whoever finds none waits for those that have it. That
// nothing is left that could go must never seem so, however the others' ends fall.
TEST(LruConcurrencyTest, AWriteThatFitsIsNeverToldThatThereIsNoRoom) {
  auto inner = ScriptedStore::New("inner");
  auto lru = LruAround(inner, 100, {{"cushion", "0%"}});
  WaitLoaded(*lru);
  constexpr int kPuts = 1000;
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const Wait wait = thread % 2 == 0 ? Wait::kLater : Wait::kHere;
      for (int i = 0; i < kPuts; ++i) {
        const std::string key = "key" + std::to_string(thread * kPuts + i);
        const std::string value(static_cast<size_t>(i % 80), 'v');
        lru->Put(Key(key), Payload(value), CallOf(wait), [&](Receipt&& receipt) {
          EXPECT_TRUE(receipt.status.ok()) << receipt.status.ToString();
          ++answered;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  WaitUntil([&] { return answered.load() == kThreads * kPuts; });
}

TEST(LruConcurrencyTest, ACloseAmongWritesEndsThemAllOnce) {
  auto inner = ScriptedStore::New("inner");
  auto lru = LruAround(inner, 1000, {{"cushion", "10%"}});
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const std::string key = "key" + std::to_string(thread * 1000 + i);
        lru->Put(Key(key), Payload("some value"), CallOf(Wait::kLater), [&](Receipt&& receipt) {
          EXPECT_TRUE(receipt.status.ok() || receipt.status.Is(Code::kClosed))
              << receipt.status.ToString();
          ++answered;
        });
        if (thread == 0 && i == 100) lru->Close(CallOf(Wait::kLater), [](Status&&) {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  WaitUntil([&] { return answered.load() == kThreads * 200; });
  EXPECT_TRUE(CloseStore(*lru).ok());
}

}  // namespace
}  // namespace chainstore
