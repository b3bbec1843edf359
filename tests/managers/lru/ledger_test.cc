#include "managers/lru/ledger.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "managers/lru/order_map.h"

namespace chainstore {
namespace {

Call Try() {
  Call call;
  call.wait = Wait::kNever;
  return call;
}

void Add(Ledger& ledger, const std::string& key, uint64_t cost = 1) {
  Held held;
  ASSERT_TRUE(ledger.TryLock(Key(key), &held));
  ledger.Unlock(held, Outcome::kWritten, cost);
}

std::string TakeOne(Ledger& ledger) {
  Held held;
  std::string key;
  if (!ledger.TakeVictim(&held, &key)) return "";
  ledger.Unlock(held, Outcome::kAbsent);
  return key;
}

class LedgerTest : public ::testing::Test {
 protected:
  const Ref<Runtime> runtime_ = RuntimeSlot::Default().Acquire();
};

TEST_F(LedgerTest, KnowsEveryKeyAndCostThroughGrowthAndRemoval) {
  Ledger ledger(1, runtime_);
  std::map<std::string, uint64_t> expected;
  std::mt19937 random(1);
  uint64_t sum = 0;
  for (int i = 0; i < 30000; ++i) {
    std::string key = std::to_string(random() % 5000);
    key += std::string(random() % 40, '.');
    key.resize(std::min<size_t>(key.size(), 1024));
    Held held;
    ASSERT_TRUE(ledger.TryLock(Key(key), &held));
    EXPECT_EQ(held.present, expected.contains(key));
    EXPECT_EQ(held.cost, expected.contains(key) ? expected[key] : 0);
    sum -= held.cost;
    if (random() % 3 == 0) {
      ledger.Unlock(held, Outcome::kAbsent);
      expected.erase(key);
    } else {
      const uint64_t cost = (uint64_t{random()} << 12) + 1;
      ledger.Unlock(held, Outcome::kWritten, cost);
      expected[key] = cost;
      sum += cost;
    }
    ASSERT_EQ(ledger.bytes(), sum);
  }
  EXPECT_EQ(ledger.count(), expected.size());
  for (const auto& [key, cost] : expected) EXPECT_TRUE(ledger.HoldsIdle(Key(key)));
  std::set<std::string> taken;
  for (std::string key = TakeOne(ledger); key != ""; key = TakeOne(ledger)) taken.insert(key);
  EXPECT_EQ(taken.size(), expected.size());
  EXPECT_EQ(ledger.bytes(), 0u);
}

TEST_F(LedgerTest, KeysOfEverySizeAreKept) {
  Ledger ledger(1, runtime_);
  for (size_t size = 1; size <= kMaxKeySize; ++size) Add(ledger, std::string(size, 'k'));
  for (size_t size = 1; size <= kMaxKeySize; ++size) {
    EXPECT_EQ(TakeOne(ledger), std::string(size, 'k'));
  }
  // And again, in what the others left.
  for (size_t size = kMaxKeySize; size >= 1; --size) Add(ledger, std::string(size, 'n'));
  for (size_t size = kMaxKeySize; size >= 1; --size) {
    EXPECT_EQ(TakeOne(ledger), std::string(size, 'n'));
  }
}

TEST_F(LedgerTest, AKeyIsLockedOnceAndItsVictimToo) {
  Ledger ledger(4, runtime_);
  Add(ledger, "k");
  Held held, other;
  ASSERT_TRUE(ledger.TryLock(Key("k"), &held));
  EXPECT_FALSE(ledger.TryLock(Key("k"), &other));
  EXPECT_EQ(TakeOne(ledger), "") << "a locked entry is not evicted";
  EXPECT_EQ(Ledger::Working(ledger.Work()), 1u);
  bool entered = false;
  ledger.Lock(Key("k"), Try(), &other, [&](Status&& turn) {
    entered = true;
    EXPECT_EQ(turn.code(), Code::kWouldBlock);
  });
  EXPECT_TRUE(entered);
  ledger.Unlock(held, Outcome::kUnchanged);
  EXPECT_EQ(Ledger::Working(ledger.Work()), 0u);
  EXPECT_EQ(TakeOne(ledger), "k");
}

TEST_F(LedgerTest, WorkThatBeganAndEndedBetweenTwoLooksIsSeen) {
  Ledger ledger(4, runtime_);
  Add(ledger, "k");
  const uint64_t alone = ledger.Work();
  EXPECT_EQ(Ledger::Working(alone), 0u);
  EXPECT_EQ(ledger.Work(), alone);
  Held held;
  ASSERT_TRUE(ledger.TryLock(Key("k"), &held));
  ledger.Unlock(held, Outcome::kUnchanged);
  EXPECT_EQ(Ledger::Working(ledger.Work()), 0u);
  EXPECT_NE(ledger.Work(), alone) << "a write";
  const uint64_t after_write = ledger.Work();
  EXPECT_EQ(TakeOne(ledger), "k");
  EXPECT_NE(ledger.Work(), after_write) << "an eviction";
  const uint64_t after_eviction = ledger.Work();
  ledger.Busy(1);
  ledger.Idle(1);
  EXPECT_NE(ledger.Work(), after_eviction) << "one that had waited";
}

TEST_F(LedgerTest, AWaiterLearnsWhatTheHolderLeft) {
  Ledger ledger(1, runtime_);
  Held first;
  ASSERT_TRUE(ledger.TryLock(Key("k"), &first));
  Held second;
  std::atomic<bool> entered{false};
  Call later;
  later.wait = Wait::kLater;
  ledger.Lock(Key("k"), later, &second, [&](Status&& turn) {
    EXPECT_TRUE(turn.ok());
    EXPECT_TRUE(second.present);
    EXPECT_EQ(second.cost, 7u);
    entered = true;
  });
  EXPECT_FALSE(entered);
  ledger.Unlock(first, Outcome::kWritten, 7);
  while (!entered) std::this_thread::yield();
  EXPECT_FALSE(ledger.HoldsIdle(Key("k")));
  ledger.Unlock(second, Outcome::kAbsent);
  EXPECT_EQ(ledger.count(), 0u);
}

TEST_F(LedgerTest, AWaitThatEndsGivesTheKeyToTheNext) {
  Ledger ledger(1, runtime_);
  Held first, second, third;
  ASSERT_TRUE(ledger.TryLock(Key("k"), &first));
  Call brief;
  brief.deadline_ns = Clock::System().DeadlineAfterMs(1);
  ledger.Lock(Key("k"), brief, &second,
              [](Status&& turn) { EXPECT_EQ(turn.code(), Code::kTimeout); });
  brief.wait = Wait::kLater;
  std::atomic<int> ended{0};
  ledger.Lock(Key("k"), brief, &second, [&](Status&& turn) {
    EXPECT_EQ(turn.code(), Code::kTimeout);
    ++ended;
  });
  Call later;
  later.wait = Wait::kLater;
  ledger.Lock(Key("k"), later, &third, [&](Status&& turn) {
    EXPECT_TRUE(turn.ok());
    ledger.Unlock(third, Outcome::kAbsent);
    ++ended;
  });
  ledger.Unlock(first, Outcome::kUnchanged);
  while (ended != 2) std::this_thread::yield();
  EXPECT_EQ(ledger.count(), 0u);
  EXPECT_EQ(Ledger::Working(ledger.Work()), 0u);
}

TEST_F(LedgerTest, SeedsGoInTheirOrderAndBeforeAllThatWasUsedSince) {
  Ledger ledger(1, runtime_);
  ledger.BeginPage();
  Add(ledger, "live");
  EXPECT_TRUE(ledger.Seed(Key("b"), 1, 20));
  EXPECT_TRUE(ledger.Seed(Key("a"), 1, 30));
  EXPECT_TRUE(ledger.Seed(Key("c"), 1, 10));
  EXPECT_FALSE(ledger.Seed(Key("live"), 99, 40)) << "what is known stays";
  EXPECT_EQ(TakeOne(ledger), "c");
  EXPECT_TRUE(ledger.Seed(Key("d"), 1, 5));
  EXPECT_FALSE(ledger.Seed(Key("c"), 1, 50)) << "it has gone since the page began";
  EXPECT_EQ(TakeOne(ledger), "d");
  EXPECT_EQ(TakeOne(ledger), "b");
  EXPECT_EQ(TakeOne(ledger), "a");
  EXPECT_EQ(ledger.bytes(), 1u);
  EXPECT_EQ(TakeOne(ledger), "live");
}

TEST_F(LedgerTest, TheOldestGoesHoweverManyAreBusy) {
  Ledger ledger(1, runtime_);
  for (int i = 0; i < 2000; ++i) Add(ledger, std::to_string(i));
  std::vector<Held> held(1999);
  for (size_t i = 0; i < 1999; ++i) {
    ASSERT_TRUE(ledger.TryLock(Key(std::to_string(i)), &held[i]));
  }
  EXPECT_EQ(TakeOne(ledger), "1999");
  EXPECT_EQ(TakeOne(ledger), "");
  for (const Held& each : held) ledger.Unlock(each, Outcome::kUnchanged);
  EXPECT_EQ(TakeOne(ledger), "0");
}

// What a hit costs on the way must never be a wrong answer: readers race with every change.
TEST_F(LedgerTest, TouchesRaceWithGrowthAndRemoval) {
  Ledger ledger(2, runtime_);
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int thread = 0; thread < 3; ++thread) {
    readers.emplace_back([&, thread] {
      std::mt19937 random(static_cast<uint32_t>(thread));
      while (!stop) ledger.Touch(Key(std::to_string(random() % 4000)));
    });
  }
  std::mt19937 random(9);
  for (int i = 0; i < 20000; ++i) {
    const std::string key = std::to_string(random() % 4000);
    Held held;
    ASSERT_TRUE(ledger.TryLock(Key(key), &held));
    ledger.Unlock(held, random() % 4 == 0 ? Outcome::kAbsent : Outcome::kWritten, 1);
    if (i % 5 == 0) TakeOne(ledger);
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(ledger.bytes(), ledger.count());
}

TEST(TickerTest, GrowsOnOneThreadAndLagsLittleBetweenThreads) {
  Ticker ticker(64);
  uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t tick = ticker.Next();
    EXPECT_GT(tick, last);
    last = tick;
  }
  std::thread([&] { EXPECT_GT(ticker.Next() + ticker.Lag(), last); }).join();
  EXPECT_EQ(ticker.Last(), last);
}

TEST(OrderMapTest, HoldsTheLastOrderOfEachFingerprint) {
  OrderMap map;
  EXPECT_EQ(map.Get(5), 0u);
  for (uint64_t i = 0; i < 10000; ++i) map.Set(i * 0x9e3779b97f4a7c15u, i + 1);
  map.Reserve(50000);
  map.Set(0, 77);
  EXPECT_EQ(map.Get(0), 77u);
  for (uint64_t i = 1; i < 10000; ++i) EXPECT_EQ(map.Get(i * 0x9e3779b97f4a7c15u), i + 1);
  EXPECT_EQ(map.size(), 10000u);
}

}  // namespace
}  // namespace chainstore
