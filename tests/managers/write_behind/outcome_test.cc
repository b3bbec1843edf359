#include "managers/write_behind/outcome.h"

#include <gtest/gtest.h>

namespace chainstore::behind {
namespace {

Status Failing(Code code, bool retryable) { return Failure(code, "x").Retryable(retryable); }

TEST(OutcomeTest, ADeleteOfNothingIsDelivered) {
  EXPECT_EQ(OutcomeOf(Code::kOk, false), Outcome::kDelivered);
  EXPECT_EQ(OutcomeOf(Code::kNotFound, true), Outcome::kDelivered);
  EXPECT_EQ(OutcomeOf(Code::kNotFound, false), Outcome::kRefused);
}

TEST(OutcomeTest, WhatMayHaveHappenedIsAmbiguous) {
  for (const Code code : {Code::kTimeout, Code::kCancelled, Code::kIo}) {
    EXPECT_EQ(OutcomeOf(Failing(code, false), false), Outcome::kAmbiguous) << CodeName(code);
    EXPECT_TRUE(MayHaveHappened(code));
  }
  EXPECT_EQ(OutcomeOf(Failing(Code::kInternal, true), false), Outcome::kAmbiguous);
  EXPECT_EQ(OutcomeOf(Failing(Code::kInternal, false), false), Outcome::kRefused);
  EXPECT_TRUE(MayHaveHappened(Code::kInternal));
}

TEST(OutcomeTest, TellsTheOtherEndingsApart) {
  for (const Code code : {Code::kBusy, Code::kNoSpace, Code::kNoMemory, Code::kWouldBlock}) {
    EXPECT_EQ(OutcomeOf(code, false), Outcome::kTransient) << CodeName(code);
    EXPECT_FALSE(MayHaveHappened(code));
  }
  for (const Code code : {Code::kTooLarge, Code::kInvalid}) {
    EXPECT_EQ(OutcomeOf(code, false), Outcome::kPoison) << CodeName(code);
    EXPECT_FALSE(MayHaveHappened(code));
  }
  for (const Code code : {Code::kDenied, Code::kClosed, Code::kForked}) {
    EXPECT_EQ(OutcomeOf(code, false), Outcome::kWholeStore) << CodeName(code);
    EXPECT_FALSE(MayHaveHappened(code));
  }
  for (const Code code : {Code::kUnsupported, Code::kExists, Code::kDeadlock}) {
    EXPECT_EQ(OutcomeOf(code, false), Outcome::kRefused) << CodeName(code);
    EXPECT_FALSE(MayHaveHappened(code));
  }
}

}  // namespace
}  // namespace chainstore::behind
