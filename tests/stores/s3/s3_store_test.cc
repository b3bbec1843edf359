// Against a server that does as it is told: the end of a store.
#include "stores/s3/s3_store.h"

#include <gtest/gtest.h>

#include <atomic>

#include "support/scripted_s3.h"

namespace chainstore::s3 {
namespace {

class S3StoreTest : public ScriptedS3Test {
 protected:
  S3StoreTest() { Open({}); }
};

TEST_F(S3StoreTest, CloseWaitsForWhatIsUnderWay) {
  Answers(Reply(200, "v"));
  std::atomic<bool> answered{false};
  store_->Get(Key("k"), Read::Whole(), CallOf(Wait::kLater), [&](Answer&& answer) {
    EXPECT_EQ(TextOf(answer), "v");
    answered = true;
  });
  EXPECT_TRUE(CloseStore(*store_).ok());
  EXPECT_TRUE(answered);
  EXPECT_TRUE(Get().status.Is(Code::kClosed));
}

}  // namespace
}  // namespace chainstore::s3
