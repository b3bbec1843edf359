#include "managers/timeout/timeout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error_sink.h"
#include "support/event.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Notices {
  Mutex mutex;
  CondVar changed;
  std::vector<std::string> messages CS_GUARDED_BY(mutex);

  static void Note(void* self, const Error* error) {
    auto* notices = static_cast<Notices*>(self);
    MutexLock lock(notices->mutex);
    notices->messages.push_back(error->message());
    notices->changed.NotifyAll();
  }
  std::vector<std::string> Wait(size_t count) {
    MutexLock lock(mutex);
    while (messages.size() < count) changed.Wait(mutex);
    return messages;
  }
};

class TimeoutTest : public ::testing::Test {
 protected:
  TimeoutTest() {
    store_ = *NewTimeout(inner_, 10, nullptr);
    store_->error_sink().Set(Notices::Note, &notices_, nullptr);
  }
  ~TimeoutTest() override {
    EXPECT_TRUE(CloseStore(*store_).ok());
    store_->error_sink().Set(nullptr, nullptr, nullptr);
  }
  // Holds every operation of the inner store until the test goes on with it.
  void Hold() {
    inner_->SetScript([this](ScriptedStore::Op, const std::string&, ScriptedStore::Go go) {
      MutexLock lock(mutex_);
      held_.push_back(std::move(go));
    });
  }
  ScriptedStore::Go Held(size_t at) {
    MutexLock lock(mutex_);
    return held_[at];
  }

  Ref<ScriptedStore> inner_ = ScriptedStore::New("inner");
  Ref<Store> store_;
  Notices notices_;
  Mutex mutex_;
  std::vector<ScriptedStore::Go> held_ CS_GUARDED_BY(mutex_);
};

TEST_F(TimeoutTest, EndsACallAtTheLimitAndGivesNotice) {
  Hold();
  const Answer later = GetFrom(*store_, "k", 0, Wait::kLater);
  EXPECT_EQ(later.status.ToString(), "CS_TIMEOUT: timeout: get: the limit of 10 ms was hit");
  const Answer here = GetFrom(*store_, "k", 0, Wait::kHere);
  EXPECT_EQ(here.status.ToString(), "CS_TIMEOUT: timeout: get: the limit of 10 ms was hit");
  EXPECT_EQ(notices_.Wait(2),
            std::vector<std::string>(2, "timeout: get: the limit of 10 ms was hit"));
  Held(0)(Code::kOk);
  Held(1)(Code::kOk);
}

TEST_F(TimeoutTest, AWriteThatFailsAfterTheLimitIsReportedAndNotDeliveredTwice) {
  Hold();
  const Receipt receipt = PutInto(*store_, "k", "v", 0, Wait::kLater);
  EXPECT_EQ(receipt.status.code(), Code::kTimeout);
  Held(0)(Code::kNoSpace);
  EXPECT_EQ(notices_.Wait(2)[1], "inner: put: as scripted");
}

TEST_F(TimeoutTest, GivesOneNoticeOnly) {
  Hold();
  GetFrom(*store_, "k", 0, Wait::kLater);
  PutInto(*store_, "k", "v", 0, Wait::kLater);
  Held(0)(Code::kIo);       // a read: nobody wants it any more
  Held(1)(Code::kTimeout);  // the same limit, seen by the store itself
  PutInto(*store_, "k", "v", 0, Wait::kLater);
  Held(2)(Code::kNoSpace);
  EXPECT_THAT(notices_.Wait(4),
              ElementsAre(HasSubstr("get: the limit"), HasSubstr("put: the limit"),
                          HasSubstr("put: the limit"), "inner: put: as scripted"));
}

TEST_F(TimeoutTest, ShortensADeadlineAndNeverExtendsIt) {
  ASSERT_TRUE(store_->Set("timeout", "1h").ok());
  Hold();
  Call call = CallOf(Wait::kLater);
  call.deadline_ns = Clock::System().DeadlineAfterMs(5);
  Answer answer;
  Await<Answer>(Call(), &answer, [&](Done<Answer> done) {
    store_->Get(Key("k"), Read::Whole(), call, std::move(done));
  });
  EXPECT_EQ(answer.status.ToString(), "CS_TIMEOUT: timeout: get: the call's time is up");
  Held(0)(Code::kOk);
}

TEST_F(TimeoutTest, PassesOnWhatComesInTime) {
  ASSERT_TRUE(store_->Set("timeout", "1h").ok());
  EXPECT_EQ(Put(*store_, "k", "v"), Code::kOk);
  EXPECT_EQ(TextOf(GetFrom(*store_, "k", 0, Wait::kLater)), "v");
  inner_->Fail(ScriptedStore::Op::kGet, Code::kDenied);
  EXPECT_EQ(GetText(*store_, "k"), "(CS_DENIED)");
}

TEST_F(TimeoutTest, AHitAtHandTakesNoTime) {
  auto memory = ScriptedStore::New("memory", kCapTry);
  memory->Plant("k", "v");
  auto keeper = *NewTimeout(memory, 10, nullptr);
  auto store = *NewTimeout(memory, 10, nullptr);
  EXPECT_EQ(HitText(*store, "k"), "v");
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_EQ(HitText(*keeper, "k"), "v");
  EXPECT_EQ(HitText(*store, "k"), "(none)");
}

TEST_F(TimeoutTest, RefusesALimitOfNothing) {
  EXPECT_EQ(NewTimeout(inner_, 0, nullptr).status().ToString(),
            "CS_INVALID: timeout: a timeout of 0 would fail every call");
  EXPECT_EQ(store_->Set("timeout", "0ms").code(), Code::kInvalid);
  EXPECT_EQ(store_->Set("timeout", "soon").code(), Code::kInvalid);
  EXPECT_EQ(store_->Set("limit", "1s").code(), Code::kInvalid);
}

}  // namespace
}  // namespace chainstore
