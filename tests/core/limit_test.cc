#include "core/limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/event.h"

namespace chainstore {
namespace {

class LimitTest : public ::testing::Test {
 protected:
  const Ref<Runtime> runtime_ = MakeRef<RuntimeSlot>(RuntimeSettings{})->Acquire();
};

TEST_F(LimitTest, AnUnlimitedCallIsLeftAsItIs) {
  bool ran = false;
  auto done = LimitDone<Status>(runtime_, Call(), [&](Status&& status) { ran = status.ok(); });
  done(Status());
  EXPECT_TRUE(ran);
}

TEST_F(LimitTest, AnAnswerInTimeIsTheAnswer) {
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(3'600'000);
  call.cancel = MakeRef<CancelToken>();
  int answers = 0;
  auto done = LimitDone<Status>(
      runtime_, call,
      [&](Status&& status) {
        EXPECT_TRUE(status.Is(Code::kNotFound));
        ++answers;
      },
      [](Status&&) { ADD_FAILURE() << "it was in time"; });
  done(Status(Code::kNotFound));
  call.cancel->Fire();
  EXPECT_EQ(answers, 1);
}

TEST_F(LimitTest, EndsAtTheDeadlineAndHandsOnWhatComesLate) {
  Event ended, late;
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(1);
  auto done = LimitDone<Status>(
      runtime_, call,
      [&](Status&& status) {
        EXPECT_EQ(status.code(), Code::kTimeout);
        EXPECT_TRUE(Runtime::OnLibraryThread());
        ended.Set();
      },
      [&](Status&& status) {
        EXPECT_TRUE(status.ok());
        late.Set();
      });
  ended.Wait();
  EXPECT_FALSE(late.IsSet());
  done(Status());
  EXPECT_TRUE(late.IsSet());
}

TEST_F(LimitTest, EndsWhenTheTokenFiresButNotOnItsStack) {
  Event ended;
  Call call;
  call.cancel = MakeRef<CancelToken>();
  const auto firing = std::this_thread::get_id();
  auto done = LimitDone<Status>(runtime_, call, [&](Status&& status) {
    EXPECT_EQ(status.code(), Code::kCancelled);
    EXPECT_NE(std::this_thread::get_id(), firing);
    ended.Set();
  });
  call.cancel->Fire();
  ended.Wait();
  done(Status());
}

TEST_F(LimitTest, ATokenThatHasFiredBeforeEndsItToo) {
  Event ended;
  Call call;
  call.cancel = MakeRef<CancelToken>();
  call.cancel->Fire();
  auto done = LimitDone<Status>(runtime_, call, [&](Status&& status) {
    EXPECT_EQ(status.code(), Code::kCancelled);
    ended.Set();
  });
  ended.Wait();
  done(Status());
}

TEST_F(LimitTest, CompletesOnceWhenAllThreeComeTogether) {
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> completed{0}, late{0};
    Event once;
    Call call;
    call.cancel = MakeRef<CancelToken>();
    call.deadline_ns = Clock::System().SteadyNs() + 20'000;
    auto done = LimitDone<Status>(
        runtime_, call,
        [&](Status&&) {
          ++completed;
          once.Set();
        },
        [&](Status&&) { ++late; });
    std::thread cancelling([token = call.cancel] { token->Fire(); });
    std::thread answering([&] { done(Status()); });
    cancelling.join();
    answering.join();
    once.Wait();
    EXPECT_EQ(completed.load(), 1);
    EXPECT_LE(late.load(), 1);
  }
}

TEST(EndedStatusTest, SaysWhichOfTheTwoItWas) {
  EXPECT_EQ(EndedStatus(Code::kTimeout, "s", "get").ToString(),
            "CS_TIMEOUT: s: get: the call's time is up");
  EXPECT_EQ(EndedStatus(Code::kCancelled, "s", "put").ToString(),
            "CS_CANCELLED: s: put: the call was cancelled");
  EXPECT_FALSE(EndedStatus(Code::kCancelled, "s", "put").retryable());
}

}  // namespace
}  // namespace chainstore
