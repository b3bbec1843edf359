#include <atomic>
#include <random>
#include <thread>

#include "memory_fixture.h"

namespace chainstore {
namespace {

constexpr int kThreads = 8;

class MemoryConcurrencyTest : public MemoryFixture {
 protected:
  template <class Body>
  static void Run(const Body& body) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&body, thread] {
        std::mt19937 random(static_cast<unsigned>(thread));
        body(thread, random);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

// A value says which key it belongs to and repeats one byte: a torn or foreign one shows.
std::string ValueFor(const std::string& key, uint32_t number) {
  return key + ":" + std::string(number % 300, static_cast<char>('a' + number % 26));
}
bool IsValueOf(const std::string& key, Bytes value) {
  if (!value.starts_with(key + ":")) return false;
  const Bytes rest = value.substr(key.size() + 1);
  return rest.empty() || rest.find_first_not_of(rest[0]) == Bytes::npos;
}

TEST_F(MemoryConcurrencyTest, MixesEveryOperationOnFewKeys) {
  const uint64_t max_bytes = 60'000;
  Open(max_bytes, "4");
  std::atomic<bool> over{false};
  Run([&](int thread, std::mt19937& random) {
    std::vector<std::pair<std::string, Ref<Value>>> pinned;
    for (int i = 0; i < 20'000; ++i) {
      const std::string key = "k" + std::to_string(random() % 400);
      switch (random() % 16) {
        case 0:
          EXPECT_TRUE(Del(key).status.ok());
          break;
        case 1:
        case 2:
        case 3:
        case 4: {
          const std::string value = ValueFor(key, random());
          const int64_t expiry = random() % 4 == 0 ? kStartMs + random() % 1000 : 0;
          const Receipt receipt = Put(key, value, expiry);
          EXPECT_TRUE(receipt.status.ok() || receipt.status.Is(Code::kNoSpace));
          break;
        }
        case 5: {
          const Ref<Value> shared = Value::Wrap("kept:", nullptr, nullptr);
          EXPECT_FALSE(Put("kept", Payload(shared)).status.Is(Code::kInvalid));
          break;
        }
        case 6: {
          if (i % 50 != 0) break;
          Range range;
          range.page_size = 20;
          for (const Entry& entry : Scan(range).entries) {
            EXPECT_TRUE(IsValueOf(entry.key, entry.value->bytes()));
          }
          break;
        }
        case 7:
          clock_.AdvanceMs(thread == 0 ? 1 : 0);
          break;
        case 8: {
          Store::Keys keys;
          for (int at = 0; at < 10; ++at)
            keys.emplace_back(Key("k" + std::to_string(random() % 400)));
          store_->GetMany(std::move(keys), Call(), [](Entries&& entries) {
            for (const Entry& entry : entries.entries) {
              EXPECT_TRUE(!entry.value || IsValueOf(entry.key, entry.value->bytes()));
            }
          });
          break;
        }
        default: {
          Answer answer = Get(key);
          if (!answer.value) break;
          EXPECT_TRUE(IsValueOf(key, answer.value->bytes())) << answer.value->bytes();
          pinned.emplace_back(key, std::move(answer.value));
          if (pinned.size() > 50) pinned.erase(pinned.begin(), pinned.begin() + 25);
        }
      }
      if (Used() > max_bytes) over = true;
    }
    for (const auto& [key, value] : pinned) EXPECT_TRUE(IsValueOf(key, value->bytes()));
  });
  EXPECT_FALSE(over) << "the budget was exceeded";
  for (int i = 0; i < 400; ++i) EXPECT_TRUE(Del("k" + std::to_string(i)).status.ok());
  EXPECT_TRUE(Del("kept").status.ok());
  EXPECT_EQ(Used(), 0u) << "what was counted was given back";
}

// A key that is never deleted is never missed, however the table changes around it.
TEST_F(MemoryConcurrencyTest, NeverMissesAKeyWhileTheTableGrows) {
  Open(uint64_t{256} << 20, "1");
  constexpr int kStay = 200;
  for (int i = 0; i < kStay; ++i) ASSERT_TRUE(Put("stay" + std::to_string(i), "0").status.ok());
  std::atomic<int> writing{kThreads / 2};
  Run([&](int thread, std::mt19937& random) {
    if (thread % 2 == 0) {
      for (int i = 0; i < 20'000; ++i) {
        EXPECT_TRUE(Put(std::to_string(thread) + "." + std::to_string(i), "v").status.ok());
        if (i % 4 == 3) {
          EXPECT_TRUE(Del(std::to_string(thread) + "." + std::to_string(i - 2)).status.ok());
        }
        if (i % 64 == 0) {
          EXPECT_TRUE(Put("stay" + std::to_string(random() % kStay), "1").status.ok());
        }
      }
      --writing;
    } else {
      while (writing > 0) {
        EXPECT_NE(Text("stay" + std::to_string(random() % kStay)), "[CS_NOT_FOUND]");
      }
    }
  });
}

// Per key: a reader never sees the number go back, and never anything older than what was
// acknowledged before it began.
TEST_F(MemoryConcurrencyTest, ReadersNeverGoBackInTime) {
  Open(uint64_t{64} << 20, "1");
  constexpr int kKeys = 4;
  std::atomic<int> acknowledged[kKeys] = {};
  std::atomic<int> writing{kKeys};
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(Put("k" + std::to_string(i), "0").status.ok());
  Run([&](int thread, std::mt19937& random) {
    if (thread < kKeys) {
      const std::string key = "k" + std::to_string(thread);
      for (int i = 1; i <= 30'000; ++i) {
        EXPECT_TRUE(Put(key, std::to_string(i)).status.ok());
        acknowledged[thread].store(i);
      }
      --writing;
      return;
    }
    int last[kKeys] = {};
    while (writing > 0) {
      const int at = static_cast<int>(random() % kKeys);
      const int floor = std::max(acknowledged[at].load(), last[at]);
      last[at] = std::stoi(Text("k" + std::to_string(at)));
      EXPECT_GE(last[at], floor);
    }
  });
}

TEST_F(MemoryConcurrencyTest, LetsOneOfManyPutIfAbsent) {
  constexpr int kRounds = 2000;
  std::atomic<int> won[kRounds] = {};
  Run([&](int, std::mt19937&) {
    for (int i = 0; i < kRounds; ++i) {
      const Receipt receipt = Put(std::to_string(i), Payload("v"), With(Call::kIfAbsent));
      EXPECT_TRUE(receipt.status.ok() || receipt.status.Is(Code::kExists));
      if (receipt.status.ok()) ++won[i];
    }
  });
  for (const std::atomic<int>& winners : won) EXPECT_EQ(winners, 1);
}

TEST_F(MemoryConcurrencyTest, KeepsTheBudgetWhileManyFillIt) {
  const uint64_t cost = MemoryEntry::Cost(8, 50);
  Open(500 * cost);
  std::atomic<int> stored{0};
  Run([&](int thread, std::mt19937&) {
    for (int i = 0; i < 1000; ++i) {
      const std::string key = std::to_string(thread) + "key" + std::to_string(1000 + i);
      const Receipt receipt = Put(key, std::string(50, 'v'));
      if (receipt.status.ok()) ++stored;
      EXPECT_LE(Used(), 500 * cost);
    }
  });
  EXPECT_EQ(stored, 500) << "exactly what fits was taken";
  EXPECT_EQ(Used(), 500 * cost);
}

TEST_F(MemoryConcurrencyTest, ClosesWhileItIsUsed) {
  Run([&](int thread, std::mt19937& random) {
    for (int i = 0; i < 3000; ++i) {
      const std::string key = std::to_string(random() % 1000);
      if (thread == 0 && i == 1500) {
        EXPECT_TRUE(Close(*store_).ok());
      }
      const Status put = Put(key, key).status;
      EXPECT_TRUE(put.ok() || put.Is(Code::kClosed));
      const Answer answer = Get(key);
      EXPECT_TRUE(!answer.value || answer.value->bytes() == key);
    }
  });
  EXPECT_EQ(Get("1").status.code(), Code::kClosed);
  EXPECT_EQ(Used(), 0u);
}

}  // namespace
}  // namespace chainstore
