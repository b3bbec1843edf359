#include "stores/s3/s3_settings.h"

#include <gtest/gtest.h>

namespace chainstore::s3::s3_settings_test {
namespace {

using Pairs = std::map<std::string, std::string, std::less<>>;

Result<S3Settings> Make(Pairs pairs, Bytes bucket = "bucket") {
  Options options;
  options.values = std::move(pairs);
  return S3Settings::Make(bucket, &options);
}

std::string WhyNot(Pairs pairs, Bytes bucket = "bucket") {
  Result<S3Settings> made = Make(std::move(pairs), bucket);
  if (made.ok()) return "";
  EXPECT_TRUE(made.status().Is(Code::kInvalid));
  return made.status().error()->message();
}

const std::string* Find(const Headers& headers, Bytes name) {
  for (const auto& header : headers) {
    if (header.first == name) return &header.second;
  }
  return nullptr;
}

TEST(S3SettingsTest, AddressesAwsByHostAndOthersByPath) {
  auto aws = Make({{"region", "eu-west-1"}});
  ASSERT_TRUE(aws.ok());
  EXPECT_EQ(aws->HostOf("eu-west-1").Origin(), "https://bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(aws->BasePath(), "/");
  EXPECT_FALSE(aws->signed_payload) << "over https a checksum does, at half the work";
  EXPECT_EQ(aws->HostOf("cn-north-1").host, "bucket.s3.cn-north-1.amazonaws.com.cn");
  for (const Bytes bucket : {"dotted.bucket", "Upper", "under_score"}) {
    auto by_path = Make({}, bucket);
    ASSERT_TRUE(by_path.ok());
    EXPECT_EQ(by_path->BasePath(), "/" + std::string(bucket) + "/");
  }
  auto own = Make({{"endpoint", "http://127.0.0.1:9000"}});
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->HostOf("any").Origin(), "http://127.0.0.1:9000");
  EXPECT_EQ(own->BasePath(), "/bucket/");
  EXPECT_TRUE(own->signed_payload);
  auto by_host = Make({{"endpoint", "https://s3.example.com"}, {"addressing", "virtual"}});
  ASSERT_TRUE(by_host.ok());
  EXPECT_EQ(by_host->HostOf("x").Origin(), "https://bucket.s3.example.com");
}

TEST(S3SettingsTest, SendsTheHeadersOfItsOptionsAndNoAclUnlessAsked) {
  auto plain = Make({});
  ASSERT_TRUE(plain.ok());
  EXPECT_TRUE(plain->put_headers.empty()) << "nothing is made public";
  EXPECT_TRUE(plain->request_headers.empty());
  const std::string key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  auto full = Make({{"acl", "public-read"},
                    {"storage_class", "STANDARD_IA"},
                    {"metadata", "a=1,b-c=two words"},
                    {"tags", "team=a b"},
                    {"content_type", "text/plain"},
                    {"cache_control", "no-store"},
                    {"requester_pays", "true"},
                    {"bucket_owner", "123456789012"},
                    {"sse_customer_key", key.c_str()}});
  ASSERT_TRUE(full.ok()) << full.status().ToString();
  const auto put = [&](Bytes name) { return *Find(full->put_headers, name); };
  EXPECT_EQ(put("x-amz-acl"), "public-read");
  EXPECT_EQ(put("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(put("x-amz-meta-a"), "1");
  EXPECT_EQ(put("x-amz-meta-b-c"), "two words");
  EXPECT_EQ(put("x-amz-tagging"), "team=a%20b");
  EXPECT_EQ(put("content-type"), "text/plain");
  EXPECT_EQ(put("cache-control"), "no-store");
  EXPECT_EQ(*Find(full->request_headers, "x-amz-request-payer"), "requester");
  EXPECT_EQ(*Find(full->request_headers, "x-amz-expected-bucket-owner"), "123456789012");
  EXPECT_EQ(*Find(full->read_headers, "x-amz-server-side-encryption-customer-key"), key);
  auto kms = Make({{"sse", "kms"}, {"sse_kms_key", "k"}});
  ASSERT_TRUE(kms.ok());
  EXPECT_EQ(*Find(kms->put_headers, "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(*Find(kms->put_headers, "x-amz-server-side-encryption-aws-kms-key-id"), "k");
}

TEST(S3SettingsTest, RefusesWhatCannotWork) {
  for (const Bytes bucket : {"ab", "a/b", "a b", ".."}) EXPECT_NE(WhyNot({}, bucket), "") << bucket;
  const Pairs wrong[] = {
      {{"endpoint", "host"}},
      {{"endpoint", "http://host/path"}},
      {{"region", "eu west"}},
      {{"access_key", "id"}},
      {{"secret_key", "s"}},
      {{"session_token", "t"}},
      {{"credentials", "options"}},
      {{"access_key", "i\nd"}, {"secret_key", "s"}},
      {{"addressing", "virtual"}, {"endpoint", "http://127.0.0.1"}},
      {{"prefix", "a\nb"}},
      {{"prefix", std::string(513, 'p')}},
      {{"metadata", "a"}},
      {{"metadata", "A=1"}},
      {{"metadata", "cs-crc32c=1"}},
      {{"metadata", "a=1\r\nx-amz-acl: public-read"}},
      {{"metadata", "a=" + std::string(1100, 'x')}},
      {{"content_type", "a\nb"}},
      {{"tags", "=1"}},
      {{"sse_kms_key", "k"}},
      {{"sse_customer_key", "c2hvcnQ="}},
      {{"sse_customer_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, {"sse", "s3"}},
      {{"attempts", "0"}},
      {{"concurrency", "257"}},
      {{"multipart_threshold", "1MiB"}},
      {{"part_size", "6GiB"}},
      {{"part_concurrency", "0"}},
      {{"prices", "get=cheap"}},
      {{"upload_notes", "/no/such/directory"}},
      {{"connections", "0"}},
      {{"stall_timeout", "10ms"}},
      {{"max_value_size", "0"}},
      {{"payload", "unsigned"}, {"endpoint", "http://127.0.0.1"}},
      {{"payload", "unsigned"}, {"checksum", "none"}}};
  for (const Pairs& pairs : wrong) EXPECT_NE(WhyNot(pairs), "") << pairs.begin()->first;
}

TEST(S3SettingsTest, RefusesEndpointsThatTheEnvironmentWantsAndItCannotFind) {
  for (const char* variable : {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"}) {
    setenv(variable, "true", 1);
    EXPECT_NE(WhyNot({}).find(variable), std::string::npos);
    EXPECT_NE(WhyNot({}).find("option endpoint"), std::string::npos);
    EXPECT_EQ(WhyNot({{"endpoint", "https://s3-fips.us-east-1.amazonaws.com"}}), "");
    setenv(variable, "false", 1);
    EXPECT_EQ(WhyNot({}), "");
    unsetenv(variable);
  }
}

TEST(S3SettingsTest, NamesItselfWithoutItsSecrets) {
  auto made = Make({{"prefix", "p/"}, {"access_key", "id"}, {"secret_key", "unspoken"}});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->StoreName(), "s3:bucket/p/");
  EXPECT_EQ(WhyNot({{"secret_key", "unspoken"}}).find("unspoken"), std::string::npos);
  EXPECT_EQ(WhyNot({{"sse_customer_key", "unspoken"}}).find("unspoken"), std::string::npos);
}

}  // namespace
}  // namespace chainstore::s3::s3_settings_test
