#include "stores/s3/s3_error.h"

#include <gtest/gtest.h>

namespace chainstore::s3::s3_error_test {
namespace {

ErrorReply Refused(int status, const std::string& code) {
  HttpReply reply;
  reply.status = status;
  reply.headers = {{"x-amz-request-id", "id"}};
  reply.body = Value::Copy(code.empty() ? "" : "<Error><Code>" + code + "</Code></Error>");
  return ReadErrorReply(reply);
}

TEST(S3ErrorTest, ReadsTheDocumentAndTheHeaders) {
  HttpReply reply;
  reply.status = 400;
  reply.headers = {{"x-amz-request-id", "from-header"}, {"x-amz-bucket-region", "eu-west-1"}};
  reply.body = Value::Copy(
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>two\nlines</Message>"
      "<Region>us-west-2</Region><RequestId>from-document</RequestId></Error>");
  const ErrorReply error = ReadErrorReply(reply);
  EXPECT_EQ(error.code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error.message, "two lines");
  EXPECT_EQ(error.request_id, "from-document");
  EXPECT_EQ(error.region, "eu-west-1") << "the header is the better witness";
  EXPECT_TRUE(error.has_document);
  EXPECT_TRUE(IsRedirect(error));
}

TEST(S3ErrorTest, SendsAgainOnlyWhatMayWorkThen) {
  struct Row {
    int status;
    const char* code;
    Retry retry;
    Code as;
  };
  const Row rows[] = {
      {500, "InternalError", Retry::kFault, Code::kIo},
      {500, "", Retry::kFault, Code::kIo},
      {502, "", Retry::kFault, Code::kIo},
      {504, "", Retry::kFault, Code::kIo},
      {408, "", Retry::kFault, Code::kIo},
      {400, "RequestTimeout", Retry::kFault, Code::kIo},
      {503, "SlowDown", Retry::kThrottle, Code::kBusy},
      {503, "", Retry::kThrottle, Code::kBusy},
      {509, "", Retry::kThrottle, Code::kBusy},
      {429, "", Retry::kThrottle, Code::kBusy},
      {400, "ThrottlingException", Retry::kThrottle, Code::kBusy},
      {409, "ConditionalRequestConflict", Retry::kFault, Code::kBusy},
      {409, "OperationAborted", Retry::kNever, Code::kBusy},
      {409, "ObjectParentIsFile", Retry::kNever, Code::kUnsupported},
      {409, "ExistingObjectIsDirectory", Retry::kNever, Code::kUnsupported},
      {403, "AccessDenied", Retry::kNever, Code::kDenied},
      {403, "", Retry::kNever, Code::kDenied},
      {404, "NoSuchKey", Retry::kNever, Code::kNotFound},
      {404, "NoSuchBucket", Retry::kNever, Code::kInvalid},
      {412, "PreconditionFailed", Retry::kNever, Code::kExists},
      {400, "BadDigest", Retry::kNever, Code::kCorrupt},
      {400, "EntityTooLarge", Retry::kNever, Code::kTooLarge},
      {403, "InvalidObjectState", Retry::kNever, Code::kUnsupported},
      {400, "SomethingNew", Retry::kNever, Code::kInvalid},
      {501, "NotImplemented", Retry::kNever, Code::kUnsupported},
      {507, "", Retry::kNever, Code::kNoSpace},
  };
  for (const Row& row : rows) {
    const ErrorReply error = Refused(row.status, row.code);
    EXPECT_EQ(RetryOf(error), row.retry) << row.status << row.code;
    EXPECT_EQ(CodeOf(error), row.as) << row.status << row.code;
  }
}

TEST(S3ErrorTest, TellsTheWayOut) {
  const auto hint = [](const ErrorReply& error, int64_t skew = 0) {
    return HintOf(error, "s3:PutObject", "x", skew);
  };
  EXPECT_EQ(hint(Refused(403, "AccessDenied")), "the key may lack s3:PutObject on bucket x");
  EXPECT_EQ(hint(Refused(403, "RequestTimeTooSkewed"), 17 * 60),
            "this machine's clock is 17 min behind the server's");
  EXPECT_EQ(hint(Refused(403, "RequestTimeTooSkewed"), -20 * 60),
            "this machine's clock is 20 min ahead of the server's");
  ErrorReply elsewhere = Refused(301, "PermanentRedirect");
  elsewhere.region = "eu-west-1";
  EXPECT_EQ(hint(elsewhere), "wrong region: the bucket is in eu-west-1");
  EXPECT_EQ(hint(Refused(400, "SomethingNew")), "");
}

TEST(S3ErrorTest, KeepsServerTextToOneShortLine) {
  EXPECT_EQ(OneLine("a\r\nb\x1b[31m"), "a  b [31m");
  EXPECT_EQ(OneLine(std::string(5000, 'x')).size(), 300u);
}

}  // namespace
}  // namespace chainstore::s3::s3_error_test
