#include "stores/s3/profile_provider.h"

#include "stores/s3/provider_fixture.h"
#include "stores/s3/sso_provider.h"

namespace chainstore::s3::profile_provider_test {
namespace {

// What STS says to AssumeRole, with `id` as the new access key.
std::string Assumed(const std::string& id, const std::string& action = "AssumeRole") {
  return Reply(200, "<" + action + "Response><" + action + "Result><Credentials><AccessKeyId>" +
                        id +
                        "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t"
                        "</SessionToken><Expiration>2013-05-24T00:00:00Z</Expiration>"
                        "</Credentials></" +
                        action + "Result></" + action + "Response>");
}

class ProfileProviderTest : public ProviderTest {
 protected:
  void Config(const std::string& text) { Write(".aws/config", text); }
  void Keys(const std::string& text) { Write(".aws/credentials", text); }
  std::string Fetch(const std::string& profile = "") {
    settings_.profile = profile;
    return Show(FetchFromProfile(settings_, stop_));
  }
};

TEST_F(ProfileProviderTest, IsPassedByWhereNothingIsSetUp) {
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND") << "there are no files";
  Config("[profile other]\naws_access_key_id = i\n");
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND") << "there is no default profile";
  Config("[default]\nregion = eu-west-1\n");
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND") << "it says nothing of credentials";
}

TEST_F(ProfileProviderTest, AProfileThatIsAskedForMustBeThere) {
  Config("[default]\nregion = r\n[profile bare]\nregion = r\n");
  EXPECT_EQ(Fetch("none"), "CS_DENIED: there is no profile 'none'");
  EXPECT_EQ(Fetch("bare"), "CS_DENIED: the profile 'bare' says nothing of credentials");
  Set("AWS_PROFILE", "env");
  EXPECT_EQ(Fetch(), "CS_DENIED: there is no profile 'env'");
}

TEST_F(ProfileProviderTest, ReadsKeysAnewEachTime) {
  Keys(
      "[default]\naws_access_key_id = id\naws_secret_access_key = s\n[env]\n"
      "aws_access_key_id = id2\naws_secret_access_key = s2\naws_session_token = t2\n");
  EXPECT_EQ(Fetch(), "id/s//0 profile");
  Set("AWS_PROFILE", "env");
  EXPECT_EQ(Fetch(), "id2/s2/t2/0 profile");
  EXPECT_EQ(Fetch("default"), "id/s//0 profile") << "the option stands above the environment";
  Keys("[env]\naws_access_key_id = id3\naws_secret_access_key = s3\n");
  EXPECT_EQ(Fetch(), "id3/s3//0 profile");
  Keys("[env]\naws_access_key_id = unspoken\n");
  EXPECT_EQ(Fetch(),
            "CS_DENIED: the profile 'env' has only one of aws_access_key_id and "
            "aws_secret_access_key");
}

TEST_F(ProfileProviderTest, FindsItsFilesWhereTheEnvironmentSays) {
  Set("AWS_CONFIG_FILE", Write("c", "[profile a]\nrole_arn = r\n"));
  Write("k", "[a]\nsource_profile = a\naws_access_key_id = id\naws_secret_access_key = s\n");
  Set("AWS_SHARED_CREDENTIALS_FILE", "~/k");
  server_.Add(Assumed("role"));
  EXPECT_EQ(Fetch("a"), "role/s/t/1369353600000 role");
}

TEST_F(ProfileProviderTest, SaysWhichFileIsWrong) {
  Keys("[default]\nunspoken\n");
  EXPECT_EQ(Fetch(), "CS_DENIED: " + directory_.path() +
                         "/.aws/credentials, line 2 is neither a section nor a setting of one");
  Set("AWS_SHARED_CREDENTIALS_FILE", directory_.path());
  EXPECT_EQ(Fetch(),
            "CS_DENIED: cannot read a profile file: Is a directory (" + directory_.path() + ")");
  Set("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
  EXPECT_EQ(Fetch(), "CS_NOT_FOUND") << "a way to have none";
}

TEST_F(ProfileProviderTest, AssumesRolesAlongTheirSources) {
  Config(
      "[profile top]\nrole_arn = arn:top\nsource_profile = middle\nrole_session_name = me\n"
      "external_id = ext\nduration_seconds = 900\nregion = us-east-2\n"
      "[profile middle]\nrole_arn = arn:middle\nsource_profile = base\n");
  Keys("[base]\naws_access_key_id = base\naws_secret_access_key = s\n");
  server_.Add(Assumed("middle"));
  server_.Add(Assumed("top"));
  EXPECT_EQ(Fetch("top"), "top/s/t/1369353600000 role");
  EXPECT_TRUE(Sent(0, "RoleArn=arn%3Amiddle"));
  EXPECT_TRUE(Sent(0, "Credential=base/"));
  EXPECT_TRUE(Sent(0, "/eu-west-1/sts/")) << "the store's region, where the profile has none";
  EXPECT_TRUE(Sent(1, "DurationSeconds=900&ExternalId=ext&RoleArn=arn%3Atop&RoleSessionName=me"));
  EXPECT_TRUE(Sent(1, "Credential=middle/"));
  EXPECT_TRUE(Sent(1, "/us-east-2/sts/"));
}

TEST_F(ProfileProviderTest, AProfileMayAssumeItsRoleWithItsOwnKeys) {
  Keys(
      "[a]\nrole_arn = arn:a\nsource_profile = a\naws_access_key_id = own\n"
      "aws_secret_access_key = s\n");
  server_.Add(Assumed("role"));
  EXPECT_EQ(Fetch("a"), "role/s/t/1369353600000 role");
  EXPECT_TRUE(Sent(0, "Credential=own/"));
}

TEST_F(ProfileProviderTest, RefusesSourcesThatLeadNowhere) {
  Config(
      "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\n"
      "source_profile = a\n[profile none]\nrole_arn = r\nsource_profile = gone\n"
      "[profile two]\nrole_arn = r\nsource_profile = a\ncredential_source = Environment\n"
      "[profile zero]\nrole_arn = r\n[profile what]\nrole_arn = r\ncredential_source = Cloud\n"
      "[profile mfa]\nrole_arn = r\nsource_profile = a\nmfa_serial = m\n"
      "[profile bare]\nrole_arn = r\nsource_profile = empty\n[profile empty]\nregion = r\n");
  EXPECT_EQ(Fetch("a"), "CS_DENIED: the profile 'a' is its own source, by source_profile");
  EXPECT_EQ(Fetch("none"), "CS_DENIED: there is no profile 'gone'");
  EXPECT_EQ(Fetch("bare"), "CS_DENIED: the profile 'empty' says nothing of credentials");
  for (const char* name : {"two", "zero"}) {
    EXPECT_EQ(Fetch(name), "CS_DENIED: the profile '" + std::string(name) +
                               "' has a role_arn, and not one of source_profile and "
                               "credential_source");
  }
  EXPECT_NE(Fetch("what").find("unknown credential_source; it is Environment"), std::string::npos);
  EXPECT_NE(Fetch("mfa").find("mfa_serial"), std::string::npos);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(ProfileProviderTest, RefusesEndpointsThatItCannotFind) {
  const std::string keys = "aws_access_key_id = own\naws_secret_access_key = s\n";
  Config("[profile fips]\nuse_fips_endpoint = true\n" + keys +
         "[profile dual]\nuse_dualstack_endpoint = True\n" + keys +
         "[profile neither]\nuse_fips_endpoint = false\n" + keys);
  for (const auto& [name, setting] :
       {std::pair("fips", "use_fips_endpoint"), std::pair("dual", "use_dualstack_endpoint")}) {
    const std::string why = Fetch(name);
    EXPECT_TRUE(
        why.starts_with("CS_DENIED: the profile '" + std::string(name) + "' has " + setting))
        << why;
    EXPECT_NE(why.find("option endpoint"), std::string::npos) << why;
  }
  EXPECT_EQ(Fetch("neither"), "own/s//0 profile");
  settings_.custom_endpoint = true;
  EXPECT_EQ(Fetch("fips"), "own/s//0 profile") << "the user has said where it is";
}

TEST_F(ProfileProviderTest, TakesTheSourceFromWhereItIsSaidToBe) {
  Config(
      "[profile e]\nrole_arn = r\ncredential_source = Environment\n"
      "[profile c]\nrole_arn = r\ncredential_source = EcsContainer\n"
      "[profile i]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n");
  EXPECT_EQ(Fetch("e"),
            "CS_DENIED: the credential_source Environment of profile 'e' has no credentials");
  Set("AWS_ACCESS_KEY_ID", "env");
  Set("AWS_SECRET_ACCESS_KEY", "s");
  server_.Add(Assumed("role"));
  EXPECT_EQ(Fetch("e"), "role/s/t/1369353600000 role");
  EXPECT_TRUE(Sent(0, "Credential=env/"));
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.endpoint() + "/container");
  server_.Add(Reply(200, kKeys));
  server_.Add(Assumed("role"));
  EXPECT_EQ(Fetch("c"), "role/s/t/1369353600000 role");
  EXPECT_EQ(Line(1), "GET /container HTTP/1.1");
  EXPECT_TRUE(Sent(2, "\r\nx-amz-security-token: tok\r\n"));
  server_.Add(Reply(200, "TOKEN"));
  server_.Add(Reply(200, "role-name"));
  server_.Add(Reply(200, kKeys));
  server_.Add(Assumed("role"));
  EXPECT_EQ(Fetch("i"), "role/s/t/1369353600000 role");
  EXPECT_EQ(server_.requests().size(), 7u);
}

TEST_F(ProfileProviderTest, ExchangesAWebIdentity) {
  Config("[profile w]\nrole_arn = arn:w\nweb_identity_token_file = ~/token\nsource_profile = w\n");
  Write("token", "unspoken");
  server_.Add(Assumed("web", "AssumeRoleWithWebIdentity"));
  EXPECT_EQ(Fetch("w"), "web/s/t/1369353600000 role");
  EXPECT_TRUE(Sent(0, "WebIdentityToken=unspoken"));
}

TEST_F(ProfileProviderTest, AsksAProcess) {
  Config(
      "[profile p]\ncredential_process = printf %s '{\"Version\":1,\"AccessKeyId\":\"proc\","
      "\"SecretAccessKey\":\"s\"}'\n[profile slow]\ncredential_process = sleep 1000\n");
  EXPECT_EQ(Fetch("p"), "proc/s//0 process");
  settings_.process_ms = 50;
  EXPECT_EQ(Fetch("slow"), "CS_DENIED: the credential process took too long and was killed");
  EXPECT_EQ(ProviderSettings().process_ms, 60'000);
}

TEST_F(ProfileProviderTest, AsksSsoWithTheTokenInItsCache) {
  Config(
      "[sso-session corp]\nsso_region = r\n[profile s]\nsso_session = corp\n"
      "sso_account_id = 1\nsso_role_name = n\n");
  Write(".aws/sso/cache/" + SsoCacheFile("corp"),
        R"({"accessToken":"t","expiresAt":"2999-01-01T00:00:00Z"})");
  server_.Add(Reply(200, R"({"roleCredentials":{"accessKeyId":"sso","secretAccessKey":"s",)"
                         R"("sessionToken":"t","expiration":5}})"));
  EXPECT_EQ(Fetch("s"), "sso/s/t/5 sso");
}

TEST_F(ProfileProviderTest, KeysOfItsOwnStandBeforeAProcess) {
  Keys("[a]\ncredential_process = false\naws_access_key_id = id\naws_secret_access_key = s\n");
  EXPECT_EQ(Fetch("a"), "id/s//0 profile");
}

}  // namespace
}  // namespace chainstore::s3::profile_provider_test
