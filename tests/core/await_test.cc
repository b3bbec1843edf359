#include "core/await.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/event.h"

namespace chainstore {
namespace {

TEST(AwaitTest, GivesAnAnswerThatComesInlineOrFromAnotherThread) {
  int answer = 0;
  EXPECT_EQ(Await<int>(Call(), &answer, [](Done<int> done) { done(1); }), Code::kOk);
  EXPECT_EQ(answer, 1);
  std::thread other;
  EXPECT_EQ(Await<int>(Call(), &answer,
                       [&](Done<int> done) {
                         other = std::thread([done = std::move(done)]() mutable { done(2); });
                       }),
            Code::kOk);
  other.join();
  EXPECT_EQ(answer, 2);
}

TEST(AwaitTest, EndsAtTheDeadlineAndDropsWhatComesLate) {
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(1);
  int answer = 7;
  Done<int> late;
  EXPECT_EQ(Await<int>(call, &answer, [&](Done<int> done) { late = std::move(done); }),
            Code::kTimeout);
  late(8);
  EXPECT_EQ(answer, 7);
}

TEST(AwaitTest, EndsWhenTheTokenFires) {
  Call call;
  call.cancel = MakeRef<CancelToken>();
  Event waiting;
  std::thread firing([&] {
    waiting.Wait();
    call.cancel->Fire();
  });
  int answer = 7;
  Done<int> late;
  EXPECT_EQ(Await<int>(call, &answer,
                       [&](Done<int> done) {
                         late = std::move(done);
                         waiting.Set();
                       }),
            Code::kCancelled);
  firing.join();
  late(8);
  EXPECT_EQ(answer, 7);
}

TEST(AwaitTest, AnAnswerThatIsThereCountsMoreThanALimit) {
  Call call;
  call.cancel = MakeRef<CancelToken>();
  call.cancel->Fire();
  call.deadline_ns = 1;
  int answer = 0;
  EXPECT_EQ(Await<int>(call, &answer, [](Done<int> done) { done(1); }), Code::kOk);
  EXPECT_EQ(answer, 1);
}

}  // namespace
}  // namespace chainstore
