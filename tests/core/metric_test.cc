#include "core/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chainstore {
namespace {

using ::testing::HasSubstr;

TEST(MetricSetTest, WritesPrometheusText) {
  MetricSet set;
  set.Counter("b_total", "What b does.", {{"k", "v\"\\\n"}}, 7);
  set.Gauge("a_bytes", "How much.", {}, 3);
  set.Amount("d_total", "What d costs.", {}, 0.0125);
  set.Summary("c_seconds", "How long.", {{"x", "y"}}, 2, 0.5, {{"0.5", 0.25}});
  EXPECT_EQ(set.ToPrometheus(),
            "# HELP a_bytes How much.\n# TYPE a_bytes gauge\na_bytes 3\n"
            "# HELP b_total What b does.\n# TYPE b_total counter\n"
            "b_total{k=\"v\\\"\\\\\\n\"} 7\n"
            "# HELP c_seconds How long.\n# TYPE c_seconds summary\n"
            "c_seconds{x=\"y\",quantile=\"0.5\"} 0.25\n"
            "c_seconds_sum{x=\"y\"} 0.5\nc_seconds_count{x=\"y\"} 2\n"
            "# HELP d_total What d costs.\n# TYPE d_total counter\nd_total 0.0125\n");
}

TEST(MetricSetTest, LabelsAreUtf8AndNamedByTheirLayer) {
  MetricSet set;
  set.BeginLayer(2);
  set.Gauge("a", "A.", {{"k", "\xff"}}, 1);
  EXPECT_THAT(set.ToPrometheus(), HasSubstr("a{k=\"\xef\xbf\xbd\",layer=\"2\"} 1\n"));
}

TEST(MetricSetTest, WritesJson) {
  MetricSet set;
  set.Gauge("a", "A.", {{"k", "v"}}, 3);
  set.Amount("b", "B.", {}, 0.0125);
  set.Summary("c", "C.", {}, 2, 0.5, {{"0.5", 0.25}, {"0.9", 1}});
  EXPECT_EQ(set.ToJson(),
            "{\"metrics\":[\n"
            "{\"name\":\"a\",\"type\":\"gauge\",\"labels\":{\"k\":\"v\"},\"value\":3},\n"
            "{\"name\":\"b\",\"type\":\"counter\",\"labels\":{},\"value\":0.0125},\n"
            "{\"name\":\"c\",\"type\":\"summary\",\"labels\":{},\"count\":2,\"sum\":0.5,"
            "\"quantiles\":{\"0.5\":0.25,\"0.9\":1}}\n]}\n");
  EXPECT_EQ(MetricSet().ToJson(), "{\"metrics\":[\n]}\n");
}

TEST(MetricSetTest, JsonStringsAreAlwaysValidUtf8) {
  EXPECT_EQ(JsonString("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(JsonString("a\xff"
                       "b"),
            "\"a" + bad + "b\"");
  EXPECT_EQ(JsonString("\xc3"), "\"" + bad + "\"") << "cut off";
  EXPECT_EQ(JsonString("\xc0\x80"), "\"" + bad + bad + "\"") << "overlong";
  EXPECT_EQ(JsonString("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"") << "a surrogate";
  EXPECT_EQ(JsonString(std::string_view("\0\t\"\\", 4)), "\"\\u0000\\u0009\\\"\\\\\"");
}

}  // namespace
}  // namespace chainstore
