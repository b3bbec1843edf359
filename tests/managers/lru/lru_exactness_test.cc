// With one shard and no cushion the LRU is the textbook's, entry for entry.
#include <cmath>
#include <list>
#include <random>
#include <unordered_map>

#include "managers/lru/lru_testing.h"
#include "stores/memory/memory_store.h"

namespace chainstore {
namespace {

class TextbookLru {
 public:
  explicit TextbookLru(size_t capacity) : capacity_(capacity) {}
  bool Access(uint32_t key) {
    const auto found = at_.find(key);
    if (found != at_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return true;
    }
    if (at_.size() == capacity_) {
      at_.erase(order_.back());
      order_.pop_back();
    }
    order_.push_front(key);
    at_[key] = order_.begin();
    return false;
  }

 private:
  const size_t capacity_;
  std::list<uint32_t> order_;
  std::unordered_map<uint32_t, std::list<uint32_t>::iterator> at_;
};

// Zipf 0.99 over 20,000 keys, with a scan of 3,000 keys that come only once in the middle of it.
std::vector<uint32_t> Trace() {
  std::vector<double> weights;
  for (int i = 1; i <= 20000; ++i) weights.push_back(1 / std::pow(i, 0.99));
  std::mt19937 random(7);
  std::discrete_distribution<uint32_t> zipf(weights.begin(), weights.end());
  std::vector<uint32_t> trace;
  for (int i = 0; i < 30000; ++i) {
    trace.push_back(zipf(random));
    if (i % 15000 == 7500) {
      for (uint32_t once = 0; once < 3000; ++once) trace.push_back(1000000 + once);
    }
  }
  return trace;
}

std::string KeyOf(uint32_t number) {
  std::string key = std::to_string(number);
  return std::string(8 - key.size(), '0') + key;  // all keys cost the same
}

TEST(LruExactnessTest, EveryHitAndMissIsTheTextbooks) {
  const std::vector<uint32_t> trace = Trace();
  for (const size_t capacity : {1u, 30u, 1000u, 5000u}) {
    Ref<Store> memory = *NewMemoryStore(1 << 30, nullptr);
    const uint64_t cost = memory->EntryCost(8, 1);
    auto lru = LruAround(memory, capacity * cost);
    TextbookLru textbook(capacity);
    size_t hits = 0;
    for (size_t at = 0; at < trace.size(); ++at) {
      const std::string key = KeyOf(trace[at]);
      const bool hit = GetFrom(*lru, key).status.ok();
      ASSERT_EQ(hit, textbook.Access(trace[at])) << "capacity " << capacity << ", access " << at;
      if (!hit) {
        ASSERT_EQ(Put(*lru, key, "v"), Code::kOk);
      }
      hits += hit;
    }
    EXPECT_TRUE(capacity == 1 || hits > 0);
  }
}

// Sharded it is not exact, but not far from it.
TEST(LruExactnessTest, ShardsCostLittle) {
  const std::vector<uint32_t> trace = Trace();
  constexpr size_t kCapacity = 2000;
  Ref<Store> memory = *NewMemoryStore(1 << 30, nullptr);
  auto lru = LruAround(memory, kCapacity * memory->EntryCost(8, 1), {{"shards", "16"}});
  TextbookLru textbook(kCapacity);
  size_t hits = 0, expected = 0;
  for (const uint32_t number : trace) {
    const std::string key = KeyOf(number);
    const bool hit = GetFrom(*lru, key).status.ok();
    if (!hit) {
      ASSERT_EQ(Put(*lru, key, "v"), Code::kOk);
    }
    hits += hit;
    expected += textbook.Access(number);
  }
  EXPECT_NEAR(100.0 * static_cast<double>(hits) / static_cast<double>(trace.size()),
              100.0 * static_cast<double>(expected) / static_cast<double>(trace.size()), 0.5);
}

}  // namespace
}  // namespace chainstore
