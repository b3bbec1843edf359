// What waits for a connection, and what becomes of it.
#include "stores/s3/http_pool.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/scripted_s3.h"

namespace chainstore::s3::http_pool_test {
namespace {

class HttpPoolTest : public ScriptedS3Test {
 protected:
  HttpPoolTest() { Open({{"connections", "1"}, {"attempts", "1"}}); }
};

TEST_F(HttpPoolTest, WhatWaitsForAConnectionEndsAtItsDeadlineWithoutARequest) {
  Answers("", Then::kHang);
  Call hanging = CallOf(Wait::kLater);
  hanging.cancel = MakeRef<CancelToken>();
  store_->Get(Key("k"), Read::Whole(), hanging, [](Answer&&) {});
  ASSERT_TRUE(server_.WaitForRequests(1));
  EXPECT_TRUE(GetWithin(50).status.Is(Code::kTimeout));
  EXPECT_EQ(Asked(), 1u);
  hanging.cancel->Fire();
  Answers(Reply(200, "v"));
  EXPECT_EQ(TextOf(Get()), "v") << "the place is free again";
}

TEST_F(HttpPoolTest, WhatWaitsIsCancelledAtOnce) {
  Answers("", Then::kHang);
  Call hanging = CallOf(Wait::kLater);
  hanging.cancel = MakeRef<CancelToken>();
  store_->Get(Key("k"), Read::Whole(), hanging, [](Answer&&) {});
  ASSERT_TRUE(server_.WaitForRequests(1));
  Call waiting;
  waiting.cancel = MakeRef<CancelToken>();
  waiting.cancel->Fire();
  Answer answer;
  store_->Get(Key("k"), Read::Whole(), waiting, [&](Answer&& got) { answer = std::move(got); });
  EXPECT_TRUE(answer.status.Is(Code::kCancelled));
  hanging.cancel->Fire();
}

TEST_F(HttpPoolTest, WhatWaitsIsServedInTheOrderInWhichItCame) {
  Answers("", Then::kHang);
  Call hanging = CallOf(Wait::kLater);
  hanging.cancel = MakeRef<CancelToken>();
  store_->Get(Key("k"), Read::Whole(), hanging, [](Answer&&) {});
  ASSERT_TRUE(server_.WaitForRequests(1));
  for (const char* key : {"a", "b", "c", "d"}) {
    Answers(Reply(200, "v"));
    store_->Get(Key(key), Read::Whole(), CallOf(Wait::kLater), [](Answer&&) {});
  }
  hanging.cancel->Fire();
  EXPECT_TRUE(CloseStore(*store_).ok());
  store_ = nullptr;
  EXPECT_EQ(server_.connections(), 2u) << "the one that was cancelled, and one for all others";
  ASSERT_EQ(Asked(), 5u);
  for (size_t at = 0; at < 4; ++at) {
    EXPECT_EQ(Line(at + 1), std::string("GET /bucket/") + "abcd"[at] + " HTTP/1.1");
  }
}

}  // namespace
}  // namespace chainstore::s3::http_pool_test
