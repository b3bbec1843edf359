#include "stores/s3/endpoint_client.h"

#include "stores/s3/provider_fixture.h"

namespace chainstore::s3::endpoint_client_test {
namespace {

using Then = ScriptedAnswer::Then;

class EndpointClientTest : public ProviderTest {
 protected:
  std::string Ask(const EndpointLimits& limits = {2000, 20'000, 3}) {
    EndpointClient client(settings_.http, limits, stop_);
    HttpRequest request;
    request.method = "GET";
    request.url = server_.endpoint() + "/path";
    const Result<EndpointReply> reply = client.Ask(request);
    if (!reply.ok()) return reply.status().ToString();
    return std::to_string(reply->status) + " " + std::string(reply->body.Reveal());
  }
};

TEST_F(EndpointClientTest, GivesTheAnswer) {
  server_.Add(Reply(200, "body"));
  EXPECT_EQ(Ask(), "200 body");
  EXPECT_EQ(Line(0), "GET /path HTTP/1.1");
  server_.Add(Reply(404, "no"));
  EXPECT_EQ(Ask(), "404 no") << "an answer is not asked for again";
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(EndpointClientTest, TriesThreeTimes) {
  server_.Add(ScriptedAnswer{"", false, Then::kReset});
  server_.Add(Reply(503));
  server_.Add(Reply(200, "third"));
  EXPECT_EQ(Ask(), "200 third");
  server_.Add(Reply(429));
  server_.Add(Reply(500));
  server_.Add(Reply(502, "last"));
  server_.Add(Reply(200, "never asked"));
  EXPECT_EQ(Ask(), "502 last");
  EXPECT_EQ(server_.requests().size(), 6u);
}

TEST_F(EndpointClientTest, FollowsNoRedirect) {
  ScriptServer elsewhere;
  elsewhere.Add(Reply(200, "stolen"));
  for (const int status : {301, 302, 303, 307, 308}) {
    server_.Add(Reply(status, "", "Location: " + elsewhere.endpoint() + "/\r\n"));
    EXPECT_EQ(Ask(), std::to_string(status) + " ");
  }
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(EndpointClientTest, DoesNotWaitForASlowOne) {
  for (const Then then : {Then::kHang, Then::kDrip}) {
    const size_t before = server_.requests().size();
    for (int i = 0; i < 2; ++i) {
      server_.Add(ScriptedAnswer{"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n", false, then});
    }
    EXPECT_EQ(Ask({1000, 40, 2}), "CS_TIMEOUT: no answer in time");
    EXPECT_EQ(server_.requests().size() - before, 2u);
  }
}

TEST_F(EndpointClientTest, EndsWhenTheStoreCloses) {
  server_.Add(ScriptedAnswer{"", false, Then::kHang});
  std::thread closer([&] {
    server_.WaitForRequests(1);
    stop_->Fire();
  });
  EXPECT_EQ(Ask(), "CS_CLOSED: the store was closed");
  closer.join();
}

TEST_F(EndpointClientTest, TakesNoMoreThanCredentialsCanBe) {
  for (int i = 0; i < 3; ++i) server_.Add(Reply(200, std::string(70'000, 'x')));
  EXPECT_EQ(Ask(), "CS_TOO_LARGE: the answer is larger than it may be");
}

TEST_F(EndpointClientTest, AsksLocalServicesWithoutAProxy) {
  SetDeadProxy();
  EXPECT_NE(Ask({2000, 20'000, 1}).find("CS_IO"), std::string::npos);
  settings_.http = EndpointClient::Local(settings_.http);
  server_.Add(Reply(200, "local"));
  EXPECT_EQ(Ask(), "200 local");
}

}  // namespace
}  // namespace chainstore::s3::endpoint_client_test
