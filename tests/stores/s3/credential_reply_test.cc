#include "stores/s3/credential_reply.h"

#include <gtest/gtest.h>

namespace chainstore::s3::credential_reply_test {
namespace {

Result<Ref<const Identity>> Read(Bytes text) {
  std::string why;
  const auto root = ParseJson(text, &why);
  EXPECT_TRUE(root) << why;
  return ReadIdentity(*root, "Token", "test");
}

TEST(CredentialReplyTest, ReadsAWholeAnswer) {
  auto found = Read(
      R"({"AccessKeyId":"id","SecretAccessKey":"s","Token":"t","Expiration":"2013-05-24T00:00:00Z"})");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->access_key, "id");
  EXPECT_EQ((*found)->secret.Reveal(), "s");
  EXPECT_EQ((*found)->session_token.Reveal(), "t");
  EXPECT_EQ((*found)->expires_at_ms, 1'369'353'600'000);
  EXPECT_EQ((*found)->source, "test");
  EXPECT_FALSE((*found)->fixed);
  found = Read(R"({"AccessKeyId":"id","SecretAccessKey":"s","Expiration":null})");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->expires_at_ms, 0);
}

TEST(CredentialReplyTest, RefusesHalfOfOneAndShowsNothingOfIt) {
  for (const char* text :
       {"{}", "[]", "\"unspoken\"", R"({"AccessKeyId":"unspoken"})",
        R"({"SecretAccessKey":"unspoken"})", R"({"AccessKeyId":"id","SecretAccessKey":1})",
        R"({"AccessKeyId":"i\r\nunspoken: 1","SecretAccessKey":"s"})",
        R"({"AccessKeyId":"i","SecretAccessKey":"s","Token":"unspoken\n"})",
        R"({"AccessKeyId":"i","SecretAccessKey":"s","Expiration":"unspoken"})",
        R"({"AccessKeyId":"i","SecretAccessKey":"s","Expiration":12})"}) {
    auto found = Read(text);
    ASSERT_FALSE(found.ok()) << text;
    EXPECT_EQ(found.status().ToString().find("unspoken"), std::string::npos);
  }
}

}  // namespace
}  // namespace chainstore::s3::credential_reply_test
