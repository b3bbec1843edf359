// Keys that a real server's STS hands out for a role, and what they open on that same server.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

// A profile that assumes a role with the server's own keys, in files of its own.
class RoleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasS3() || Variable("S3_ROLE_ARN").empty()) GTEST_SKIP() << "needs a server with roles";
    setenv("AWS_CONFIG_FILE", path_.c_str(), 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_ENDPOINT_URL_STS", Variable("S3_TLS_ENDPOINT").c_str(), 1);
  }
  void TearDown() override {
    for (const char* name :
         {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL_STS"}) {
      unsetenv(name);
    }
    unlink(path_.c_str());
  }
  // A store with the role's keys.
  Client Assume(const std::string& role, const std::string& secret) {
    std::ofstream(path_) << "[profile reader]\nrole_arn = " << role
                         << "\nsource_profile = own\nrole_session_name = contract\n"
                         << "[profile own]\naws_access_key_id = " << Variable("S3_ACCESS_KEY")
                         << "\naws_secret_access_key = " << secret << "\n";
    return S3With("role", {{"endpoint", Variable("S3_TLS_ENDPOINT")},
                           {"ca_file", Variable("S3_TLS_CA")},
                           {"credentials", "profile"},
                           {"profile", "reader"},
                           {"access_key", ""},
                           {"secret_key", ""}});
  }
  const std::string path_ = ::testing::TempDir() + "role-" + std::to_string(getpid());
};

TEST_F(RoleTest, MayDoWhatItMayAndNoMoreOnS3) {
  Client owner = S3With("role", {});
  ASSERT_TRUE(owner.Put("k", "value").ok());
  Client reader = Assume(Variable("S3_ROLE_ARN"), Variable("S3_SECRET_KEY"));
  const Reply got = reader.Get("k");
  EXPECT_EQ(got.value, "value") << got.message;
  EXPECT_EQ(reader.Keys(), std::vector<std::string>{"k"});
  const Reply put = reader.Put("k", "other");
  EXPECT_STREQ(cs_status_name(put.status), "CS_DENIED") << put.message;
  EXPECT_NE(put.message.find("the key may lack s3:PutObject"), std::string::npos) << put.message;
  EXPECT_EQ(reader.Del("k").status, CS_DENIED);
  EXPECT_EQ(owner.Get("k").value, "value") << "as it was";
  EXPECT_TRUE(reader.Close().ok());
  EXPECT_TRUE(owner.Del("k").ok());
  EXPECT_TRUE(owner.Close().ok());
}

TEST_F(RoleTest, IsNotHandedOutForAWrongSecretNorWhereThereIsNoneOnS3) {
  for (const auto& [role, secret] :
       {std::pair(Variable("S3_ROLE_ARN"), std::string("SKTESTWRONG")),
        std::pair(Variable("S3_ROLE_ARN") + "-unknown", Variable("S3_SECRET_KEY"))}) {
    Client reader = Assume(role, secret);
    const Reply got = reader.Get("k");
    EXPECT_STREQ(cs_status_name(got.status), "CS_DENIED") << got.message;
    EXPECT_NE(got.message.find("no credentials: profile: STS"), std::string::npos) << got.message;
    EXPECT_EQ(got.message.find("SKTEST"), std::string::npos) << "a secret";
    EXPECT_TRUE(reader.Close().ok());
  }
}

}  // namespace
}  // namespace contract
