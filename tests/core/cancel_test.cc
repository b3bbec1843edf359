#include "core/cancel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace chainstore {
namespace {

class CountingWatch final : public CancelWatch {
 public:
  ~CountingWatch() override { Stop(); }
  std::atomic<int> woken{0};

 protected:
  void Wake() noexcept override { ++woken; }
};

TEST(CancelTest, FiringWakesEveryWatchOnce) {
  auto token = MakeRef<CancelToken>();
  CountingWatch first, second, third;
  EXPECT_TRUE(first.Watch(token));
  EXPECT_TRUE(second.Watch(token));
  EXPECT_TRUE(third.Watch(token));
  second.Stop();
  EXPECT_FALSE(token->fired());
  token->Fire();
  token->Fire();
  EXPECT_TRUE(token->fired());
  EXPECT_EQ(first.woken, 1);
  EXPECT_EQ(second.woken, 0) << "it had stopped";
  EXPECT_EQ(third.woken, 1);
}

TEST(CancelTest, ATokenThatHasFiredIsNotWatchedAnyMore) {
  auto token = MakeRef<CancelToken>();
  token->Fire();
  CountingWatch watch;
  EXPECT_FALSE(watch.Watch(token));
  EXPECT_EQ(watch.woken, 0);
  EXPECT_TRUE(watch.Watch(nullptr)) << "no token: nothing to watch";
}

TEST(CancelTest, AWatchCanBeUsedAgain) {
  auto token = MakeRef<CancelToken>();
  CountingWatch watch;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(watch.Watch(token));
    watch.Stop();
    watch.Stop();
  }
  EXPECT_TRUE(watch.Watch(token));
  token->Fire();
  EXPECT_EQ(watch.woken, 1);
}

TEST(CancelTest, AWatchKeepsItsToken) {
  CountingWatch watch;
  auto token = MakeRef<CancelToken>();
  CancelToken* raw = token.get();
  EXPECT_TRUE(watch.Watch(token));
  token = nullptr;
  raw->Fire();
  EXPECT_EQ(watch.woken, 1);
}

// After Stop has returned, Wake is not running on any thread: the watch may be destroyed.
TEST(CancelTest, StoppingRacesFiringSafely) {
  for (int round = 0; round < 200; ++round) {
    auto token = MakeRef<CancelToken>();
    std::vector<std::unique_ptr<CountingWatch>> watches;
    for (int i = 0; i < 8; ++i) {
      watches.push_back(std::make_unique<CountingWatch>());
      EXPECT_TRUE(watches.back()->Watch(token));
    }
    std::thread firing([token] { token->Fire(); });
    for (auto& watch : watches) watch = nullptr;
    firing.join();
  }
}

}  // namespace
}  // namespace chainstore
