#include "managers/fault/fault.h"

#include <gtest/gtest.h>

#include "managers/fault/plan.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

Options With(std::vector<std::pair<std::string, std::string>> pairs) {
  Options options;
  for (auto& [name, value] : pairs) options.values[name] = value;
  return options;
}

Ref<Store> Faulty(Ref<Store> inner, std::vector<std::pair<std::string, std::string>> pairs) {
  const Options options = With(std::move(pairs));
  auto made = NewFault(std::move(inner), &options);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return *made;
}

// Which of the first calls fail: "..x.".
std::string Failures(Store& store, int calls) {
  std::string text;
  for (int i = 0; i < calls; ++i) text += GetFrom(store, "k").status.failed() ? 'x' : '.';
  return text;
}

TEST(FaultTest, PassesEverythingOnUntilItIsToldToFail) {
  auto inner = ScriptedStore::New("inner");
  auto store = Faulty(inner, {});
  EXPECT_EQ(Put(*store, "k", "v"), Code::kOk);
  EXPECT_EQ(GetText(*store, "k"), "v");
  EXPECT_EQ(ScanText(*store, {}), "k=v");
  EXPECT_TRUE(FlushStore(*store).ok());
  EXPECT_EQ(Failures(*store, 50), std::string(50, '.'));
}

TEST(FaultTest, FailsTheCallWithTheGivenNumberAndNoOther) {
  auto store = Faulty(ScriptedStore::New("inner"), {{"at", "3"}, {"status", "denied"}});
  EXPECT_EQ(Failures(*store, 6), "..x...");
  auto other = Faulty(ScriptedStore::New("inner"), {{"at", "1"}, {"status", "denied"}});
  EXPECT_EQ(GetFrom(*other, "k").status.ToString(), "CS_DENIED: fault: get: an injected failure");
}

TEST(FaultTest, TheSameSeedGivesTheSameRun) {
  const auto run = [](const char* seed) {
    auto store = Faulty(ScriptedStore::New("inner"), {{"rate", "30"}, {"seed", seed}});
    return Failures(*store, 200);
  };
  EXPECT_EQ(run("1"), run("1"));
  EXPECT_NE(run("1"), run("2"));
  const std::string failures = run("7");
  const auto failed = std::count(failures.begin(), failures.end(), 'x');
  EXPECT_GT(failed, 30);
  EXPECT_LT(failed, 90);
}

TEST(FaultTest, AFailureAfterTheOperationLeavesItDone) {
  auto inner = ScriptedStore::New("inner");
  auto before = Faulty(inner, {{"rate", "100%"}, {"status", "timeout"}, {"operations", "put+del"}});
  EXPECT_EQ(Put(*before, "k", "v"), Code::kTimeout);
  EXPECT_FALSE(inner->Has("k"));
  auto after = Faulty(inner, {{"rate", "100"}, {"when", "after"}, {"operations", "put"}});
  EXPECT_EQ(Put(*after, "k", "v"), Code::kIo);
  EXPECT_EQ(inner->Peek("k"), "v");
  EXPECT_EQ(GetText(*after, "k"), "v") << "a get is not among the operations";
}

TEST(FaultTest, HoldsCallsBackButNotBeyondTheirDeadline) {
  auto store = Faulty(ScriptedStore::New("inner"), {{"delay", "1h"}});
  for (const Wait wait : {Wait::kHere, Wait::kLater}) {
    Call call = CallOf(wait);
    call.deadline_ns = Clock::System().DeadlineAfterMs(5);
    Answer answer;
    Await<Answer>(Call(), &answer, [&](Done<Answer> done) {
      store->Get(Key("k"), Read::Whole(), call, std::move(done));
    });
    EXPECT_EQ(answer.status.code(), Code::kTimeout);
  }
  ASSERT_TRUE(store->Set("delay", "1ms").ok());
  EXPECT_EQ(TextOf(GetFrom(*store, "k", 0, Wait::kLater)), "(CS_NOT_FOUND)");
  EXPECT_EQ(TextOf(GetFrom(*store, "k", 0, Wait::kHere)), "(CS_NOT_FOUND)");
}

TEST(FaultTest, IsChangedWhileItRunsAndKeepsTheRest) {
  auto inner = ScriptedStore::New("inner");
  auto store = Faulty(inner, {{"status", "busy"}});
  EXPECT_EQ(Failures(*store, 5), ".....");
  ASSERT_TRUE(store->Set("rate", "100").ok());
  EXPECT_EQ(GetFrom(*store, "k").status.code(), Code::kBusy);
  ASSERT_TRUE(store->Set("rate", "0").ok());
  EXPECT_EQ(Failures(*store, 5), ".....");
  EXPECT_EQ(store->Set("rate", "101").code(), Code::kInvalid);
  EXPECT_EQ(store->Set("rates", "1").code(), Code::kInvalid);
  EXPECT_EQ(store->Set("operations", "get+open").code(), Code::kInvalid);
  EXPECT_EQ(Failures(*store, 5), ".....") << "a refused change changes nothing";
}

TEST(FaultTest, NeverAnswersWithoutWaiting) {
  auto inner = ScriptedStore::New("inner", kCapTry | kCapScan);
  inner->Plant("k", "v");
  auto store = Faulty(inner, {});
  EXPECT_FALSE(store->caps() & kCapTry);
  EXPECT_EQ(TextOf(GetFrom(*store, "k", 0, Wait::kNever)), "(CS_WOULD_BLOCK)");
}

TEST(FaultTest, RefusesOptionsThatItDoesNotKnow) {
  const Options options = With({{"status", "sad"}});
  EXPECT_EQ(NewFault(ScriptedStore::New("inner"), &options).status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace chainstore
