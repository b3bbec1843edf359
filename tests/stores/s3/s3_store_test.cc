// Against a server that does as it is told: the end of a store.
#include "stores/s3/s3_store.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>

#include "support/scripted_s3.h"

namespace chainstore::s3::s3_store_test {
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

std::string ThisThreadsName() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof(name));
  return name;
}

struct ToldWhere {
  std::string* where;
  Ref<Awaited<Answer>> awaited;
  void operator()(Answer&& answer) {
    *where = ThisThreadsName();
    awaited->Set(std::move(answer));
  }
};
struct ToldBriefly : ToldWhere {
  using Brief = void;
};

// What may run for long, or call the user, would hold up all transfers on the HTTP thread.
TEST_F(S3StoreTest, OnlyABriefCompletionRunsOnTheHttpThread) {
  const auto where_of = [this](auto completion) {
    std::string where;
    completion.where = &where;
    completion.awaited = MakeRef<Awaited<Answer>>();
    const auto awaited = completion.awaited;
    Answers(Reply(200, "v"));
    store_->Get(Key("k"), Read::Whole(), CallOf(Wait::kLater), std::move(completion));
    Answer answer;
    awaited->Wait(Call(), &answer);
    EXPECT_EQ(TextOf(answer), "v");
    return where;
  };
  EXPECT_EQ(where_of(ToldWhere()), "cs-worker");
  EXPECT_EQ(where_of(ToldBriefly()), "cs-http");
}

TEST_F(S3StoreTest, ALargePutThatNobodyWaitsForIsTheSamePut) {
  const std::string large(1'000'000, 'l');
  Answers(Reply(200));
  EXPECT_EQ(PutInto(*store_, "k", large, 0, Wait::kLater).status.code(), Code::kOk);
  EXPECT_EQ(Body(0), large);
}

TEST_F(S3StoreTest, MayBeLetGoOfWhileACallIsUnderWay) {
  Answers(Reply(200, "v"));
  auto awaited = MakeRef<Awaited<Answer>>();
  std::string where;
  store_->Get(Key("k"), Read::Whole(), CallOf(Wait::kLater), ToldBriefly{{&where, awaited}});
  store_ = nullptr;  // open still: a worker closes it when the answer is there
  Answer answer;
  awaited->Wait(Call(), &answer);
  EXPECT_EQ(TextOf(answer), "v");
}

}  // namespace
}  // namespace chainstore::s3::s3_store_test
