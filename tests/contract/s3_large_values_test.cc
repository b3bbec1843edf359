// Values that an S3 server gets in parts, on a real one.
#include <algorithm>
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

TEST(LargeValues, ComeBackAsTheyWerePutToS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  for (const char* checksum : {"crc32c", "md5", "none"}) {
    Client store = S3With("large-" + std::string(checksum), {{"checksum", checksum}});
    const std::string value = LargeValue(21 * kMiB + 5);
    const Reply put = store.Put("large", value);
    ASSERT_TRUE(put.ok()) << put.message;
    const Reply got = store.Get("large");
    ASSERT_TRUE(got.ok()) << got.message;
    EXPECT_TRUE(got.value == value);
    EXPECT_EQ(store.Stat("large").total_size, value.size());
    EXPECT_TRUE(store.GetRange("large", 8 * kMiB - 3, 7).value == value.substr(8 * kMiB - 3, 7));
    EXPECT_TRUE(store.Put("large", "small").ok());
    EXPECT_EQ(store.Get("large").value, "small");
    EXPECT_TRUE(store.Del("large").ok());
    EXPECT_TRUE(store.Close().ok());
  }
}

TEST(LargeValues, TakeAConditionAsOneRequestToS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  Client store = S3With("large-if-absent", {});
  const std::string value = LargeValue(17 * kMiB);
  EXPECT_TRUE(store.PutIfAbsent("large", value).ok());
  EXPECT_EQ(store.PutIfAbsent("large", value).status, CS_EXISTS);
  EXPECT_TRUE(store.Get("large").value == value);
  EXPECT_TRUE(store.Del("large").ok());
  EXPECT_TRUE(store.Close().ok());
}

TEST(LargeValues, AreEncryptedWithTheCustomersKeyOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  if (HasQuirk("sse-c")) GTEST_SKIP() << "this server does not encrypt";
  const std::string key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  Client store = S3With("large-sse-c", {{"sse_customer_key", key}});
  const std::string value = LargeValue(17 * kMiB);
  const Reply put = store.Put("large", value);
  ASSERT_TRUE(put.ok()) << put.message;
  const Reply got = store.Get("large");
  ASSERT_TRUE(got.ok()) << got.message;
  EXPECT_TRUE(got.value == value);
  EXPECT_TRUE(store.Close().ok());
  Client other = S3With("large-sse-c", {});
  EXPECT_FALSE(other.Get("large").ok());
  EXPECT_TRUE(other.Del("large").ok());
  EXPECT_TRUE(other.Close().ok());
}

}  // namespace
}  // namespace contract
