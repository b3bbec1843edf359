// A real S3 server over TLS (tests/s3/with_tls.sh): everything that goes over plain http does, and
// one that is not who it says gets no request.
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasS3() || Variable("S3_TLS_ENDPOINT").empty()) GTEST_SKIP() << "needs a server with TLS";
  }
  static Client Open(const std::string& endpoint, const std::string& authority,
                     const char* payload = "auto") {
    std::vector<std::pair<std::string, std::string>> more = {{"endpoint", endpoint},
                                                             {"payload", payload}};
    if (!authority.empty()) more.emplace_back("ca_file", authority);
    return S3With("tls", more);
  }
  const std::string endpoint_ = Variable("S3_TLS_ENDPOINT");
  const std::string authority_ = Variable("S3_TLS_CA");
};

TEST_F(TlsTest, CarriesEveryOperationToS3) {
  // With the body under the signature, and with its checksum alone.
  for (const char* payload : {"signed", "unsigned"}) {
    Client store = Open(endpoint_, authority_, payload);
    const Reply put = store.Put("k", "value");
    ASSERT_TRUE(put.ok()) << put.message;
    EXPECT_EQ(store.Get("k").value, "value");
    EXPECT_EQ(store.GetRange("k", 1, 3).value, "alu");
    EXPECT_EQ(store.Stat("k").total_size, 5u);
    EXPECT_EQ(store.PutIfAbsent("k", "other").status, CS_EXISTS);
    const std::string large = LargeValue((size_t{21} << 20) + 5);  // in parts, there and back
    EXPECT_TRUE(store.Put("large", large).ok());
    EXPECT_TRUE(store.Get("large").value == large);
    EXPECT_EQ(store.Keys(), (std::vector<std::string>{"k", "large"}));
    EXPECT_EQ(S3With("tls", {}).Get("k").value, "value") << "it is the same server";
    cs_status deleted = CS_IO;
    store.Write({{"k", nullptr}, {"large", nullptr}}, &deleted);
    EXPECT_EQ(deleted, CS_OK);
    EXPECT_TRUE(store.Keys().empty());
    EXPECT_TRUE(store.Close().ok());
  }
}

TEST_F(TlsTest, RefusesAServerThatIsNotWhoItSaysBeforeS3IsAsked) {
  Client plain = S3With("tls", {});
  ASSERT_TRUE(plain.Put("k", "value").ok());
  const std::string by_name = "https://localhost" + endpoint_.substr(endpoint_.rfind(':'));
  const struct {
    std::string endpoint, authority;
    const char* says;
    const char* way_out;
  } cases[] = {
      {Variable("S3_TLS_EXPIRED_ENDPOINT"), authority_, "expired", "renew"},
      {by_name, authority_, "localhost", "endpoint must have a name"},
      {Variable("S3_TLS_SELF_SIGNED_ENDPOINT"), authority_, "self-signed", "ca_file"},
      {endpoint_, Variable("S3_TLS_STRANGER_CA"), "issuer", "ca_file"},
      {endpoint_, "", "issuer", "ca_file"},
  };
  for (const auto& [endpoint, authority, says, way_out] : cases) {
    Client store = Open(endpoint, authority);
    for (const Reply& reply : {store.Get("k"), store.Put("k", "other"), store.Del("k")}) {
      EXPECT_STREQ(cs_status_name(reply.status), "CS_DENIED") << says;
      EXPECT_NE(reply.message.find(says), std::string::npos) << reply.message;
      EXPECT_NE(reply.message.find(way_out), std::string::npos) << reply.message;
    }
    EXPECT_TRUE(store.Close().ok());
  }
  EXPECT_EQ(plain.Get("k").value, "value") << "as it was";
  EXPECT_TRUE(plain.Del("k").ok());
  EXPECT_TRUE(plain.Close().ok());
}

}  // namespace
}  // namespace contract
