// What a real S3 server says to what cannot work, and what the caller is told.
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

using More = std::vector<std::pair<std::string, std::string>>;

constexpr char kKey[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr char kOtherKey[] = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

void ExpectReply(const Reply& reply, cs_status status, const std::string& says,
                 const char* operation) {
  EXPECT_STREQ(cs_status_name(reply.status), cs_status_name(status))
      << operation << ": " << reply.message;
  EXPECT_NE(reply.message.find(says), std::string::npos) << operation << ": " << reply.message;
  EXPECT_EQ(reply.message.find("SKTEST"), std::string::npos) << "a secret";
}

// Every operation, each on a store of its own that has seen nothing yet. A stat's answer has no
// room for words: there only the status counts.
void ExpectAll(const std::function<Client()>& open, cs_status status, const std::string& says) {
  ExpectReply(open().Get("k"), status, says, "get");
  ExpectReply(open().Put("k", "v"), status, says, "put");
  ExpectReply(open().Del("k"), status, says, "del");
  ExpectReply(open().GetRange("k", 1, 2), status, says, "get_range");
  ExpectReply(open().Stat("k"), status, "", "stat");
  ExpectReply(open().PutIfAbsent("k", "v"), status, says, "put if absent");
  cs_status all = CS_OK;
  open().GetMany({"k", "l"}, &all);
  EXPECT_EQ(all, status) << "get_many";
  open().Write({{"k", nullptr}, {"l", nullptr}}, &all);
  EXPECT_EQ(all, status) << "write";
}

TEST(BadInput, IsToldOfABucketThatIsMissingOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  ExpectAll([] { return S3Bucket("no-such-bucket", "bad", {}); }, CS_INVALID,
            "make the bucket, or check its name");
}

TEST(BadInput, IsDeniedWithAKeyThatIsUnknownToS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  ExpectAll(
      [] {
        return S3With("bad", {{"access_key", "NOBODY"}});
      },
      CS_DENIED, "does not know this access_key");
}

TEST(BadInput, IsDeniedWithAWrongSecretByS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  ExpectAll(
      [] {
        return S3With("bad", {{"secret_key", "of another"}});
      },
      CS_DENIED, "secret_key is not that of the access_key");
}

TEST(BadInput, FindsTheBucketsRegionWhateverIsAskedFirstOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  const auto open = [] { return S3With("region", {{"region", "eu-west-9"}}); };
  const Reply put = open().Put("k", "value");
  ASSERT_TRUE(put.ok()) << put.message;
  EXPECT_EQ(open().Get("k").value, "value");
  EXPECT_EQ(open().GetRange("k", 1, 3).value, "alu");
  EXPECT_EQ(open().Stat("k").total_size, 5u);
  EXPECT_EQ(open().PutIfAbsent("k", "other").status, CS_EXISTS);
  EXPECT_EQ(open().Keys(), std::vector<std::string>{"k"});
  const std::string large = LargeValue(size_t{17} << 20);
  EXPECT_TRUE(open().Put("large", large).ok());
  EXPECT_TRUE(open().Get("large").value == large);
  cs_status status = CS_IO;
  open().Write({{"k", nullptr}, {"large", nullptr}}, &status);
  EXPECT_EQ(status, CS_OK);
}

TEST(BadInput, SeesWithoutAKeyOnlyWhatIsPublicOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  const More anonymous = {{"access_key", ""}, {"secret_key", ""}, {"credentials", "anonymous"}};
  for (const char* acl :
       {"none", "private", "public-read", "public-read-write", "authenticated-read"}) {
    const bool is_public = std::string(acl).starts_with("public") && !HasQuirk("object-acl");
    Client owner = S3With("acl", {{"acl", acl}});
    ASSERT_TRUE(owner.Put("k", "v").ok()) << acl;
    const Reply got = S3With("acl", anonymous).Get("k");
    EXPECT_STREQ(cs_status_name(got.status), cs_status_name(is_public ? CS_OK : CS_DENIED)) << acl;
    const Reply put = S3With("acl", anonymous).Put("k", "w");
    EXPECT_EQ(put.status, CS_DENIED) << "the bucket is private: " << acl;
    EXPECT_NE(put.message.find("s3:PutObject"), std::string::npos) << put.message;
    EXPECT_TRUE(owner.Del("k").ok());
  }
}

TEST(BadInput, OpensNothingWithAnotherCustomersKeyOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  if (HasQuirk("sse-c")) GTEST_SKIP() << "this server does not encrypt";
  Client owner = S3With("sse", {{"sse_customer_key", kKey}});
  ASSERT_TRUE(owner.Put("k", "value").ok());
  EXPECT_EQ(owner.Get("k").value, "value");
  for (const More& wrong : {More{{"sse_customer_key", kOtherKey}}, More{}}) {
    Client other = S3With("sse", wrong);
    for (const Reply& reply : {other.Get("k"), other.GetRange("k", 1, 2)}) {
      EXPECT_LT(reply.status, 0) << reply.value;
      EXPECT_FALSE(reply.message.empty());
    }
  }
  EXPECT_TRUE(owner.Del("k").ok());
}

TEST(BadInput, IsToldOfAStorageClassThatIsUnknownToS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  if (HasQuirk("storage-class-unknown")) GTEST_SKIP() << "this server takes any";
  ExpectReply(S3With("class", {{"storage_class", "NO_SUCH_CLASS"}}).Put("k", "v"), CS_INVALID,
              "HTTP 400", "put");
}

}  // namespace
}  // namespace contract
