// All operations at once, from eight threads; asynchronous calls; close in the middle.
#include <atomic>
#include <random>
#include <thread>

#include "contract/subject.h"

namespace contract {
namespace {

TEST_P(ContractTest, EightThreadsMixEveryOperation) {
  constexpr int kThreads = 8;
  constexpr int kOperations = 150;
  std::atomic<int> bad{0};
  const auto check = [&bad](const Reply& reply) {
    const bool fine = reply.status >= 0;
    if (!fine) {
      ++bad;
      ADD_FAILURE() << reply.message;
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::minstd_rand random(static_cast<uint32_t>(thread + 1));
      for (int i = 0; i < kOperations; ++i) {
        const std::string key = "k/" + std::to_string(random() % 20);
        const std::string value(random() % 5000, static_cast<char>('a' + thread));
        switch (random() % 10) {
          case 0:
            check(store_.Del(key));
            break;
          case 1:
            check(store_.Stat(key));
            break;
          case 2:
            check(store_.GetRange(key, random() % 100, random() % 100));
            break;
          case 3:
            store_.GetMany({key, "k/0", "none"});
            break;
          case 4:
            store_.Write({{key, &value}, {"k/1", nullptr}});
            break;
          case 5:
            store_.Keys();
            break;
          case 6:
          case 7:
            check(store_.Put(key, value));
            break;
          default: {
            const Reply reply = store_.Get(key);
            check(reply);
            // A value is always one that some thread put, whole.
            if (reply.ok() && !reply.value.empty() &&
                reply.value.find_first_not_of(reply.value[0]) != std::string::npos) {
              ++bad;
              ADD_FAILURE() << "a torn value";
            }
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad.load(), 0);
}

struct Counted {
  std::atomic<int> completions{0};
  std::atomic<int> failures{0};
};

void Count(void* user_data, cs_result* result) {
  auto* counted = static_cast<Counted*>(user_data);
  if (result->status < 0) counted->failures.fetch_add(1);
  counted->completions.fetch_add(1);
}

TEST_P(ContractTest, AsynchronousWritesOfOneKeyTakeEffectInTheOrderInWhichTheyWereStarted) {
  Counted counted;
  constexpr int kPuts = 200;
  for (int i = 0; i < kPuts; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_EQ(cs_put(store_.get(), "k", 1, value.data(), value.size(), nullptr, Count, &counted),
              CS_OK);
  }
  EXPECT_EQ(store_.Put("k", "last").status, CS_OK) << "a blocking put takes its turn, too";
  while (counted.completions.load() < kPuts) std::this_thread::yield();
  EXPECT_EQ(counted.failures.load(), 0);
  EXPECT_EQ(store_.Get("k").value, "last");
}

TEST_P(ContractTest, EveryCallCompletesExactlyOnceAlsoWhileItIsClosed) {
  Counted counted;
  constexpr int kCalls = 300;
  int accepted = 0;
  for (int i = 0; i < kCalls; ++i) {
    const std::string key = "k" + std::to_string(i % 7);
    const cs_status started =
        i % 3 ? cs_get(store_.get(), key.data(), key.size(), nullptr, Count, &counted)
              : cs_put(store_.get(), key.data(), key.size(), "v", 1, nullptr, Count, &counted);
    if (started == CS_OK) ++accepted;
    if (i == kCalls / 2) {
      ASSERT_EQ(cs_store_close(store_.get(), nullptr, Count, &counted), CS_OK);
      ++accepted;
    }
  }
  while (counted.completions.load() < accepted) std::this_thread::yield();
  EXPECT_EQ(store_.Close().status, CS_OK);
  EXPECT_EQ(counted.completions.load(), accepted);
}

TEST_P(ContractTest, CancelsAndDeadlinesRaceCompletionsAndEachCallCompletesOnce) {
  Counted counted;
  int accepted = 0;
  for (int round = 0; round < 60; ++round) {
    cs_cancel* token = cs_cancel_new();
    cs_call call = CS_CALL_INIT;
    call.cancel = token;
    call.timeout_ms = 1 + round % 2;
    for (int i = 0; i < 5; ++i) {
      const std::string key = "k" + std::to_string(i);
      accepted +=
          cs_put(store_.get(), key.data(), key.size(), "v", 1, &call, Count, &counted) == CS_OK;
      accepted += cs_get(store_.get(), key.data(), key.size(), &call, Count, &counted) == CS_OK;
    }
    if (round % 3) cs_cancel_fire(token);
    cs_cancel_unref(token);
  }
  while (counted.completions.load() < accepted) std::this_thread::yield();
  EXPECT_EQ(store_.Put("k", "v").status, CS_OK);
  EXPECT_EQ(counted.completions.load(), accepted);
}

TEST_P(ContractTest, ACallThatWasCancelledBeforeItBeganDoesNothing) {
  cs_cancel* token = cs_cancel_new();
  cs_cancel_fire(token);
  cs_call call = CS_CALL_INIT;
  call.cancel = token;
  EXPECT_EQ(store_.Put("k", "v", &call).status, CS_CANCELLED);
  cs_cancel_unref(token);
  EXPECT_EQ(store_.Get("k").status, CS_NOT_FOUND);
}

}  // namespace
}  // namespace contract
