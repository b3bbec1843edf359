#include "managers/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/metric.h"
#include "managers/metrics/counters.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string PrometheusOf(const Store& store) {
  MetricSet set;
  store.CollectMetrics(&set);
  return set.ToPrometheus();
}

TEST(MetricsTest, CountsOperationsByHowTheyEndedAndTheirBytes) {
  auto inner = ScriptedStore::New("inner");
  auto store = *NewMetrics(inner, "disk", nullptr);
  Put(*store, "k", "12345");
  Put(*store, "k", "678");
  GetFrom(*store, "k");
  GetFrom(*store, "k", 0, Wait::kLater);
  GetFrom(*store, "none");
  GetFrom(*store, "k", 0, Wait::kHere, Read::Stat());
  inner->Fail(ScriptedStore::Op::kPut, Code::kNoSpace);
  Put(*store, "k", "not counted as written");
  Del(*store, "k");
  const std::string text = PrometheusOf(*store);
  for (const char* line :
       {"chainstore_operations_total{name=\"disk\",operation=\"put\",status=\"CS_OK\"} 2\n",
        "chainstore_operations_total{name=\"disk\",operation=\"put\",status=\"CS_NO_SPACE\"} 1\n",
        "chainstore_operations_total{name=\"disk\",operation=\"get\",status=\"CS_OK\"} 2\n",
        "chainstore_operations_total{name=\"disk\",operation=\"get\",status=\"CS_NOT_FOUND\"} 1\n",
        "chainstore_operations_total{name=\"disk\",operation=\"stat\",status=\"CS_OK\"} 1\n",
        "chainstore_operation_bytes_total{name=\"disk\",operation=\"put\"} 8\n",
        "chainstore_operation_bytes_total{name=\"disk\",operation=\"get\"} 6\n",
        "chainstore_hits_total{name=\"disk\"} 2\n", "chainstore_misses_total{name=\"disk\"} 1\n",
        "chainstore_operation_duration_seconds_count{name=\"disk\",operation=\"put\"} 3\n",
        "# TYPE chainstore_operation_duration_seconds summary\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsTest, LeavesNoTraceOfWhatWouldHaveBlocked) {
  auto inner = ScriptedStore::New("inner", kCapTry);
  auto store = *NewMetrics(inner, "m", nullptr);
  GetFrom(*store, "k", Call::kSpeculative, Wait::kNever);
  EXPECT_THAT(PrometheusOf(*store), Not(HasSubstr("operation")));
  store->NoteMiss(Key("k"));
  EXPECT_THAT(PrometheusOf(*store), HasSubstr("chainstore_misses_total{name=\"m\"} 1\n"));
  auto disk = *NewMetrics(ScriptedStore::New("disk"), "d", nullptr);
  GetFrom(*disk, "k", 0, Wait::kNever);
  EXPECT_THAT(PrometheusOf(*disk), Not(HasSubstr("operation")));
}

TEST(MetricsTest, CountsAHitAtHandOnceAndMeasuresItAsOthers) {
  auto inner = ScriptedStore::New("inner", kCapTry);
  inner->Plant("k", "12345");
  auto store = *NewMetrics(inner, "m", nullptr);
  EXPECT_EQ(HitText(*store, "none"), "(none)");
  EXPECT_THAT(PrometheusOf(*store), Not(HasSubstr("operation"))) << "the get that follows counts";
  EXPECT_EQ(HitText(*store, "k"), "12345");
  EXPECT_EQ(HitText(*store, "k"), "12345");
  const std::string text = PrometheusOf(*store);
  EXPECT_THAT(text, HasSubstr("operation=\"get\",status=\"CS_OK\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("bytes_total{name=\"m\",operation=\"get\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("hits_total{name=\"m\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("duration_seconds_count{name=\"m\",operation=\"get\"} 2\n"));
  auto keeper = *NewMetrics(inner, "keeps the inner store open", nullptr);
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_EQ(HitText(*keeper, "k"), "12345");
  EXPECT_EQ(HitText(*store, "k"), "(none)");
}

TEST(MetricsTest, MeasuresGetsThatMemoryMayAnswerOneInSixtyFourAndShowsThemAll) {
  Counters counters;
  int measured = 0;
  for (int i = 0; i < 640; ++i) {
    measured += counters.OfThisThread().Sample(Metered::kGet, 64);
    counters.OfThisThread().Sample(Metered::kStat, 64);  // has a count of its own
  }
  EXPECT_EQ(measured, 10);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(counters.OfThisThread().IsSampled(Metered::kGet, 64));
  counters.OfThisThread().Begin(Metered::kGet);
  EXPECT_FALSE(counters.OfThisThread().IsSampled(Metered::kGet, 64));
  auto store = *NewMetrics(ScriptedStore::New("inner", kCapTry), "m", nullptr);
  for (int i = 0; i < 100; ++i) GetFrom(*store, "k");
  const std::string text = PrometheusOf(*store);
  EXPECT_THAT(text, HasSubstr("status=\"CS_NOT_FOUND\"} 100\n"));
  EXPECT_THAT(text, HasSubstr("duration_seconds_count{name=\"m\",operation=\"get\"} 100\n"));
}

TEST(MetricsTest, CountsTheKeysOfAGetMany) {
  auto inner = ScriptedStore::New("inner");
  inner->Plant("a", "1");
  inner->Plant("b", "22");
  auto store = *NewMetrics(inner, "m", nullptr);
  Entries entries;
  Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
    store->GetMany({OwnedKey(Key("a")), OwnedKey(Key("x")), OwnedKey(Key("b"))}, Call(),
                   std::move(done));
  });
  const std::string text = PrometheusOf(*store);
  EXPECT_THAT(text, HasSubstr("chainstore_hits_total{name=\"m\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("chainstore_misses_total{name=\"m\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("bytes_total{name=\"m\",operation=\"get_many\"} 3\n"));
}

TEST(MetricsTest, AddsUpWhatAllThreadsDid) {
  auto store = *NewMetrics(ScriptedStore::New("inner"), "m", nullptr);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) GetFrom(*store, "k");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(PrometheusOf(*store), HasSubstr("status=\"CS_NOT_FOUND\"} 800\n"));
}

TEST(MetricsTest, ANameMayHoldAnything) {
  auto store = *NewMetrics(ScriptedStore::New("inner"), "a \"quoted\"\nname\\", nullptr);
  GetFrom(*store, "k");
  EXPECT_THAT(PrometheusOf(*store), HasSubstr("{name=\"a \\\"quoted\\\"\\nname\\\\\"} 1\n"));
  MetricSet set;
  store->CollectMetrics(&set);
  EXPECT_THAT(set.ToJson(), HasSubstr("\"name\":\"a \\\"quoted\\\"\\u000aname\\\\\""));
  EXPECT_EQ(NewMetrics(ScriptedStore::New("inner"), "", nullptr).status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace chainstore
