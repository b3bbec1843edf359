// Whether conditions of puts are kept, by a server that does as it is told.
#include "stores/s3/condition_probe.h"

#include <gtest/gtest.h>

#include "support/scripted_s3.h"

namespace chainstore::s3::condition_probe_test {
namespace {

class ConditionProbeTest : public ScriptedS3Test {
 protected:
  ConditionProbeTest() { Open({{"conditional", "probe"}, {"attempts", "1"}}); }
  Code PutIfAbsent() { return chainstore::Put(*store_, "k", "v", Call::kIfAbsent); }
};

TEST_F(ConditionProbeTest, AServerThatKeepsThemIsAskedOnce) {
  Answers(Reply(200));
  Answers(Reply(412, ErrorBody("PreconditionFailed")));
  Answers(Reply(204));
  Answers(Reply(200));
  EXPECT_EQ(PutIfAbsent(), Code::kOk);
  ASSERT_EQ(Asked(), 4u);
  EXPECT_EQ(Line(0).substr(0, 26), "PUT /bucket/.chainstore/p/");
  EXPECT_EQ(Line(1), Line(0));
  EXPECT_EQ(Header(0, "if-none-match"), "*");
  EXPECT_EQ(Header(1, "if-none-match"), "*");
  EXPECT_EQ(Line(2), "DELETE" + Line(0).substr(3)) << "nothing is left";
  EXPECT_EQ(Line(3), "PUT /bucket/k HTTP/1.1");
  Answers(Reply(200));
  EXPECT_EQ(PutIfAbsent(), Code::kOk);
  EXPECT_EQ(Asked(), 5u);
}

TEST_F(ConditionProbeTest, AServerThatIgnoresThemIsSentNone) {
  Answers(Reply(200));
  Answers(Reply(200));
  Answers(Reply(204));
  EXPECT_EQ(PutIfAbsent(), Code::kUnsupported);
  EXPECT_EQ(PutIfAbsent(), Code::kUnsupported);
  EXPECT_EQ(Asked(), 3u) << "it is remembered";
}

TEST_F(ConditionProbeTest, WhatCouldNotBeFoundOutIsAskedAgain) {
  Answers(Reply(403, ErrorBody("AccessDenied")));
  Answers(Reply(204));
  EXPECT_EQ(PutIfAbsent(), Code::kDenied);
  Answers(Reply(200));
  Answers(Reply(500, ErrorBody("InternalError")));
  Answers(Reply(204));
  EXPECT_EQ(PutIfAbsent(), Code::kIo);
  Answers(Reply(200));
  Answers(Reply(412, ErrorBody("PreconditionFailed")));
  Answers(Reply(204));
  Answers(Reply(200));
  EXPECT_EQ(PutIfAbsent(), Code::kOk);
}

TEST_F(ConditionProbeTest, OffAndTrustAskNothing) {
  Open({{"conditional", "off"}});
  EXPECT_EQ(PutIfAbsent(), Code::kUnsupported);
  EXPECT_EQ(Asked(), 0u);
  Open({{"conditional", "trust"}});
  Answers(Reply(200));
  EXPECT_EQ(PutIfAbsent(), Code::kOk);
  EXPECT_EQ(Asked(), 1u);
}

}  // namespace
}  // namespace chainstore::s3::condition_probe_test
