#include "stores/s3/credentials.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/await.h"
#include "stores/s3/static_providers.h"

namespace chainstore::s3::credentials_test {
namespace {

// Gives what the test has put into its list; counts how often it was asked.
struct Script {
  std::deque<Result<Ref<const Identity>>> answers;
  std::atomic<int> asked = 0;
  std::atomic<bool> hold = false;  // the provider waits until it is told to stop, or let go
};
class Scripted final : public CredentialProvider {
 public:
  explicit Scripted(Script* script) : script_(script) {}
  const char* name() const noexcept override { return "scripted"; }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>& stop) override {
    ++script_->asked;
    while (script_->hold && !stop->fired()) std::this_thread::yield();
    if (stop->fired()) return Status(Code::kClosed);
    Result<Ref<const Identity>> next = std::move(script_->answers.front());
    script_->answers.pop_front();
    return next;
  }

 private:
  Script* const script_;
};

Ref<const Identity> Named(const char* key, int64_t expires_at_ms) {
  auto identity = MakeRef<Identity>();
  identity->access_key = key;
  identity->expires_at_ms = expires_at_ms;
  return identity;
}

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    RuntimeSettings settings;
    settings.clock = &clock_;
    slot_ = MakeRef<RuntimeSlot>(settings);
    runtime_ = slot_->Acquire();
    Credentials::Providers providers;
    providers.push_back(ExplicitProvider("", Secret(), Secret()));
    providers.push_back(std::make_unique<Scripted>(&script_));
    credentials_ = MakeRef<Credentials>("s3:b", runtime_, std::move(providers), closing_);
  }
  ~CredentialsTest() override {
    credentials_ = nullptr;
    runtime_ = nullptr;
    slot_->WaitGone(kForeverNs);
  }
  struct Found {
    std::string text;
  };
  // Gives the access key, or the failure.
  void Start(const Call& call, Done<Found> done) {
    credentials_->Get(call, [done = std::move(done)](Result<Ref<const Identity>>&& result) mutable {
      done({result.ok() ? (*result)->access_key : result.status().ToString()});
    });
  }
  std::string Get(const Call& call = Call()) {
    Found found;
    Await<Found>(Call(), &found, [&](Done<Found> done) { Start(call, std::move(done)); });
    return found.text;
  }
  void WaitAsked(int count) {
    while (script_.asked < count) std::this_thread::yield();
  }

  static constexpr int64_t kNowMs = 1'700'000'000'000;
  ManualClock clock_{kNowMs};
  Script script_;
  Ref<RuntimeSlot> slot_;
  Ref<Runtime> runtime_;
  Ref<CancelToken> closing_ = MakeRef<CancelToken>();
  Ref<Credentials> credentials_;
};

TEST_F(CredentialsTest, PassesByWhatIsNotSetUpAndKeepsWhatItFinds) {
  script_.answers.emplace_back(Named("one", 0));
  EXPECT_EQ(Get(), "one");
  clock_.AdvanceMs(int64_t{365} * 86'400'000);
  EXPECT_EQ(Get(), "one") << "it never expires";
  EXPECT_EQ(script_.asked, 1);
}

TEST_F(CredentialsTest, RefreshesEarlyAndUsesTheOldOneUntilThen) {
  script_.answers.emplace_back(Named("old", kNowMs + 3'600'000));
  script_.answers.emplace_back(Failure(Code::kIo, "the endpoint is down"));
  script_.answers.emplace_back(Named("new", kNowMs + 7'200'000));
  EXPECT_EQ(Get(), "old");
  clock_.AdvanceMs(3'600'000 - Credentials::kEarlyMs);
  EXPECT_EQ(Get(), "old") << "while another is looked for";
  credentials_->WaitIdle();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Get(), "old") << "the refresh has failed, and this one is still good";
    credentials_->WaitIdle();
  }
  EXPECT_EQ(script_.asked, 2) << "an endpoint that fails is not asked for every call";
  clock_.AdvanceMs(Credentials::kAgainMs);
  EXPECT_EQ(Get(), "old");
  credentials_->WaitIdle();
  EXPECT_EQ(Get(), "new");
  EXPECT_EQ(script_.asked, 3);
}

TEST_F(CredentialsTest, WaitsForAnotherOneWhenItHasExpired) {
  script_.answers.emplace_back(Named("old", kNowMs + 1000));
  script_.answers.emplace_back(Named("new", 0));
  EXPECT_EQ(Get(), "old");
  credentials_->WaitIdle();
  clock_.AdvanceMs(1000);
  EXPECT_EQ(Get(), "new");
}

TEST_F(CredentialsTest, LooksAgainWhenTheServerSaysExpired) {
  const Ref<const Identity> old = Named("old", kNowMs + 86'400'000);
  script_.answers.emplace_back(old);
  script_.answers.emplace_back(Named("new", 0));
  EXPECT_EQ(Get(), "old");
  credentials_->Expire(Named("another", 0));
  EXPECT_EQ(Get(), "old") << "that one was not ours";
  credentials_->Expire(old);
  EXPECT_EQ(Get(), "new");
}

TEST_F(CredentialsTest, SaysWhereItHasLooked) {
  script_.answers.emplace_back(Status(Code::kNotFound));
  const std::string why = Get();
  EXPECT_NE(why.find("looked at: options, scripted"), std::string::npos) << why;
  EXPECT_NE(why.find("CS_DENIED"), std::string::npos) << why;
  for (const char* way_out : {"access_key", "credentials=anonymous", "AWS_EC2_METADATA_DISABLED"}) {
    EXPECT_NE(why.find(way_out), std::string::npos) << why;
  }
  script_.answers.emplace_back(Failure(Code::kIo, "broken file"));
  EXPECT_NE(Get().find("scripted: broken file"), std::string::npos);
  script_.answers.emplace_back(Failure(Code::kNotFound, "turned off"));
  EXPECT_NE(Get().find("looked at: options, scripted (turned off)"), std::string::npos);
}

TEST_F(CredentialsTest, TellsWhatMayPassFromARefusal) {
  script_.answers.emplace_back(Failure(Code::kIo, "STS is down"));
  EXPECT_EQ(Get(), "CS_IO: s3:b: no credentials: scripted: STS is down");
  script_.answers.emplace_back(Failure(Code::kTooLarge, "no answer"));
  EXPECT_EQ(Get(), "CS_DENIED: s3:b: no credentials: scripted: no answer");
}

TEST_F(CredentialsTest, LooksOnceForAllWhoWait) {
  script_.hold = true;
  script_.answers.emplace_back(Named("one", 0));
  std::vector<Ref<Awaited<Found>>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(MakeRef<Awaited<Found>>());
    Start(Call(), [awaited = waiting.back()](Found&& found) { awaited->Set(std::move(found)); });
  }
  script_.hold = false;
  for (const auto& each : waiting) {
    Found found;
    each->Wait(Call(), &found);
    EXPECT_EQ(found.text, "one");
  }
  EXPECT_EQ(script_.asked, 1);
}

TEST_F(CredentialsTest, ACallDoesNotWaitLongerThanItMay) {
  script_.hold = true;
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(20);
  const std::string late = Get(call);
  EXPECT_TRUE(late.starts_with("CS_TIMEOUT: s3:b: the call's time is up before there are keys"))
      << late;
  EXPECT_NE(late.find("AWS_EC2_METADATA_DISABLED=true"), std::string::npos) << late;
  Call cancelled;
  cancelled.cancel = MakeRef<CancelToken>();
  std::thread canceller([&] { cancelled.cancel->Fire(); });
  EXPECT_EQ(Get(cancelled), "CS_CANCELLED: s3:b: the call was cancelled before there are keys");
  canceller.join();
  EXPECT_EQ(Get(cancelled), "CS_CANCELLED: s3:b: the call was cancelled before there are keys");
  std::thread closer([&] { closing_->Fire(); });
  EXPECT_EQ(Get(), "CS_CLOSED: s3:b: the store was closed before there are keys");
  closer.join();
  EXPECT_EQ(script_.asked, 1) << "one search, which still goes on";
}

TEST_F(CredentialsTest, StopEndsTheSearchAndAnswersWhoeverWaits) {
  script_.hold = true;
  auto waiting = MakeRef<Awaited<Found>>();
  Start(Call(), [waiting](Found&& found) { waiting->Set(std::move(found)); });
  WaitAsked(1);
  credentials_->Stop();
  Found found;
  waiting->Wait(Call(), &found);
  EXPECT_NE(found.text.find("CS_CLOSED"), std::string::npos) << found.text;
  EXPECT_EQ(Get(), "CS_CLOSED: s3:b: the store is closed");
}

TEST_F(CredentialsTest, WhatIsThereAtOnceNeedsNoThread) {
  Credentials::Providers providers;
  providers.push_back(ExplicitProvider("", Secret(), Secret()));
  providers.push_back(ExplicitProvider("id", Secret(Bytes("s")), Secret()));
  providers.push_back(std::make_unique<Scripted>(&script_));
  credentials_ = MakeRef<Credentials>("s3:b", runtime_, std::move(providers));
  const auto here = std::this_thread::get_id();
  bool inline_ = false;
  credentials_->Get(Call(), [&](Result<Ref<const Identity>>&& found) {
    inline_ = found.ok() && std::this_thread::get_id() == here;
  });
  EXPECT_TRUE(inline_);
  EXPECT_EQ(script_.asked, 0);
}

}  // namespace
}  // namespace chainstore::s3::credentials_test
