// policy=s3fifo: with one shard and no cushion it is S3-FIFO, entry for entry; the ceiling and the
// restart are those of every policy (lru_concurrency_test.cc).
#include <cmath>
#include <deque>
#include <random>
#include <unordered_map>

#include "managers/lru/lru_testing.h"
#include "stores/filesystem/filesystem_store.h"
#include "stores/memory/memory_store.h"
#include "support/temporary_directory.h"

namespace chainstore {
namespace {

// As the paper has it, with lists and sets.
class TextbookS3Fifo {
 public:
  explicit TextbookS3Fifo(size_t capacity) : capacity_(capacity) {}
  bool Access(uint32_t key) {
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      found->second = std::min(found->second + 1, 3);
      return true;
    }
    if (entries_.size() == capacity_) Evict();
    const auto ghost = ghost_.find(key);
    const bool known = ghost != ghost_.end() && evicted_ - ghost->second < capacity_ * 9 / 10;
    if (known) ghost_.erase(ghost);
    (known ? main_ : small_).push_back(key);
    entries_[key] = 0;
    return false;
  }

 private:
  void Evict() {
    const size_t target = std::max<size_t>(1, capacity_ / 10);
    while (!small_.empty() && (small_.size() >= target || promoting_)) {
      const uint32_t key = small_.front();
      small_.pop_front();
      if (entries_[key] > 1) {
        entries_[key] = 0;
        main_.push_back(key);
        promoting_ = true;  // one that goes is wanted, however few are left
        continue;
      }
      promoting_ = false;
      entries_.erase(key);
      ghost_[key] = ++evicted_;
      return;
    }
    promoting_ = false;
    while (entries_[main_.front()] > 0) {
      --entries_[main_.front()];
      main_.push_back(main_.front());
      main_.pop_front();
    }
    entries_.erase(main_.front());
    main_.pop_front();
  }

  const size_t capacity_;
  std::deque<uint32_t> small_, main_;
  std::unordered_map<uint32_t, int> entries_;  // how often they were used
  std::unordered_map<uint32_t, uint64_t> ghost_;
  uint64_t evicted_ = 0;
  bool promoting_ = false;
};

std::string KeyOf(uint32_t number) {
  const std::string key = std::to_string(number);
  return std::string(8 - key.size(), '0') + key;  // all keys cost the same
}

// Zipf 0.99 over 2,000 keys, with scans of keys that come only once.
std::vector<uint32_t> Trace() {
  std::vector<double> weights;
  for (int i = 1; i <= 2000; ++i) weights.push_back(1 / std::pow(i, 0.99));
  std::mt19937 random(7);
  std::discrete_distribution<uint32_t> zipf(weights.begin(), weights.end());
  std::vector<uint32_t> trace;
  for (uint32_t i = 0; i < 8000; ++i) {
    trace.push_back(zipf(random));
    if (i % 2000 == 1000) {
      for (uint32_t once = 0; once < 400; ++once) trace.push_back(1000000 + 1000 * i + once);
    }
  }
  return trace;
}

// What the keys of the trace hit, one by one, in an LRU of so many entries.
std::vector<bool> Hits(const std::vector<uint32_t>& trace, size_t capacity, OptionList options) {
  Ref<Store> memory = *NewMemoryStore(1 << 30, nullptr);
  auto lru = LruAround(memory, capacity * memory->EntryCost(8, 1), std::move(options));
  std::vector<bool> hits;
  for (const uint32_t number : trace) {
    const std::string key = KeyOf(number);
    hits.push_back(GetFrom(*lru, key).status.ok());
    if (!hits.back()) {
      EXPECT_EQ(Put(*lru, key, "v"), Code::kOk);
    }
  }
  return hits;
}

TEST(S3FifoTest, EveryHitAndMissIsTheTextbooks) {
  const std::vector<uint32_t> trace = Trace();
  for (const size_t capacity : {1u, 2u, 30u, 200u}) {
    const std::vector<bool> hits = Hits(trace, capacity, {{"policy", "s3fifo"}});
    TextbookS3Fifo textbook(capacity);
    for (size_t at = 0; at < trace.size(); ++at) {
      ASSERT_EQ(hits[at], textbook.Access(trace[at])) << "capacity " << capacity << ", " << at;
    }
  }
}

TEST(S3FifoTest, AScanDoesNotFlushIt) {
  const std::vector<uint32_t> trace = Trace();
  const auto count = [&](const char* policy) {
    const std::vector<bool> hits = Hits(trace, 200, {{"policy", policy}});
    return std::count(hits.begin(), hits.end(), true);
  };
  EXPECT_GT(count("s3fifo"), count("lru") * 105 / 100);
}

TEST(S3FifoTest, WhatCouldNotBeEvictedIsEvictedLater) {
  auto inner = ScriptedStore::New("inner");
  const uint64_t cost = inner->EntryCost(8, 1);
  auto lru = LruAround(inner, 300 * cost, {{"policy", "s3fifo"}});
  WaitLoaded(*lru);
  for (uint32_t number = 0; number < 300; ++number) Put(*lru, KeyOf(number), "v");
  inner->Fail(ScriptedStore::Op::kDel, Code::kIo);
  for (uint32_t number = 300; number < 400; ++number) Put(*lru, KeyOf(number), "v");
  EXPECT_EQ(lru->ledger().count(), 300u);
  inner->Fail(ScriptedStore::Op::kDel, Code::kOk);
  EXPECT_TRUE(lru->Set("max_bytes", std::to_string(cost)).ok());
  EXPECT_EQ(lru->ledger().count(), 1u);
}

TEST(S3FifoTest, DeletedEntriesLeaveRoomAndNoTrace) {
  Ref<Store> memory = *NewMemoryStore(1 << 30, nullptr);
  auto lru = LruAround(memory, 100 * memory->EntryCost(8, 1), {{"policy", "s3fifo"}});
  for (uint32_t number = 0; number < 10000; ++number) {
    ASSERT_EQ(Put(*lru, KeyOf(number), "v"), Code::kOk);
    if (number % 3 != 0) Del(*lru, KeyOf(number));
  }
  EXPECT_EQ(lru->ledger().count(), 100u);
  EXPECT_TRUE(GetFrom(*lru, KeyOf(9999)).status.ok());
}

TEST(S3FifoTest, IsWarmAfterARestartInTheOrderOfItsQueues) {
  TemporaryDirectory directory;
  const auto open = [&] {
    auto files = NewFilesystemStore(directory / "store", nullptr);
    EXPECT_TRUE(files.ok()) << files.status().ToString();
    auto lru =
        LruAround(*files, uint64_t{100} << 20, {{"policy", "s3fifo"}, {"recency_interval", "1h"}});
    WaitLoaded(*lru);
    return lru;
  };
  auto lru = open();
  for (uint32_t number = 40; number > 0; --number) {
    ASSERT_EQ(Put(*lru, KeyOf(number), "v"), Code::kOk);
  }
  const uint64_t bytes = lru->ledger().bytes();
  ASSERT_TRUE(CloseStore(*lru).ok());
  lru = open();
  EXPECT_EQ(lru->ledger().count(), 40u);
  EXPECT_EQ(lru->ledger().bytes(), bytes);
  GetFrom(*lru, KeyOf(40));  // the oldest, but in use
  EXPECT_TRUE(lru->Set("max_bytes", std::to_string(bytes / 2)).ok());
  for (const uint32_t number : {1u, 10u, 40u}) {
    EXPECT_TRUE(GetFrom(lru->below(), KeyOf(number)).status.ok()) << number;
  }
  for (const uint32_t number : {39u, 30u}) {
    EXPECT_FALSE(GetFrom(lru->below(), KeyOf(number)).status.ok()) << number;
  }
  EXPECT_TRUE(CloseStore(*lru).ok());
}

}  // namespace
}  // namespace chainstore
