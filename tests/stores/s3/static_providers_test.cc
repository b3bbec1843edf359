#include "stores/s3/static_providers.h"

#include <gtest/gtest.h>

namespace chainstore::s3::static_providers_test {
namespace {

TEST(StaticProvidersTest, TakesWhatItIsGiven) {
  auto found =
      ExplicitProvider("id", Secret(Bytes("secret")), Secret(Bytes("token")))->Fetch(nullptr);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->access_key, "id");
  EXPECT_EQ((*found)->secret.Reveal(), "secret");
  EXPECT_EQ((*found)->session_token.Reveal(), "token");
  EXPECT_EQ(ExplicitProvider("", Secret(), Secret())->Fetch(nullptr).status().code(),
            Code::kNotFound);
}

TEST(StaticProvidersTest, ReadsTheEnvironmentAndTakesBlankForMissing) {
  Variables variables;
  variables.Set("AWS_ACCESS_KEY_ID", " ");
  variables.Set("AWS_SECRET_ACCESS_KEY", "");
  variables.Set("AWS_SESSION_TOKEN", "");
  EXPECT_EQ(EnvironmentProvider(variables)->Fetch(nullptr).status().code(), Code::kNotFound);
  variables.Set("AWS_ACCESS_KEY_ID", "id");
  const Status half = EnvironmentProvider(variables)->Fetch(nullptr).status();
  EXPECT_EQ(half.code(), Code::kDenied)
      << "half of a key pair is a mistake, not another provider's turn";
  variables.Set("AWS_SECRET_ACCESS_KEY", "secret");
  auto found = EnvironmentProvider(variables)->Fetch(nullptr);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->secret.Reveal(), "secret");
  EXPECT_TRUE((*found)->session_token.empty());
  EXPECT_TRUE((*found)->fixed);
  variables.Set("AWS_SESSION_TOKEN", "unspoken\r\nx-evil: 1");
  EXPECT_EQ(EnvironmentProvider(variables)->Fetch(nullptr).status().ToString(),
            "CS_DENIED: AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN has a line break in it");
}

TEST(StaticProvidersTest, IsAnonymousOnlyWhenAsked) {
  auto found = AnonymousProvider()->Fetch(nullptr);
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE((*found)->anonymous);
}

}  // namespace
}  // namespace chainstore::s3::static_providers_test
