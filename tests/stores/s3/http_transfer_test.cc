// Against a server that does as it is told: one transfer: bodies that are cut or broken, silence,
// cancel, limits.
#include "stores/s3/http_transfer.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/scripted_s3.h"

namespace chainstore::s3::http_transfer_test {
namespace {

class HttpTransferTest : public ScriptedS3Test {
 protected:
  HttpTransferTest() { Open({}); }
};

TEST_F(HttpTransferTest, ATruncatedBodyIsAskedForAgain) {
  Answers("HTTP/1.1 200 X\r\nContent-Length: 10\r\nETag: \"e\"\r\n\r\nhalf", Then::kClose);
  Answers(Reply(200, "whole"));
  EXPECT_EQ(TextOf(Get()), "whole");
}

TEST_F(HttpTransferTest, BrokenChunksAreNoValue) {
  Open({{"attempts", "1"}});
  Answers("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nETag: \"e\"\r\n\r\nzz\r\nvalue",
          Then::kClose);
  EXPECT_TRUE(Get().status.Is(Code::kIo));
  Answers("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nETag: \"e\"\r\n\r\n5\r\nvalue\r\n",
          Then::kClose);
  EXPECT_TRUE(Get().status.Is(Code::kIo)) << "the last chunk is missing";
  Answers(
      "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nETag: \"e\"\r\n\r\n"
      "3\r\nval\r\n2\r\nue\r\n0\r\n\r\n");
  EXPECT_EQ(TextOf(Get()), "value");
}

TEST_F(HttpTransferTest, SilenceEndsAtTheDeadline) {
  for (const auto& [bytes, then] : std::vector<std::pair<std::string, Then>>{
           {"", Then::kHang},
           {"HTTP/1.1 200 X\r\n", Then::kHang},
           {"HTTP/1.1 200 X\r\nContent-Length: 10\r\nETag: \"e\"\r\n\r\nhalf", Then::kHang},
           {"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\nETag: \"e\"\r\n\r\n", Then::kDrip},
           {"HTTP/1.1 100 Continue\r\n\r\n", Then::kHang}}) {
    Answers(bytes, then);
    const int64_t begin = Clock::System().SteadyNs();
    EXPECT_TRUE(GetWithin(100).status.Is(Code::kTimeout)) << bytes;
    EXPECT_LT(Clock::System().SteadyNs() - begin, 1'100'000'000) << bytes;
  }
}

TEST_F(HttpTransferTest, ACancelEndsTheTransfer) {
  Answers("HTTP/1.1 200 X\r\nContent-Length: 10\r\nETag: \"e\"\r\n\r\nhalf", Then::kHang);
  Call call;
  call.cancel = MakeRef<CancelToken>();
  std::thread other([&] {
    ASSERT_TRUE(server_.WaitForRequests(1));
    call.cancel->Fire();
  });
  Answer answer;
  store_->Get(Key("k"), Read::Whole(), call, [&](Answer&& got) { answer = std::move(got); });
  EXPECT_TRUE(answer.status.Is(Code::kCancelled));
  other.join();
}

TEST_F(HttpTransferTest, HugeHeadersAndLiesAboutTheSizeAreRefused) {
  Open({{"attempts", "1"}, {"max_value_size", "1MiB"}});
  Answers("HTTP/1.1 200 X\r\nX-Long: " + std::string(70'000, 'x') + "\r\n\r\n", Then::kClose);
  EXPECT_TRUE(Get().status.failed());
  Answers("HTTP/1.1 200 X\r\nContent-Length: 1099511627776\r\nETag: \"e\"\r\n\r\nx", Then::kClose);
  EXPECT_TRUE(Get().status.Is(Code::kTooLarge)) << "before any memory is taken for it";
  Answers("HTTP/1.1 500 X\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'),
          Then::kClose);
  EXPECT_TRUE(Get().status.failed()) << "an error is at most 1 MiB";
}

TEST_F(HttpTransferTest, AHandleBringsNothingOfItsLastRequestIntoTheNext) {
  Open({{"connections", "1"}});
  const std::string large(300'000, 'l');
  Answers(Reply(200));
  Answers("HTTP/1.1 200 X\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\n");
  Answers(Reply(200, large));
  Answers("HTTP/1.1 204 X\r\n\r\n");
  Answers(Reply(200, "v"));
  Answers(Reply(200));
  EXPECT_EQ(Put(*store_, "k", large), Code::kOk);
  EXPECT_EQ(Get(Read::Stat()).meta.total_size, 5u);
  EXPECT_EQ(TextOf(Get()), large);
  EXPECT_EQ(Del(*store_, "k"), Code::kOk);
  EXPECT_EQ(TextOf(Get()), "v");
  EXPECT_EQ(Put(*store_, "k", ""), Code::kOk);
  const char* const methods[] = {"PUT", "HEAD", "GET", "DELETE", "GET", "PUT"};
  const size_t sizes[] = {large.size(), 0, 0, 0, 0, 0};
  for (size_t at = 0; at < 6; ++at) {
    EXPECT_EQ(Line(at), std::string(methods[at]) + " /bucket/k HTTP/1.1");
    EXPECT_EQ(Body(at).size(), sizes[at]);
    EXPECT_EQ(Header(at, "Content-Length"),
              at % 5 == 0 ? std::to_string(sizes[at]) : std::string("(none)"));
    EXPECT_EQ(Header(at, "Transfer-Encoding"), "(none)");
  }
  EXPECT_EQ(server_.connections(), 1u);
}

TEST_F(HttpTransferTest, ReusesItsConnectionAndSendsNothingWhileIdle) {
  for (int i = 0; i < 5; ++i) {
    Answers(Reply(200, "v"));
    EXPECT_EQ(TextOf(Get()), "v");
  }
  EXPECT_EQ(server_.connections(), 1u);
  EXPECT_EQ(Asked(), 5u) << "one request for one get";
}

}  // namespace
}  // namespace chainstore::s3::http_transfer_test
