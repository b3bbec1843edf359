#include "stores/s3/secret_headers.h"

#include <gtest/gtest.h>

namespace chainstore::s3::secret_headers_test {
namespace {

TEST(SecretHeadersTest, KnowsWhatLetsOthersIn) {
  for (const char* name :
       {"authorization", "x-amz-security-token", "x-amz-server-side-encryption-customer-key",
        "x-aws-ec2-metadata-token", "proxy-authorization", "set-cookie"}) {
    EXPECT_TRUE(IsSecretHeader(name)) << name;
  }
  for (const char* name : {"x-amz-date", "x-amz-server-side-encryption", "etag", "range",
                           "x-amz-server-side-encryption-customer-algorithm"}) {
    EXPECT_FALSE(IsSecretHeader(name)) << name;
  }
}

TEST(SecretHeadersTest, WipesThoseAndNoOthers) {
  HeaderList headers = {{"x-amz-security-token", "hushed"}, {"range", "bytes=0-1"}, {"cookie", ""}};
  WipeSecrets(&headers);
  EXPECT_EQ(headers[0].second, std::string(6, '\0'));
  EXPECT_EQ(headers[1].second, "bytes=0-1");
}

}  // namespace
}  // namespace chainstore::s3::secret_headers_test
