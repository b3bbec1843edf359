#include "managers/logging/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "managers/logging/log_line.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

// Goes when every manager that logs to it has released it: one that is dropped open is closed, and
// released, by a worker.
struct Lines {
  Mutex mutex;
  CondVar changed;
  std::vector<std::string> lines CS_GUARDED_BY(mutex);
  int taken CS_GUARDED_BY(mutex) = 0;
  int released CS_GUARDED_BY(mutex) = 0;

  ~Lines() {
    MutexLock lock(mutex);
    while (released < taken) changed.Wait(mutex);
  }
  void Take() {
    MutexLock lock(mutex);
    ++taken;
  }
  static void Log(void* self, int32_t level, const char* message, size_t size) {
    auto* lines = static_cast<Lines*>(self);
    MutexLock lock(lines->mutex);
    lines->lines.push_back(std::to_string(level) + " " + std::string(message, size));
  }
  static void Release(void* self) {
    auto* lines = static_cast<Lines*>(self);
    MutexLock lock(lines->mutex);
    ++lines->released;
    lines->changed.NotifyAll();
  }
  int Released() {
    MutexLock lock(mutex);
    return released;
  }
  std::vector<std::string> Written() {
    MutexLock lock(mutex);
    return std::exchange(lines, {});
  }
};

Ref<Store> Logged(Ref<Store> inner, Lines* lines,
                  std::vector<std::pair<std::string, std::string>> pairs = {}) {
  Options options;
  for (auto& [name, value] : pairs) options.values[name] = value;
  auto made = NewLogging(std::move(inner), {Lines::Log, lines, Lines::Release}, &options);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  lines->Take();
  return *made;
}

TEST(LoggingTest, WritesOneLineForEachOperation) {
  auto inner = ScriptedStore::New("inner", kCapScan | kCapTry);
  Lines lines;
  auto store = Logged(inner, &lines, {{"level", "debug"}});
  Put(*store, "k", "value");
  GetFrom(*store, "k");
  GetFrom(*store, "k", 0, Wait::kLater);
  GetFrom(*store, "none");
  GetFrom(*store, "k", 0, Wait::kHere, Read::Stat());
  Del(*store, "k");
  ScanPage(*store, {});
  EXPECT_TRUE(FlushStore(*store).ok());
  EXPECT_THAT(
      lines.Written(),
      ElementsAre(
          MatchesRegex("1 op=put store=inner key=\"k\" bytes=5 status=CS_OK us=[0-9]+"),
          MatchesRegex("1 op=get store=inner key=\"k\" bytes=5 tier=1 status=CS_OK us=[0-9]+"),
          MatchesRegex("1 op=get store=inner key=\"k\" bytes=5 tier=1 status=CS_OK us=[0-9]+"),
          MatchesRegex("0 op=get store=inner key=\"none\" status=CS_NOT_FOUND us=[0-9]+"),
          MatchesRegex("1 op=stat store=inner key=\"k\" bytes=5 tier=1 status=CS_OK us=[0-9]+"),
          MatchesRegex("1 op=del store=inner key=\"k\" status=CS_OK us=[0-9]+"),
          MatchesRegex("0 op=scan store=inner count=0 status=CS_END us=[0-9]+"),
          MatchesRegex("1 op=flush store=inner status=CS_OK us=[0-9]+")));
}

TEST(LoggingTest, SaysWhatFailedAndHowBadItIs) {
  auto inner = ScriptedStore::New("inner");
  Lines lines;
  auto store = Logged(inner, &lines, {{"level", "warning"}});
  Put(*store, "k", "v");
  inner->Fail(ScriptedStore::Op::kPut, Code::kNoSpace);
  Put(*store, "k", "v");
  inner->Fail(ScriptedStore::Op::kPut, Code::kDenied);
  Put(*store, "k", "v");
  EXPECT_THAT(
      lines.Written(),
      ElementsAre(MatchesRegex("2 .* status=CS_NO_SPACE error=\"inner: put: as scripted\" .*"),
                  MatchesRegex("3 .* status=CS_DENIED error=.*")));
}

TEST(LoggingTest, QuotesAndCutsKeys) {
  EXPECT_EQ(QuoteKey("plain", 64), "\"plain\"");
  EXPECT_EQ(QuoteKey(Bytes("a\"\\\n\0\xff", 6), 64), "\"a\\\"\\\\\\x0a\\x00\\xff\"");
  EXPECT_EQ(QuoteKey("longer than that", 6), "\"longer\"...");
}

TEST(LoggingTest, AStoreWhoseNameHoldsALineFeedStillLeavesOneLine) {
  Lines lines;
  auto store = Logged(ScriptedStore::New("file:/a b\nc"), &lines);
  Put(*store, "k", "v");
  const std::vector<std::string> written = lines.Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].rfind("1 op=put store=\"file:/a b\\x0ac\" key=\"k\" bytes=1 ", 0), 0u)
      << written[0];
}

TEST(LoggingTest, LeavesNoLineForWhatWouldHaveBlocked) {
  auto inner = ScriptedStore::New("inner", kCapTry);
  Lines lines;
  auto store = Logged(inner, &lines, {{"level", "debug"}});
  GetFrom(*store, "k", Call::kSpeculative, Wait::kNever);
  EXPECT_TRUE(lines.Written().empty()) << "a tentative miss";
  store->NoteMiss(Key("k"));
  EXPECT_EQ(lines.Written().size(), 1u) << "that counted after all";
  auto disk = Logged(ScriptedStore::New("disk"), &lines, {{"level", "debug"}});
  GetFrom(*disk, "k", 0, Wait::kNever);
  EXPECT_TRUE(lines.Written().empty());
}

TEST(LoggingTest, SamplesAndChangesItsLevelWhileItRuns) {
  auto inner = ScriptedStore::New("inner");
  Lines lines;
  auto store = Logged(inner, &lines, {{"sample", "10"}});
  for (int i = 0; i < 100; ++i) Put(*store, "k", "v");
  EXPECT_EQ(lines.Written().size(), 10u);
  ASSERT_TRUE(store->Set("level", "error").ok());
  for (int i = 0; i < 100; ++i) Put(*store, "k", "v");
  EXPECT_TRUE(lines.Written().empty());
  EXPECT_EQ(store->Set("level", "loud").code(), Code::kInvalid);
  EXPECT_EQ(store->Set("sample", "0").code(), Code::kInvalid);
}

TEST(LoggingTest, ReleasesTheFunctionOnceAndOnlyIfItTookIt) {
  Lines lines;
  {
    auto store = Logged(ScriptedStore::New("inner"), &lines);
    EXPECT_TRUE(CloseStore(*store).ok());
    EXPECT_EQ(lines.Released(), 0);
  }
  EXPECT_EQ(lines.Released(), 1);
  Options bad;
  bad.values["sample"] = "0";
  EXPECT_FALSE(
      NewLogging(ScriptedStore::New("inner"), {Lines::Log, &lines, Lines::Release}, &bad).ok());
  EXPECT_FALSE(NewLogging(ScriptedStore::New("inner"), {nullptr, nullptr, nullptr}, nullptr).ok());
  EXPECT_EQ(lines.Released(), 1);
}

}  // namespace
}  // namespace chainstore
