#include "stores/s3/http_date.h"

#include <gtest/gtest.h>

namespace chainstore::s3::http_date_test {
namespace {

TEST(HttpDateTest, ReadsTheFormOfServers) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);  // RFC 9110
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
}

TEST(HttpDateTest, RefusesEverythingElse) {
  for (const Bytes wrong : {"", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                            "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 24:49:37 GMT",
                            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 19x4 08:49:37 GMT",
                            "Sun, 06 Nov 1994 08:49:3-7GMT"}) {
    EXPECT_EQ(ParseHttpDate(wrong), -1) << wrong;
  }
}

}  // namespace
}  // namespace chainstore::s3::http_date_test
