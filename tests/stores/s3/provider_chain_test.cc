#include "stores/s3/provider_chain.h"

#include <map>
#include <thread>
#include <vector>

#include "core/runtime.h"
#include "stores/s3/provider_fixture.h"
#include "stores/s3/s3_store.h"
#include "support/store_calls.h"

namespace chainstore::s3::provider_chain_test {
namespace {

class ProviderChainTest : public ProviderTest {
 protected:
  ProviderChainTest() {
    settings_.service.tries = settings_.container.tries = settings_.instance.tries = 1;
    store_.credentials = "auto";
  }
  // What each provider that is asked says, until one has an answer.
  std::string Ask() {
    const auto providers =
        MakeProviders(store_, std::make_shared<const ProviderSettings>(settings_));
    std::string said;
    for (const auto& provider : providers) {
      const Found found = provider->Fetch(stop_);
      said += std::string(said.empty() ? "" : " ") + provider->name();
      if (found.ok()) return said + "=" + ((*found)->anonymous ? "-" : (*found)->access_key);
      if (!found.status().Is(Code::kNotFound)) return said + "!";
    }
    return said;
  }
  S3Settings store_;
};

TEST_F(ProviderChainTest, LooksInTheOrderOfTheManual) {
  Set("AWS_EC2_METADATA_DISABLED", "true");
  EXPECT_EQ(Ask(), "options environment profile web_identity container instance");
  Set("AWS_EC2_METADATA_DISABLED", "");
  server_.Add(Reply(200, "TOKEN"));
  server_.Add(Reply(200, "role"));
  server_.Add(Reply(200, kKeys));
  EXPECT_EQ(Ask(), "options environment profile web_identity container instance=id");
  Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.endpoint());
  server_.Add(Reply(200, kKeys));
  EXPECT_EQ(Ask(), "options environment profile web_identity container=id");
  Set("AWS_WEB_IDENTITY_TOKEN_FILE", "/none");
  EXPECT_EQ(Ask(), "options environment profile web_identity!")
      << "what is set up and does not work is not passed by";
  Write(".aws/credentials", "[default]\naws_access_key_id=p\naws_secret_access_key=s\n");
  EXPECT_EQ(Ask(), "options environment profile=p");
  Set("AWS_ACCESS_KEY_ID", "e");
  Set("AWS_SECRET_ACCESS_KEY", "s");
  EXPECT_EQ(Ask(), "options environment=e");
  store_.access_key = "o";
  store_.secret_key = Secret(Bytes("s"));
  EXPECT_EQ(Ask(), "options=o");
}

TEST_F(ProviderChainTest, LooksInOnePlaceWhereItIsNamed) {
  Set("AWS_ACCESS_KEY_ID", "e");
  Set("AWS_SECRET_ACCESS_KEY", "s");
  Set("AWS_EC2_METADATA_DISABLED", "true");
  for (const char* name : {"options", "profile", "web_identity", "container", "instance"}) {
    store_.credentials = name;
    EXPECT_EQ(Ask(), name);
  }
  store_.credentials = "environment";
  EXPECT_EQ(Ask(), "environment=e");
  store_.credentials = "anonymous";
  EXPECT_EQ(Ask(), "anonymous=-");
}

TEST_F(ProviderChainTest, TakesTheProfileOfTheOption) {
  Write(".aws/credentials", "[mine]\naws_access_key_id=mine\naws_secret_access_key=s\n");
  setenv("AWS_SHARED_CREDENTIALS_FILE", (directory_.path() + "/.aws/credentials").c_str(), 1);
  store_.credentials = "profile";
  store_.profile = "mine";
  const auto providers = MakeProviders(store_, Clock::System());
  unsetenv("AWS_SHARED_CREDENTIALS_FILE");
  ASSERT_EQ(providers.size(), 1u);
  EXPECT_EQ(Show(providers[0]->Fetch(stop_)), "mine/s//0 profile");
}

// A whole store whose keys come from a profile file.
class StoreOfProfileTest : public ProviderTest {
 protected:
  StoreOfProfileTest() {
    SetKeys("first");
    setenv("AWS_SHARED_CREDENTIALS_FILE", (directory_.path() + "/.aws/credentials").c_str(), 1);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    Options options;
    options.values = {
        {"endpoint", server_.endpoint()}, {"credentials", "profile"}, {"profile", "p"}};
    Result<Ref<Store>> made = NewS3Store("bucket", &options);
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    unsetenv("AWS_CONFIG_FILE");
    EXPECT_TRUE(made.ok());
    if (made.ok()) store_ = *made;
  }
  ~StoreOfProfileTest() override { EXPECT_TRUE(CloseStore(*store_).ok()); }
  void SetKeys(const std::string& id) {
    Write(".aws/credentials", "[p]\naws_access_key_id=" + id +
                                  "\naws_secret_access_key=unspoken\naws_session_token=tok\n");
  }
  std::string Get() {
    const Answer answer = GetFrom(*store_, "k");
    if (!answer.status.ok()) return answer.status.ToString();
    return std::string(answer.value->bytes());
  }
  Ref<Store> store_;
};

TEST_F(StoreOfProfileTest, AnExpiredTokenForcesOneSearchAndOneRetry) {
  server_.Add(Reply(200, "one"));
  EXPECT_EQ(Get(), "one");
  EXPECT_TRUE(Sent(0, "Credential=first/"));
  EXPECT_TRUE(Sent(0, "\r\nx-amz-security-token: tok\r\n"));
  SetKeys("second");
  server_.Add(Reply(400, ErrorBody("ExpiredToken")));
  server_.Add(Reply(200, "two"));
  EXPECT_EQ(Get(), "two");
  EXPECT_TRUE(Sent(1, "Credential=first/"));
  EXPECT_TRUE(Sent(2, "Credential=second/"));
  server_.Add(Reply(400, ErrorBody("ExpiredToken")));
  server_.Add(Reply(400, ErrorBody("ExpiredToken")));
  const std::string why = Get();
  EXPECT_NE(why.find("ExpiredToken"), std::string::npos) << why;
  EXPECT_EQ(why.find("unspoken"), std::string::npos);
  EXPECT_EQ(server_.requests().size(), 5u) << "one retry, no more";
}

TEST_F(StoreOfProfileTest, SaysWhatIsWrongWithTheProfile) {
  Write(".aws/credentials", "");
  const std::string why = Get();
  EXPECT_NE(why.find("CS_DENIED: s3:bucket: get: no credentials: profile: there is no profile 'p'"),
            std::string::npos)
      << why;
  const Answer answer = GetFrom(*store_, "k");
  ASSERT_NE(answer.status.error(), nullptr);
  EXPECT_NE(answer.status.error()->FindDetail("operation"), nullptr);
  SetKeys("later");
  server_.Add(Reply(200, "found"));
  EXPECT_EQ(Get(), "found") << "a failure is not kept";
}

// A machine without any keys, where nobody answers for the instance's.
TEST_F(ProviderTest, ADeadlineCutsTheSearchForKeysWhichIsOneForAllCallers) {
  const std::pair<const char*, std::string> environment[] = {
      {"HOME", directory_.path()},
      {"AWS_CONFIG_FILE", "/dev/null"},
      {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT", server_.endpoint()}};
  std::map<std::string, std::string> before;
  for (const auto& [name, value] : environment) {
    if (const char* text = getenv(name)) before[name] = text;
    setenv(name, value.c_str(), 1);
  }
  Options options;
  options.values = {{"endpoint", "http://127.0.0.1:1"}};
  Result<Ref<Store>> store = NewS3Store("bucket", &options);
  for (const auto& [name, value] : environment) {
    before.contains(name) ? setenv(name, before[name].c_str(), 1) : unsetenv(name);
  }
  ASSERT_TRUE(store.ok());
  server_.Otherwise({.bytes = "", .then = ScriptedAnswer::Then::kHang});
  const int64_t begin_ns = Clock::System().SteadyNs();
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&store] {
      Call call;
      call.deadline_ns = Clock::System().DeadlineAfterMs(300);
      Answer answer;
      (*store)->Get(Key("k"), Read::Whole(), call, [&](Answer&& got) { answer = std::move(got); });
      EXPECT_TRUE(answer.status.Is(Code::kTimeout)) << answer.status.ToString();
      EXPECT_NE(answer.status.ToString().find("AWS_EC2_METADATA_DISABLED"), std::string::npos);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LT(Clock::System().SteadyNs() - begin_ns, 1'300'000'000) << "the deadline and a second";
  EXPECT_EQ(server_.requests().size(), 1u) << "the first try goes on";
  EXPECT_TRUE(CloseStore(**store).ok());
}

}  // namespace
}  // namespace chainstore::s3::provider_chain_test
