#include "stores/s3/http_trace.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace chainstore::s3::http_trace_test {
namespace {

TEST(HttpTraceTest, ShowsLinesHeadersAndTimesButNoSecret) {
  HttpRequest request;
  request.method = "PUT";
  request.url = "http://host:9000/b/a%20b?partNumber=1";
  request.headers = {
      {"authorization", "AWS4-HMAC-SHA256 Credential=AKID/1/r/s3/aws4_request,Signature=abc"},
      {"x-amz-security-token", "hushed"},
      {"range", "bytes=0-1"}};
  request.has_body = true;
  request.body = "four";
  HttpReply reply;
  reply.status = 206;
  reply.headers = {{"etag", "\"e\""}, {"x-bad", "a\nb"}};
  reply.received = 2;
  EXPECT_EQ(TraceText(request, reply, {1500, 22000, 23045, true}),
            "> PUT /b/a%20b?partNumber=1 HTTP/1.1\n"
            "> host: host:9000\n"
            "> authorization: AWS4-HMAC-SHA256 "
            "Credential=AKID/1/r/s3/aws4_request,Signature=***\n"
            "> x-amz-security-token: ***\n"
            "> range: bytes=0-1\n"
            "> (4 bytes)\n"
            "< HTTP 206\n"
            "< etag: \"e\"\n"
            "< x-bad: a?b\n"
            "< (2 bytes)\n"
            "* connection reused, ready after 1.500 ms, first byte 22.000 ms, end 23.045 ms\n");
}

TEST(HttpTraceTest, ShowsWhyThereWasNoAnswer) {
  HttpRequest request;
  request.method = "GET";
  request.url = "https://h/?X-Amz-Security-Token=hushed&X-Amz-Signature=abc";
  request.headers = {{"authorization", "Bearer hushed"}};
  HttpReply reply;
  reply.ended = Code::kIo;
  reply.failure = "Connection reset";
  EXPECT_EQ(TraceText(request, reply, {0, 0, 9, false}),
            "> GET /?X-Amz-Security-Token=***&X-Amz-Signature=*** HTTP/1.1\n"
            "> host: h\n"
            "> authorization: ***\n"
            "* new connection, ready after 0.000 ms, end 0.009 ms: CS_IO, Connection reset\n");
}

TEST(HttpTraceTest, TheEnvironmentAsksForIt) {
  const char* const before = getenv("CHAINSTORE_TRACE");
  const std::string kept = before ? before : "";
  const auto traced = [](const char* value) {
    setenv("CHAINSTORE_TRACE", value, 1);
    return IsHttpTraced();
  };
  EXPECT_TRUE(traced("http"));
  EXPECT_TRUE(traced("1,http"));
  EXPECT_FALSE(traced("1"));
  EXPECT_FALSE(traced("https"));
  before ? setenv("CHAINSTORE_TRACE", kept.c_str(), 1) : unsetenv("CHAINSTORE_TRACE");
}

}  // namespace
}  // namespace chainstore::s3::http_trace_test
