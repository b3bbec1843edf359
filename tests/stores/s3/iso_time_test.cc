#include "stores/s3/iso_time.h"

#include <gtest/gtest.h>

namespace chainstore::s3::iso_time_test {
namespace {

TEST(IsoTimeTest, ReadsWhatAwsWrites) {
  EXPECT_EQ(ParseIsoTime("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseIsoTime("2013-05-24T00:00:00Z"), 1'369'353'600'000);
  EXPECT_EQ(ParseIsoTime("2013-05-24T00:00:00.999Z"), 1'369'353'600'000);
  EXPECT_EQ(ParseIsoTime("2013-05-24T00:00:00UTC"), 1'369'353'600'000);
  EXPECT_EQ(ParseIsoTime("2013-05-24T02:00:00+02:00"), 1'369'353'600'000);
  EXPECT_EQ(ParseIsoTime("2013-05-23T16:30:00-0730"), 1'369'353'600'000);
}

TEST(IsoTimeTest, RefusesTheRest) {
  for (const char* text : {"",
                           "2013",
                           "2013-05-24",
                           "2013-05-24T00:00:00",
                           "2013-05-24 00:00:00Z",
                           "2013-13-24T00:00:00Z",
                           "2013-00-24T00:00:00Z",
                           "2013-05-32T00:00:00Z",
                           "2013-05-24T24:00:00Z",
                           "2013-05-24T00:60:00Z",
                           "2013-05-24T00:00:61Z",
                           "1969-12-31T23:59:59Z",
                           "2013-05-24T00:00:00.Z",
                           "2013-05-24T00:00:00Zx",
                           "2013-05-24T00:00:00+99:00",
                           "2013-05-24T00:00:00+01:00x",
                           "x013-05-24T00:00:00Z",
                           "2013/05/24T00:00:00Z",
                           "2013-05-24T00.00.00Z",
                           "2013-05-24T00:00:00+1"}) {
    EXPECT_EQ(ParseIsoTime(text), -1) << text;
  }
}

}  // namespace
}  // namespace chainstore::s3::iso_time_test
