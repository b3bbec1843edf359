#include "stores/s3/s3_meters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/scripted_s3.h"

namespace chainstore::s3::s3_meters_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PricesTest, AreNumbersByName) {
  Prices prices;
  ASSERT_TRUE(ParsePrices("get=0.0004,put=0.005,list=1,delete=0,sent=2,received=0.09", &prices));
  EXPECT_TRUE(prices.given);
  EXPECT_EQ(prices.get, 0.0004);
  EXPECT_EQ(prices.put, 0.005);
  EXPECT_EQ(prices.list, 1);
  EXPECT_EQ(prices.del, 0);
  EXPECT_EQ(prices.sent, 2);
  EXPECT_EQ(prices.received, 0.09);
  ASSERT_TRUE(ParsePrices("", &prices));
  EXPECT_FALSE(prices.given);
  for (const char* text : {"get", "get=", "get=x", "get=1x", "get=-1", "get=inf", "gets=1", ",",
                           "get=1,", "get=1,,put=1", "get=nan", "=1"}) {
    EXPECT_FALSE(ParsePrices(text, &prices)) << text;
  }
}

class S3MetersTest : public ScriptedS3Test {
 protected:
  S3MetersTest() { Open({{"prices", "get=0.5,put=2,list=4,delete=8,received=1000000000"}}); }
  std::string Metrics() const { return MetricsOf(*store_).ToPrometheus(); }
  // A line of the store's own.
  static std::string Line(const char* name, const char* label, const char* number) {
    return std::string("chainstore_s3_") + name + "{store=\"s3:bucket\"" +
           (*label ? std::string(",") + label : "") + ",layer=\"0\"} " + number + "\n";
  }
};

TEST_F(S3MetersTest, CountsEachAttemptByWhatItAsks) {
  Answers(Reply(500, ErrorBody("InternalError")));
  Answers(Reply(200, "value"));
  EXPECT_EQ(TextOf(Get()), "value");
  Answers(Reply(200));
  EXPECT_EQ(Put(*store_, "k", "three"), Code::kOk);
  Answers(Reply(204));
  EXPECT_EQ(Del(*store_, "k"), Code::kOk);
  Answers(Reply(200));
  EXPECT_TRUE(Get(Read::Stat()).status.ok());
  Answers(Reply(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
  Answers(Reply(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
  EXPECT_FALSE(ScanPage(*store_, Range()).status.failed());
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr(Line("requests_total", "kind=\"get\"", "2")));
  EXPECT_THAT(text, HasSubstr(Line("requests_total", "kind=\"put\"", "1")));
  EXPECT_THAT(text, HasSubstr(Line("requests_total", "kind=\"head\"", "1")));
  EXPECT_THAT(text, HasSubstr(Line("requests_total", "kind=\"delete\"", "1")));
  EXPECT_THAT(text, HasSubstr(Line("requests_total", "kind=\"delete_many\"", "0")));
  EXPECT_THAT(text, Not(HasSubstr(Line("requests_total", "kind=\"list\"", "0"))));
  EXPECT_THAT(text, HasSubstr(Line("retries_total", "after=\"fault\"", "1")));
  EXPECT_THAT(text, HasSubstr(Line("retries_total", "after=\"throttle\"", "0")));
  EXPECT_THAT(text, HasSubstr(Line("sent_bytes_total", "", "5")));
  EXPECT_THAT(text, HasSubstr("chainstore_s3_first_byte_seconds_count{store=\"s3:bucket\""));
  EXPECT_THAT(text, HasSubstr(Line("cost_total", "of=\"get\"", "0.0015")));
  EXPECT_THAT(text, HasSubstr(Line("cost_total", "of=\"put\"", "0.002")));
  EXPECT_THAT(text, HasSubstr(Line("cost_total", "of=\"delete\"", "0.008")));
}

TEST_F(S3MetersTest, CountsConnectionsAndWhatTheyAreUsedFor) {
  for (int i = 0; i < 3; ++i) {
    Answers(Reply(200, "value"));
    EXPECT_EQ(TextOf(Get()), "value");
  }
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr(Line("connections_total", "state=\"opened\"", "1")));
  EXPECT_THAT(text, HasSubstr(Line("connections_total", "state=\"reused\"", "2")));
  EXPECT_THAT(text, HasSubstr(Line("received_bytes_total", "", "15")));
  EXPECT_THAT(text, HasSubstr(Line("cost_total", "of=\"received\"", "15")));
  EXPECT_THAT(text, HasSubstr("first_byte_seconds_count{store=\"s3:bucket\",layer=\"0\"} 3\n"));
}

TEST_F(S3MetersTest, WhatNeverReachedTheServerWasNoRequest) {
  Open({{"endpoint", "http://127.0.0.1:1"}, {"attempts", "1"}});
  EXPECT_TRUE(Get().status.Is(Code::kIo));
  EXPECT_THAT(Metrics(), HasSubstr(Line("requests_total", "kind=\"get\"", "0")));
  EXPECT_THAT(Metrics(), Not(HasSubstr("cost_total"))) << "without prices";
}

}  // namespace
}  // namespace chainstore::s3::s3_meters_test
