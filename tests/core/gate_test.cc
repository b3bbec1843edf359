#include "core/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/event.h"

namespace chainstore {
namespace {

TEST(GateTest, ClosesAtOnceWhenNobodyIsIn) {
  Gate gate;
  int drained = 0;
  EXPECT_TRUE(gate.Close([&] { ++drained; }));
  EXPECT_EQ(drained, 1);
  EXPECT_TRUE(gate.closed());
  EXPECT_FALSE(gate.Enter());
  EXPECT_FALSE(GatePass(gate));
  EXPECT_FALSE(gate.Close([&] { ++drained; })) << "only once";
  EXPECT_EQ(drained, 1);
}

TEST(GateTest, WaitsForTheLastOneThatIsIn) {
  Gate gate;
  int drained = 0;
  GatePass first(gate);
  {
    GatePass second(gate);
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_TRUE(gate.Close([&] { ++drained; }));
    EXPECT_FALSE(GatePass(gate)) << "nobody else comes in";
    EXPECT_EQ(drained, 0);
  }
  EXPECT_EQ(drained, 0);
  GatePass moved = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_EQ(drained, 0);
  moved = GatePass();
  EXPECT_EQ(drained, 1);
}

TEST(GateTest, MayBeLeftOnAnotherThread) {
  Gate gate;
  int drained = 0;
  GatePass pass(gate);
  EXPECT_TRUE(gate.Close([&] { ++drained; }));
  std::thread([pass = std::move(pass)]() mutable { pass = GatePass(); }).join();
  EXPECT_EQ(drained, 1);
}

TEST(GateTest, DrainsOnceHoweverManyPassAtTheSameTime) {
  for (int round = 0; round < 50; ++round) {
    auto gate = std::make_unique<Gate>();
    std::atomic<int> inside{0};
    std::atomic<int> drained{0};
    Event done;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (;;) {
          GatePass pass(*gate);
          if (!pass) return;
          ++inside;
          EXPECT_EQ(drained.load(), 0) << "somebody was in when it drained";
          --inside;
        }
      });
    }
    EXPECT_TRUE(gate->Close([&] {
      EXPECT_EQ(inside.load(), 0);
      ++drained;
      done.Set();
    }));
    done.Wait();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(drained.load(), 1);
  }
}

}  // namespace
}  // namespace chainstore
