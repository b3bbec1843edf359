// What goes over the wire, byte by byte. What no two requests share stands in brackets: the time,
// the signature, the id of a write.
#include <gtest/gtest.h>

#include <regex>

#include "base/checksum.h"
#include "stores/s3/digest.h"
#include "support/scripted_s3.h"

namespace chainstore::s3::wire_test {
namespace {

class WireTest : public ScriptedS3Test {
 protected:
  // The request with this index, with what changes masked.
  std::string Sent(size_t index) {
    const std::pair<const char*, const char*> masks[] = {
        {"127\\.0\\.0\\.1:[0-9]+", "HOST"},
        {"x-amz-date: [0-9]{8}T[0-9]{6}Z", "x-amz-date: [TIME]"},
        {"AKID/[0-9]{8}/", "AKID/[DAY]/"},
        {"Signature=[0-9a-f]{64}", "Signature=[64]"},
        {"cs-write: [0-9a-f]{16}", "cs-write: [ID]"}};
    std::string text = server_.requests().at(index);
    for (const auto& [what, with] : masks) text = std::regex_replace(text, std::regex(what), with);
    return text;
  }
  // Waits for nothing: the answers are there already.
  void Expect(size_t index, const std::string& line, const std::string& headers,
              const std::string& names, const std::string& body = "",
              const std::string& length = "", const std::string& not_signed = "") {
    EXPECT_EQ(Sent(index),
              line + " HTTP/1.1\r\nHost: HOST\r\nAccept: */*\r\nUser-Agent: chainstore\r\n" +
                  "authorization: AWS4-HMAC-SHA256 " +
                  "Credential=AKID/[DAY]/eu-west-1/s3/aws4_request,SignedHeaders=" + names +
                  ",Signature=[64]\r\n" + headers + "x-amz-date: [TIME]\r\n" + not_signed + length +
                  "\r\n" + body);
  }
  static std::string Sha256Of(Bytes body) {
    return "x-amz-content-sha256: " + Hex(AsBytes(Sha256(body))) + "\r\n";
  }
};

constexpr char kUsual[] = "host;x-amz-content-sha256;x-amz-date";

TEST_F(WireTest, Reads) {
  Open({});
  Answers(Reply(200, "value"));
  Answers(Reply(206, "lu", "Content-Range: bytes 2-3/5\r\n"));
  Answers("HTTP/1.1 200 X\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(TextOf(Get()), "value");
  EXPECT_EQ(TextOf(Get(Read::Range(2, 2))), "lu");
  EXPECT_EQ(Get(Read::Stat()).meta.total_size, 5u);
  Expect(0, "GET /bucket/k", Sha256Of(""), kUsual);
  Expect(1, "GET /bucket/k", Sha256Of(""), kUsual, "", "", "range: bytes=2-3\r\n");
  Expect(2, "HEAD /bucket/k", Sha256Of(""), kUsual);
}

TEST_F(WireTest, Writes) {
  Open({{"acl", "private"}, {"metadata", "team=a"}});
  Answers(Reply(200));
  Answers(Reply(200));
  Answers("HTTP/1.1 204 X\r\n\r\n");
  EXPECT_EQ(Put(*store_, "a b/+", "value"), Code::kOk);
  EXPECT_EQ(Put(*store_, "k", "", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Del(*store_, "k"), Code::kOk);
  const std::string own = "x-amz-acl: private\r\nx-amz-meta-team: a\r\nx-amz-meta-cs-crc32c: ";
  Expect(0, "PUT /bucket/a%20b/%2B",
         own + "e1e00363\r\nx-amz-checksum-crc32c: " + Crc32cBase64(Crc32c("value")) + "\r\n" +
             Sha256Of("value"),
         "host;x-amz-acl;x-amz-checksum-crc32c;x-amz-content-sha256;x-amz-date;"
         "x-amz-meta-cs-crc32c;x-amz-meta-team",
         "value", "Content-Length: 5\r\n");
  Expect(1, "PUT /bucket/k",
         own + "00000000\r\nx-amz-meta-cs-write: [ID]\r\nx-amz-checksum-crc32c: AAAAAA==\r\n" +
             Sha256Of(""),
         "host;x-amz-acl;x-amz-checksum-crc32c;x-amz-content-sha256;x-amz-date;"
         "x-amz-meta-cs-crc32c;x-amz-meta-cs-write;x-amz-meta-team",
         "", "Content-Length: 0\r\n", "if-none-match: *\r\n");
  Expect(2, "DELETE /bucket/k", Sha256Of(""), kUsual);
}

TEST_F(WireTest, ListsAndBatches) {
  Open({{"prefix", "p/"}, {"connections", "1"}});
  Answers(Reply(200, "<ListBucketResult/>"));
  Answers(Reply(200, "<ListBucketResult/>"));
  Answers(Reply(200, "<DeleteResult/>"));
  Range range;
  range.start = "a&b";
  range.page_size = 10;
  EXPECT_TRUE(ScanPage(*store_, range).status.Is(Code::kEnd));
  auto batch = MakeRef<Batch>();
  for (const char* key : {"a", "<b>"}) batch->ops.push_back({OwnedKey(Key(key)), nullptr, 0});
  EXPECT_TRUE(WriteInto(*store_, batch).status.ok());
  EXPECT_TRUE(
      Line(0).starts_with("GET /bucket/?encoding-type=url&list-type=2&max-keys=11&"
                          "prefix=p%2F&start-after=p%2Fa%26"))
      << Line(0);
  EXPECT_TRUE(
      Line(1).starts_with("GET /bucket/?encoding-type=url&list-type=2&max-keys=11&"
                          "prefix=p%2F"))
      << Line(1);
  const std::string body =
      "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>p/a</Key></Object>"
      "<Object><Key>p/&lt;b&gt;</Key></Object><Quiet>true</Quiet></Delete>";
  Expect(
      2, "POST /bucket/?delete=",
      "content-type: application/xml\r\ncontent-md5: " + Md5Base64(body) + "\r\n" + Sha256Of(body),
      "content-md5;content-type;host;x-amz-content-sha256;x-amz-date", body,
      "Content-Length: " + std::to_string(body.size()) + "\r\n");
}

}  // namespace
}  // namespace chainstore::s3::wire_test
