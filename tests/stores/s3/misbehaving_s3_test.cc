// What a server does wrong in S3: refusals, redirects, lists, batches, conditions. Each row has its
// outcome and its time; ExpectOutcome adds that the next call works and nothing leaks.
#include <gtest/gtest.h>

#include "stores/s3/misbehaviour.h"

namespace chainstore::s3::misbehaving_s3_test {
namespace {

using Then = ScriptedAnswer::Then;

template <size_t kRows>
void ExpectOutcomes(const Misbehaviour (&rows)[kRows]) {
  for (const Misbehaviour& row : rows) ExpectOutcome(row);
}

std::string NoBody(int status, const std::string& headers = "") {
  return Raw("HTTP/1.1 " + std::to_string(status) + " X", headers + "Content-Length: 0\r\n");
}
const std::string kNoContent = "HTTP/1.1 204 X\r\n\r\n";
const std::string kHtml = Raw("HTTP/1.1 200 OK", "Content-Length: 13\r\n", "<html></html>");
// The head alone: an answer to a HEAD.
std::string Head(int status, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 5\r\n" + headers + "\r\n";
}

// ---- Refusals ----

Misbehaviour Refusal(int status, const char* code, Code as, const char* says = "",
                     Ask ask = Ask::kGet) {
  return {.what = std::to_string(status) + " " + code,
          .ask = ask,
          .script = {Says(*code ? Reply(status, ErrorBody(code)) : NoBody(status))},
          .status = as,
          .says = says};
}

const Misbehaviour kRefusals[] = {
    Refusal(404, "NoSuchKey", Code::kNotFound),
    Refusal(404, "NoSuchBucket", Code::kInvalid, "make the bucket, or check its name"),
    Refusal(404, "", Code::kIo, "does not say what is missing"),
    Refusal(404, "NoSuchVersion", Code::kIo, "does not say what is missing"),
    {.what = "404 with a page in HTML",
     .script = {Says(Reply(404, "<html></html>"))},
     .status = Code::kIo,
     .says = "does not say what is missing"},
    {.what = "404 that is cut off behind the words NoSuchKey",
     .script = {Says(Reply(404, "<Error><Code>NoSuchKey</Code><Mess"))},
     .status = Code::kIo},
    {.what = "404 that says NoSuchKey in another document",
     .script = {Says(Reply(404, "<Other><Code>NoSuchKey</Code></Other>"))},
     .status = Code::kIo},
    {.what = "404 with a document type",
     .script = {Says(Reply(404,
                           "<!DOCTYPE a [<!ENTITY b \"NoSuchKey\">]>"
                           "<Error><Code>&b;</Code></Error>"))},
     .status = Code::kIo},
    {.what = "404 whose code is hidden inside",
     .script = {Says(Reply(404, "<Error><A><Code>NoSuchKey</Code></A></Error>"))},
     .status = Code::kIo},
    Refusal(400, "", Code::kInvalid, "HTTP 400"),
    Refusal(401, "", Code::kDenied),
    Refusal(403, "", Code::kDenied, "the key may lack s3:GetObject on bucket bucket"),
    Refusal(403, "AccessDenied", Code::kDenied, "the key may lack s3:PutObject", Ask::kPut),
    Refusal(403, "AccessDenied", Code::kDenied, "the key may lack s3:DeleteObject", Ask::kDel),
    Refusal(403, "InvalidAccessKeyId", Code::kDenied, "does not know this access_key"),
    Refusal(403, "SignatureDoesNotMatch", Code::kDenied, "secret_key is not that of"),
    Refusal(403, "InvalidObjectState", Code::kUnsupported, "restore it first"),
    Refusal(400, "ExpiredToken", Code::kDenied, "get new temporary keys"),
    Refusal(405, "MethodNotAllowed", Code::kInvalid),
    Refusal(408, "", Code::kIo),
    Refusal(409, "OperationAborted", Code::kBusy),
    Refusal(409, "ObjectParentIsFile", Code::kUnsupported, "", Ask::kPut),
    Refusal(409, "ExistingObjectIsDirectory", Code::kUnsupported, "", Ask::kPut),
    Refusal(411, "MissingContentLength", Code::kInvalid, "", Ask::kPut),
    Refusal(413, "EntityTooLarge", Code::kTooLarge, "", Ask::kPut),
    Refusal(400, "BadDigest", Code::kCorrupt, "", Ask::kPut),
    Refusal(400, "XAmzContentSHA256Mismatch", Code::kCorrupt, "", Ask::kPut),
    Refusal(400, "KeyTooLongError", Code::kInvalid, "", Ask::kPut),
    Refusal(400, "InvalidStorageClass", Code::kInvalid, "", Ask::kPut),
    Refusal(429, "", Code::kBusy),
    Refusal(500, "InternalError", Code::kIo),
    Refusal(501, "NotImplemented", Code::kUnsupported),
    Refusal(507, "", Code::kNoSpace, "", Ask::kPut),
    Refusal(509, "BandwidthLimitExceeded", Code::kBusy),
    Refusal(300, "", Code::kIo),
    Refusal(304, "", Code::kIo),
    {.what = "an error whose words are to break a terminal or a log",
     .script = {Says(Reply(400, ErrorBody("A\x7f\nB", "<Message>\x7f[2J</Message>")))},
     .status = Code::kInvalid,
     .says = "A  B (HTTP 400)"},
};

TEST(MisbehavingS3Test, Refusals) { ExpectOutcomes(kRefusals); }

// ---- When to ask again ----

Misbehaviour Throttle(const char* retry_after) {
  return {.what = std::string("Retry-After: ") + retry_after,
          .script = {Says(Reply(503, ErrorBody("SlowDown"),
                                std::string("Retry-After: ") + retry_after + "\r\n"))},
          .status = Code::kBusy,
          .options = {{"attempts", "2"}}};
}

// It is obeyed within bounds, which are beyond the deadline: the call ends at once.
Misbehaviour Absurd(const char* retry_after) {
  Misbehaviour row = Throttle(retry_after);
  row.deadline_ms = 5'000;
  return row;
}

// It asks for no wait: the pause is the client's own, at most a second.
Misbehaviour Nonsense(const char* retry_after) {
  Misbehaviour row = Throttle(retry_after);
  row.requests = 2;
  return row;
}

const Misbehaviour kThrottles[] = {
    Absurd("99999999999999999999"),
    Absurd("1000000"),
    Nonsense("-5"),
    Nonsense("soon"),
    Nonsense("Fri, 31 Dec 9999 23:59:59 GMT"),
    {.what = "a failure for ever ends with the attempts",
     .script = {Says(Reply(500, ErrorBody("InternalError")))},
     .status = Code::kIo,
     .requests = 3,
     .options = {{"attempts", "3"}}},
    {.what = "a refusal is not asked for again",
     .script = {Says(Reply(403, ErrorBody("AccessDenied")))},
     .status = Code::kDenied,
     .options = {{"attempts", "3"}}},
};

TEST(MisbehavingS3Test, WhenToAskAgain) { ExpectOutcomes(kThrottles); }

// ---- Redirects, regions, clocks ----

// Without a region in the answer the bucket is asked for it, in one more request.
Misbehaviour Redirect(int status, const char* headers, Ask ask = Ask::kGet, size_t requests = 2) {
  return {.what = std::to_string(status) + " " + headers,
          .ask = ask,
          .script = {Says(NoBody(status, headers))},
          .status = Code::kInvalid,
          .requests = requests,
          .options = {{"attempts", "3"}}};
}

const Misbehaviour kRedirects[] = {
    Redirect(301, ""),
    Redirect(301, "Location: http://169.254.169.254/latest/meta-data/\r\n"),
    Redirect(302, "Location: file:///etc/passwd\r\n"),
    Redirect(307, "Location: gopher://127.0.0.1/\r\n", Ask::kPut),
    Redirect(308, "Location: /bucket/k\r\n"),
    Redirect(301, "x-amz-bucket-region: evil.example/\r\n", Ask::kGet, 1),
    Redirect(301, "x-amz-bucket-region: eu-west-1\r\n", Ask::kGet, 1),
    Redirect(301, "x-amz-bucket-region:\r\n"),
    {.what = "regions that send one to the other",
     .script = {Says(NoBody(301, "x-amz-bucket-region: a-1\r\n")),
                Says(NoBody(301, "x-amz-bucket-region: a-2\r\n")),
                Says(NoBody(301, "x-amz-bucket-region: a-1\r\n"))},
     .status = Code::kInvalid,
     .says = "wrong region",
     .requests = 3},
    {.what = "a wrong region",
     .script = {Says(Reply(
                    400, ErrorBody("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>"))),
                Says(Reply(200, "value"))},
     .answer = "value",
     .requests = 2},
    {.what = "a wrong region, and no other is named",
     .script = {Says(Reply(400, ErrorBody("AuthorizationHeaderMalformed")))},
     .status = Code::kInvalid,
     .says = "region"},
    {.what = "a clock that is off, and stays off",
     .script = {Says(
         Reply(403, ErrorBody("RequestTimeTooSkewed"), "Date: Thu, 01 Jan 2015 10:00:00 GMT\r\n"))},
     .status = Code::kDenied,
     .says = "this machine's clock is",
     .requests = 2},
    {.what = "a clock that is off, and no Date to learn from",
     .script = {Says(Reply(403, ErrorBody("RequestTimeTooSkewed")))},
     .status = Code::kDenied},
    {.what = "a clock that is off by an absurd Date",
     .script = {Says(Reply(403, ErrorBody("RequestTimeTooSkewed"),
                           "Date: Thu, 99 Foo 99999 99:99:99 GMT\r\n"))},
     .status = Code::kDenied},
};

TEST(MisbehavingS3Test, RedirectsRegionsClocks) { ExpectOutcomes(kRedirects); }

// ---- Checksums ----

const Misbehaviour kChecksums[] = {
    {.what = "another value than was put",
     .script = {Says(Reply(200, "value", "x-amz-meta-cs-crc32c: 00000000\r\n"))},
     .status = Code::kCorrupt,
     .says = "checksum"},
    {.what = "another value than the server's own checksum is of",
     .script = {Says(Reply(200, "value", "x-amz-checksum-crc32c: AAAAAA==\r\n"))},
     .status = Code::kCorrupt,
     .says = "checksum"},
    {.what = "the checksum of the parts, which is not that of the value",
     .script = {Says(Reply(200, "value", "x-amz-checksum-crc32c: AAAAAA==-2\r\n"))},
     .answer = "value"},
    {.what = "the same where nobody wants to know",
     .script = {Says(Reply(200, "value",
                           "x-amz-meta-cs-crc32c: 00000000\r\n"
                           "x-amz-checksum-crc32c: AAAAAA==\r\n"))},
     .answer = "value",
     .options = {{"verify", "off"}}},
};

TEST(MisbehavingS3Test, Checksums) { ExpectOutcomes(kChecksums); }

// ---- Stat ----

const Misbehaviour kStats[] = {
    {.what = "an answer to HEAD",
     .ask = Ask::kStat,
     .script = {Says(Head(200, "ETag: \"e\"\r\n"))},
     .answer = "5"},
    {.what = "a body behind an answer to HEAD",
     .ask = Ask::kStat,
     .script = {Says(Reply(200, "value"))},
     .answer = "5"},
    {.what = "no length",
     .ask = Ask::kStat,
     .script = {Says("HTTP/1.1 200 X\r\nETag: \"e\"\r\n\r\n")},
     .status = Code::kIo,
     .says = "no Content-Length"},
    {.what = "no ETag", .ask = Ask::kStat, .script = {Says(Head(200))}, .status = Code::kIo},
    {.what = "a miss",
     .ask = Ask::kStat,
     .script = {Says(Head(404)), Says(Reply(200, "<ListBucketResult/>"))},
     .status = Code::kNotFound,
     .requests = 2},
    {.what = "the bucket is missing",
     .ask = Ask::kStat,
     .script = {Says(Head(404)), Says(Reply(404, ErrorBody("NoSuchBucket")))},
     .status = Code::kInvalid,
     .says = "make the bucket",
     .requests = 2},
    {.what = "a miss, or no right to see that it is one",
     .ask = Ask::kStat,
     .script = {Says(Head(403))},
     .status = Code::kDenied},
    {.what = "a miss by a server that is none of S3",
     .ask = Ask::kStat,
     .script = {Says(Head(404)), Says(kHtml)},
     .status = Code::kIo,
     .says = "check the option endpoint",
     .requests = 2},
};

TEST(MisbehavingS3Test, Stat) { ExpectOutcomes(kStats); }

// ---- Puts and deletes ----

const Misbehaviour kWrites[] = {
    {.what = "a put that a page in HTML answers",
     .ask = Ask::kPut,
     .script = {Says(kHtml)},
     .status = Code::kIo,
     .says = "check the option endpoint"},
    {.what = "a put with an error inside the 200",
     .ask = Ask::kPut,
     .script = {Says(Reply(200, ErrorBody("InternalError")))},
     .status = Code::kIo,
     .says = "InternalError"},
    {.what = "a put that is answered by a miss",
     .ask = Ask::kPut,
     .script = {Says(Reply(404, ErrorBody("NoSuchKey")))},
     .status = Code::kIo,
     .says = "answers a put with HTTP 404"},
    {.what = "a put without a condition that meets one",
     .ask = Ask::kPut,
     .script = {Says(Reply(412, ErrorBody("PreconditionFailed")))},
     .status = Code::kIo,
     .says = "answers a put with HTTP 412"},
    {.what = "a put that is refused while it is sent",
     .ask = Ask::kPutLarge,
     .script = {{.bytes = Reply(403, ErrorBody("AccessDenied")),
                 .before_body = true,
                 .then = Then::kHang}},
     .status = Code::kDenied,
     .says = "s3:PutObject"},
    {.what = "a put into a bucket that is missing",
     .ask = Ask::kPut,
     .script = {Says(Reply(404, ErrorBody("NoSuchBucket")))},
     .status = Code::kInvalid,
     .says = "make the bucket"},
    {.what = "a delete that a page in HTML answers",
     .ask = Ask::kDel,
     .script = {Says(kHtml)},
     .status = Code::kIo,
     .says = "check the option endpoint"},
    {.what = "a delete with an error inside the 200",
     .ask = Ask::kDel,
     .script = {Says(Reply(200, ErrorBody("AccessDenied")))},
     .status = Code::kDenied},
    {.what = "a delete of nothing", .ask = Ask::kDel, .script = {Says(kNoContent)}},
    {.what = "a delete of nothing by a server that says so",
     .ask = Ask::kDel,
     .script = {Says(Reply(404, ErrorBody("NoSuchKey")))}},
    {.what = "a delete below a path that is not there",
     .ask = Ask::kDel,
     .script = {Says(Reply(404, "<html></html>"))},
     .status = Code::kIo,
     .says = "does not say what is missing"},
    {.what = "a condition that fails, by a server that then finds nothing",
     .ask = Ask::kPutIfAbsent,
     .script = {Says(Reply(412, ErrorBody("PreconditionFailed"))), Says(Head(404)),
                Says(Reply(200, "<ListBucketResult/>")),
                Says(Reply(412, ErrorBody("PreconditionFailed"))), Says(Head(404))},
     .status = Code::kExists,
     .requests = 5},
    {.what = "a condition that fails, and nobody can look",
     .ask = Ask::kPutIfAbsent,
     .script = {Says(Reply(412, ErrorBody("PreconditionFailed"))), Says(Head(500))},
     .status = Code::kIo,
     .requests = 2},
    {.what = "a condition that fails after a success that was lost: it was another's",
     .ask = Ask::kPutIfAbsent,
     .script = {Says("", Then::kClose), Says(Reply(412, ErrorBody("PreconditionFailed"))),
                Says(Head(200, "ETag: \"e\"\r\nx-amz-meta-cs-write: another\r\n"))},
     .status = Code::kExists,
     .requests = 3,
     .options = {{"attempts", "2"}}},
};

TEST(MisbehavingS3Test, PutsAndDeletes) { ExpectOutcomes(kWrites); }

// ---- Lists ----

std::string List(const std::string& inside) {
  return "<ListBucketResult>" + inside + "</ListBucketResult>";
}
std::string Item(const std::string& key, const std::string& size = "5") {
  return "<Contents><Key>" + key + "</Key><Size>" + size + "</Size></Contents>";
}
std::string Repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// A scan reads two lists at once. Over one connection the one that has the keys comes first.
Misbehaviour ListIs(const char* what, const std::string& body, const char* says,
                    Code status = Code::kIo) {
  return {.what = std::string("a list: ") + what,
          .ask = Ask::kScan,
          .script = {Says(Reply(200, body)), Says(Reply(200, List("")))},
          .status = status,
          .says = says,
          .requests = 2};
}

const std::string kBomb =
    "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
    "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>" +
    List("&d;");

const std::string kPage = List("<IsTruncated>true</IsTruncated>" + Item("p/a") + Item("p/b"));

const Misbehaviour kLists[] = {
    ListIs("nothing", "", "check the option endpoint"),
    ListIs("a page in HTML", "<html></html>", "not a ListBucketResult"),
    ListIs("another document", "<ListAllMyBucketsResult/>", "not a ListBucketResult"),
    ListIs("cut off", "<ListBucketResult><Contents>", "no XML"),
    ListIs("something behind its end", List("") + List(""), "no XML"),
    ListIs("an XML bomb", kBomb, "document type"),
    ListIs("an entity of this machine's", "<!DOCTYPE l SYSTEM \"file:///etc/passwd\">" + List(""),
           "document type"),
    ListIs("an unknown entity", List("&unknown;"), "no XML"),
    ListIs("40 levels", List(Repeated("<a>", 40) + Repeated("</a>", 40)), "nested too deeply"),
    ListIs("no UTF-8", List("<Prefix>\xff</Prefix>"), "no XML"),
    ListIs("an unknown encoding", "<?xml version=\"1.0\" encoding=\"klingon\"?>" + List(""),
           "no XML"),
    ListIs("a control character", List("<Prefix>\x01</Prefix>"), "no XML"),
    ListIs("of 9 MiB", List(std::string(size_t{9} << 20, ' ')), "larger", Code::kTooLarge),
    ListIs("goes on, and holds nothing", List("<IsTruncated>true</IsTruncated>"), "holds nothing"),
    ListIs("in no order", List(Item("p/b") + Item("p/a")), "not in the order"),
    ListIs("one key twice", List(Item("p/a") + Item("p/a")), "not in the order"),
    ListIs("a key outside the prefix", List(Item("q")), "outside its prefix"),
    ListIs("no size", List("<Contents><Key>p/a</Key></Contents>"), "no size"),
    ListIs("a negative size", List(Item("p/a", "-1")), "no size"),
    ListIs("a size beyond 64 bits", List(Item("p/a", "99999999999999999999999")), "no size"),
    ListIs("no key", List("<Contents><Size>1</Size></Contents>"), "outside its prefix"),
    ListIs("a key that is not encoded as it says",
           List("<EncodingType>url</EncodingType>" + Item("p/%zz")), "not encoded"),
    ListIs("denied inside the 200", ErrorBody("AccessDenied"), "s3:ListBucket", Code::kDenied),
    ListIs("too fast inside the 200", ErrorBody("SlowDown"), "SlowDown", Code::kBusy),
    ListIs("failed inside the 200", ErrorBody("InternalError"), "InternalError"),
    {.what = "a list: the same page for ever",
     .ask = Ask::kScan,
     .script = {Says(Reply(200, kPage)), Says(Reply(200, List(""))), Says(Reply(200, kPage))},
     .status = Code::kIo,
     .says = "not in the order",
     .requests = 3},
    {.what = "a list: two pages",
     .ask = Ask::kScan,
     .script = {Says(Reply(200, kPage)), Says(Reply(200, List(""))),
                Says(Reply(200, List(Item("p/c"))))},
     .answer = "a b c",
     .requests = 3},
    {.what = "a list of a bucket that is missing",
     .ask = Ask::kScan,
     .script = {Says(Reply(404, ErrorBody("NoSuchBucket")))},
     .status = Code::kInvalid,
     .says = "make the bucket",
     .requests = 2},
    {.what = "a list that is not found",
     .ask = Ask::kScan,
     .script = {Says(NoBody(404))},
     .status = Code::kIo,
     .requests = 2},
};

TEST(MisbehavingS3Test, Lists) {
  for (Misbehaviour row : kLists) {
    row.options = {{"prefix", "p/"}, {"connections", "1"}};
    ExpectOutcome(row);
  }
}

// ---- Batches ----

Misbehaviour Deleted(const char* what, const std::string& body, Code status, const char* answer) {
  return {.what = std::string("a batch: ") + what,
          .ask = Ask::kDelMany,
          .script = {Says(Reply(200, body))},
          .status = status,
          .answer = answer};
}
std::string Refused(const char* key, const char* code) {
  return std::string("<Error><Key>") + key + "</Key><Code>" + code + "</Code></Error>";
}
std::string DeleteResult(const std::string& inside) {
  return "<DeleteResult>" + inside + "</DeleteResult>";
}

const Misbehaviour kBatches[] = {
    Deleted("all gone", DeleteResult(""), Code::kOk, "CS_OK CS_OK CS_OK"),
    Deleted("one refused", DeleteResult(Refused("b", "AccessDenied")), Code::kPartial,
            "CS_OK CS_DENIED CS_OK"),
    Deleted("one failed, one throttled",
            DeleteResult(Refused("a", "InternalError") + Refused("c", "SlowDown")), Code::kPartial,
            "CS_IO CS_OK CS_BUSY"),
    Deleted("one was not there", DeleteResult(Refused("b", "NoSuchKey")), Code::kOk,
            "CS_OK CS_OK CS_OK"),
    Deleted("one refused that was not asked for", DeleteResult(Refused("z", "AccessDenied")),
            Code::kDenied, ""),
    Deleted("one refused that has no name",
            DeleteResult("<Error><Code>InternalError</Code></Error>"), Code::kIo, ""),
    Deleted("nothing", "", Code::kIo, ""),
    Deleted("another document", "<html></html>", Code::kIo, ""),
    Deleted("denied inside the 200", ErrorBody("AccessDenied"), Code::kDenied, ""),
    {.what = "a batch of gets, of which one fails and one is missing",
     .ask = Ask::kGetMany,
     .script = {Says(Reply(200, "value")), Says(Reply(404, ErrorBody("NoSuchKey"))),
                Says(Reply(403, ErrorBody("AccessDenied")))},
     .status = Code::kPartial,
     .answer = "CS_OK CS_NOT_FOUND CS_DENIED",
     .requests = 3,
     .options = {{"concurrency", "1"}}},
};

TEST(MisbehavingS3Test, Batches) { ExpectOutcomes(kBatches); }

}  // namespace
}  // namespace chainstore::s3::misbehaving_s3_test
