#include "stores/s3/sigv4.h"

#include <gtest/gtest.h>

#include <ctime>

#include "stores/s3/sigv4_examples.h"

namespace chainstore::s3::sigv4_test {
namespace {

constexpr Bytes kAccessKey = "AKIAIOSFODNN7EXAMPLE";
constexpr int64_t kExampleMs = 1'369'353'600'000;  // 2013-05-24 00:00:00 UTC

Secret ExampleSecret() { return Secret(Bytes("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")); }
Scope ExampleScope() { return {SigningTime(kExampleMs), "us-east-1"}; }

TEST(SigV4Test, ReproducesEveryPublishedSignature) {
  SigningKeys keys;
  const HmacSha256 key = keys.Get(ExampleSecret(), ExampleScope());
  size_t requests = 0;
  for (const SigningExample& example : kSigningExamples) {
    EXPECT_EQ(Signature(key, example.string_to_sign), example.signature) << example.name;
    if (!example.method) continue;
    ++requests;
    Headers headers;
    for (const auto& [name, value] : example.headers) headers.emplace_back(name, value);
    const std::string canonical = CanonicalRequest(
        {example.method, example.path, example.query, &headers, example.payload_hash});
    EXPECT_EQ(canonical, example.canonical_request) << example.name;
    EXPECT_EQ(StringToSign(ExampleScope(), canonical), example.string_to_sign) << example.name;
  }
  EXPECT_EQ(requests, 7u);
  EXPECT_EQ(std::size(kSigningExamples), 14u);
}

TEST(SigV4Test, MakesTheAuthorizationHeaderOfTheReference) {
  SigningKeys keys;
  const SigningExample& example = kSigningExamples[0];
  Headers headers;
  for (const auto& [name, value] : example.headers) headers.emplace_back(name, value);
  EXPECT_EQ(
      Authorization(keys, kAccessKey, ExampleSecret(), ExampleScope(),
                    {example.method, example.path, example.query, &headers, example.payload_hash}),
      "AWS4-HMAC-SHA256 "
      "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
      "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
      "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4Test, MakesThePresignedUrlOfTheReference) {
  SigningKeys keys;
  const std::string query =
      PresignedQuery(keys, kAccessKey, ExampleSecret(), Secret(), ExampleScope(), "GET",
                     "/test.txt", {}, {{"host", "examplebucket.s3.amazonaws.com"}}, 86400);
  EXPECT_EQ(query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-"
            "SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  EXPECT_NE(PresignedQuery(keys, kAccessKey, ExampleSecret(), Secret(Bytes("a token")),
                           ExampleScope(), "GET", "/", {}, {{"host", "h"}}, 1)
                .find("X-Amz-Security-Token=a%20token&"),
            std::string::npos);
}

TEST(SigV4Test, WritesTheTimeAsTheCLibraryDoes) {
  for (int64_t wall_ms = 999; wall_ms < int64_t{4'102'444'800'000}; wall_ms += 86'399'123'457) {
    const time_t seconds = wall_ms / 1000;
    tm parts;
    gmtime_r(&seconds, &parts);
    char text[17];
    strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &parts);
    EXPECT_EQ(SigningTime(wall_ms).stamp(), text);
  }
  EXPECT_EQ(SigningTime(1'709'251'199'999).stamp(), "20240229T235959Z");
}

TEST(SigV4Test, TrimsAndCollapsesHeaderValuesAndJoinsThoseGivenTwice) {
  const Headers headers = {{"x-amz-meta-b", "  two   words  and one more\t"},
                           {"host", "h"},
                           {"x-amz-meta-a", "1"},
                           {"x-amz-meta-a", "2"}};
  EXPECT_EQ(CanonicalRequest({"GET", "/", "", &headers, "hash"}),
            "GET\n/\n\nhost:h\nx-amz-meta-a:1,2\nx-amz-meta-b:two words and one more\n\n"
            "host;x-amz-meta-a;x-amz-meta-b\nhash");
}

TEST(SigV4Test, SignsWhatNoProxyChanges) {
  for (const Bytes name : {"host", "content-md5", "content-type", "x-amz-date", "x-amz-meta-a"}) {
    EXPECT_TRUE(IsSigned(name)) << name;
  }
  for (const Bytes name : {"user-agent", "expect", "accept-encoding", "connection", "range"}) {
    EXPECT_FALSE(IsSigned(name)) << name;
  }
}

TEST(SigV4Test, RefusesHeaderValuesThatEndTheHeader) {
  EXPECT_TRUE(IsHeaderValue("plain, \t and \xc3\xa4"));
  EXPECT_FALSE(IsHeaderValue("a\rb"));
  EXPECT_FALSE(IsHeaderValue("a\nb"));
  EXPECT_FALSE(IsHeaderValue(Bytes("a\0b", 3)));
}

TEST(SigV4Test, KeepsSigningKeysApart) {
  SigningKeys keys;
  const auto sign = [&](const char* secret, int64_t wall_ms, const char* region) {
    return Signature(keys.Get(Secret(Bytes(secret)), {SigningTime(wall_ms), region}), "text");
  };
  constexpr int64_t kDayMs = 86'400'000;
  const std::string first = sign("one", kExampleMs, "a");
  EXPECT_NE(sign("two", kExampleMs, "a"), first);
  EXPECT_NE(sign("one", kExampleMs + kDayMs, "a"), first);
  EXPECT_NE(sign("one", kExampleMs, "b"), first);
  EXPECT_EQ(sign("one", kExampleMs + kDayMs - 1, "a"), first) << "one key for a day";
  for (int day = 0; day < 20; ++day) sign("one", kExampleMs + day * kDayMs, "a");
  EXPECT_EQ(sign("one", kExampleMs, "a"), first) << "also when it was dropped and made anew";
}

}  // namespace
}  // namespace chainstore::s3::sigv4_test
