// Recorded histories of eight threads are linearizable per key, through every store and chain.
#include "contract/linearizability.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "contract/subject.h"

namespace contract {
namespace {

using Kind = Operation::Kind;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

TEST(LinearizabilityTest, AcceptsWhatIsLinearizable) {
  EXPECT_TRUE(IsLinearizable({}));
  EXPECT_TRUE(IsLinearizable({{Kind::kGet, std::nullopt, 0, 1}}));
  // A get beside a put may return either.
  EXPECT_TRUE(IsLinearizable({{Kind::kPut, "a", 0, 10}, {Kind::kGet, std::nullopt, 1, 2}}));
  EXPECT_TRUE(IsLinearizable({{Kind::kPut, "a", 0, 10}, {Kind::kGet, "a", 1, 2}}));
  // A put that timed out may take effect late, or never.
  EXPECT_TRUE(IsLinearizable(
      {{Kind::kPut, "a", 0, 1, true}, {Kind::kGet, std::nullopt, 2, 3}, {Kind::kGet, "a", 4, 5}}));
  EXPECT_TRUE(IsLinearizable({{Kind::kPut, "a", 0, 1, true}, {Kind::kGet, std::nullopt, 2, 3}}));
}

TEST(LinearizabilityTest, CatchesPlantedViolations) {
  // A stale read after the acknowledgement.
  EXPECT_FALSE(
      IsLinearizable({{Kind::kPut, "a", 0, 1}, {Kind::kPut, "b", 2, 3}, {Kind::kGet, "a", 4, 5}}));
  // Read, then gone back: two gets one after the other beside a put.
  EXPECT_FALSE(IsLinearizable(
      {{Kind::kPut, "a", 0, 10}, {Kind::kGet, "a", 1, 2}, {Kind::kGet, std::nullopt, 3, 4}}));
  // A delete undone.
  EXPECT_FALSE(IsLinearizable(
      {{Kind::kPut, "a", 0, 1}, {Kind::kDel, std::nullopt, 2, 3}, {Kind::kGet, "a", 4, 5}}));
  // A value that nobody put; a miss after an acknowledged put.
  EXPECT_FALSE(IsLinearizable({{Kind::kGet, "x", 0, 1}}));
  EXPECT_FALSE(IsLinearizable({{Kind::kPut, "a", 0, 1}, {Kind::kGet, std::nullopt, 2, 3}}));
}

class Recorder {
 public:
  void Add(const std::string& key, Operation operation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    histories_[key].push_back(std::move(operation));
  }
  std::map<std::string, std::vector<Operation>> histories() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return histories_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Operation>> histories_;
};

void RunOne(Client& store, Recorder& recorder, const std::string& key, uint32_t random,
            const std::string& unique) {
  Operation operation{Kind::kGet, std::nullopt, Now(), 0};
  Reply reply;
  if (random % 4 == 0) {
    operation.kind = Kind::kPut;
    operation.value = unique;
    reply = store.Put(key, unique);
  } else if (random % 16 == 1) {
    operation.kind = Kind::kDel;
    reply = store.Del(key);
  } else {
    reply = store.Get(key);
    if (reply.ok()) operation.value = reply.value;
  }
  operation.returned_at = Now();
  EXPECT_GE(reply.status, 0) << reply.message;
  recorder.Add(key, std::move(operation));
}

TEST_P(ContractTest, HistoriesOfEightThreadsAreLinearizablePerKey) {
  constexpr int kHistories = 6;
  constexpr int kThreads = 8;
  constexpr int kOperations = 40;
  for (int history = 0; history < kHistories; ++history) {
    Recorder recorder;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        std::minstd_rand random(static_cast<uint32_t>(1 + thread + 100 * history));
        for (int i = 0; i < kOperations; ++i) {
          const std::string key =
              std::to_string(history) + "/" + std::to_string((random() >> 4) % 3);
          const std::string unique = std::to_string(thread) + "." + std::to_string(i);
          RunOne(store_, recorder, key, static_cast<uint32_t>(random() >> 4), unique);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    size_t checked = 0;
    for (const auto& [key, operations] : recorder.histories()) {
      EXPECT_TRUE(IsLinearizable(operations)) << "key " << key;
      checked += operations.size();
    }
    EXPECT_EQ(checked, size_t{kThreads * kOperations});
  }
}

}  // namespace
}  // namespace contract
