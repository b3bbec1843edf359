#include "core/sequence.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/event.h"

namespace chainstore {
namespace {

TEST(SequenceTest, RunsEveryStepInOrderAndThenTheEnd) {
  std::vector<size_t> steps;
  bool ended = false;
  RunSequence(
      3,
      [&](size_t at, UniqueFunction<void()> next) {
        steps.push_back(at);
        EXPECT_FALSE(ended);
        next();
      },
      [&] { ended = true; });
  EXPECT_EQ(steps, (std::vector<size_t>{0, 1, 2}));
  EXPECT_TRUE(ended);
}

TEST(SequenceTest, OfNoStepsEndsAtOnce) {
  bool ended = false;
  RunSequence(
      0, [](size_t, UniqueFunction<void()>) { ADD_FAILURE(); }, [&] { ended = true; });
  EXPECT_TRUE(ended);
}

TEST(SequenceTest, AMillionStepsThatEndInlineNeedNoStack) {
  size_t ran = 0;
  RunSequence(
      1'000'000,
      [&](size_t, UniqueFunction<void()> next) {
        ++ran;
        next();
      },
      [] {});
  EXPECT_EQ(ran, 1'000'000u);
}

TEST(SequenceTest, AStepMayEndOnAnotherThread) {
  std::vector<std::thread> threads;
  size_t ran = 0;  // one step at a time: no lock
  Event ended;
  RunSequence(
      50,
      [&](size_t at, UniqueFunction<void()> next) {
        ++ran;
        if (at % 3 == 0) return next();
        threads.emplace_back([next = std::move(next)]() mutable { next(); });
      },
      [&] { ended.Set(); });
  ended.Wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, 50u);
}

}  // namespace
}  // namespace chainstore
