#include "stores/s3/http_origin.h"

#include <gtest/gtest.h>

namespace chainstore::s3::http_origin_test {
namespace {

TEST(HttpOriginTest, ATargetIsWhatFollowsTheServersName) {
  EXPECT_EQ(TargetOfUrl("http://h:1/b/%2F//../k?x=http://y/"), "/b/%2F//../k?x=http://y/");
  EXPECT_EQ(TargetOfUrl("https://h/"), "/");
  EXPECT_EQ(TargetOfUrl("https://[::1]:9/k"), "/k");
  EXPECT_EQ(TargetOfUrl("http://h"), "");
  EXPECT_EQ(TargetOfUrl("/k"), "");
}

TEST(HttpOriginTest, EachIsTakenApartOnce) {
  HttpOrigins origins;
  CURLU* const first = origins.Find("http://h:81/a");
  ASSERT_TRUE(first);
  EXPECT_EQ(origins.Find("http://h:81/b?c"), first);
  EXPECT_NE(origins.Find("http://h:82/a"), first);
  EXPECT_NE(origins.Find("https://h:81/a"), first);
  char* text = nullptr;
  ASSERT_EQ(curl_url_get(first, CURLUPART_URL, &text, 0), CURLUE_OK);
  EXPECT_STREQ(text, "http://h:81/");
  curl_free(text);
}

TEST(HttpOriginTest, WhatIsNoneIsLeftToCurlAndNotKept) {
  HttpOrigins origins;
  EXPECT_FALSE(origins.Find("http://h"));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(origins.Find("http://h:none/k"));
  EXPECT_TRUE(origins.Find("http://h/k"));
}

TEST(HttpOriginTest, AServerCannotMakeThemGrowForEver) {
  HttpOrigins origins;
  CURLU* const first = origins.Find("http://h0/");
  int known = 1;
  while (known < 1000 && origins.Find("http://h" + std::to_string(known) + "/")) ++known;
  EXPECT_EQ(known, 16);
  EXPECT_EQ(origins.Find("http://h0/k"), first);
}

}  // namespace
}  // namespace chainstore::s3::http_origin_test
