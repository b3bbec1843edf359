// What a server or a network does wrong in HTTP: bodies, headers, status lines, silence. Each row
// has its outcome and its time; ExpectOutcome adds that the next call works and nothing leaks.
#include <gtest/gtest.h>

#include "stores/s3/misbehaviour.h"

namespace chainstore::s3::misbehaving_http_test {
namespace {

using Then = ScriptedAnswer::Then;

constexpr char kEtag[] = "ETag: \"e\"\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK";
const std::string kChunked = std::string("Transfer-Encoding: chunked\r\n") + kEtag;

std::string Headers(const std::string& more) { return kEtag + more; }
std::string Length(const std::string& length) {
  return Headers("Content-Length: " + length + "\r\n");
}

template <size_t kRows>
void ExpectOutcomes(const Misbehaviour (&rows)[kRows]) {
  for (const Misbehaviour& row : rows) ExpectOutcome(row);
}

// ---- Bodies that are not what was announced ----

const Misbehaviour kBodies[] = {
    {.what = "the body is cut off",
     .script = {Says(Raw(kOk, Length("10"), "half"), Then::kClose)},
     .status = Code::kIo,
     .says = "the network failed"},
    {.what = "the body is cut off by a reset",
     .script = {Says(Raw(kOk, Length("10"), "half"), Then::kReset)},
     .status = Code::kIo,
     .says = "the network failed"},
    {.what = "the body is cut off, then all of it comes",
     .script = {Says(Raw(kOk, Length("10"), "half"), Then::kClose), Says(Reply(200, "whole"))},
     .answer = "whole",
     .requests = 2,
     .options = {{"attempts", "2"}}},
    {.what = "more than the body",
     .script = {Says(Raw(kOk, Length("5"), "value and more"))},
     .answer = "value"},
    {.what = "an answer to a request that was never made behind the body",
     .script = {Says(Raw(kOk, Length("5"), "value") + Reply(200, "poison"))},
     .answer = "value"},
    {.what = "a body without an end: only the connection's tells",
     .script = {Says(Raw(kOk, kEtag, "half of it"), Then::kClose)},
     .status = Code::kIo,
     .says = "length"},
    {.what = "the same in HTTP/1.0",
     .script = {Says(Raw("HTTP/1.0 200 OK", kEtag, "half of it"), Then::kClose)},
     .status = Code::kIo,
     .says = "length"},
    {.what = "HTTP/1.0 that says how long it is",
     .script = {Says(Raw("HTTP/1.0 200 OK", Length("5"), "value"), Then::kClose)},
     .answer = "value"},
    {.what = "two lengths",
     .script = {Says(Raw(kOk, Length("10") + "Content-Length: 5\r\n", "valuepoison"))},
     .status = Code::kIo,
     .says = "length"},
    {.what = "the same length twice",
     .script = {Says(Raw(kOk, Length("5") + "Content-Length: 5\r\n", "value"))},
     .answer = "value"},
    {.what = "a negative length",
     .script = {Says(Raw(kOk, Length("-5"), "value"), Then::kClose)},
     .status = Code::kIo},
    {.what = "a length that is no number",
     .script = {Says(Raw(kOk, Length("five"), "value"), Then::kClose)},
     .status = Code::kIo},
    {.what = "a length beyond 64 bits",
     .script = {Says(Raw(kOk, Length("99999999999999999999999"), "value"), Then::kClose)},
     .status = Code::kIo},
    {.what = "a length of one TiB, of which nothing comes",
     .script = {Says(Raw(kOk, Length("1099511627776"), "v"), Then::kHang)},
     .status = Code::kTooLarge,
     .options = {{"max_value_size", "1MiB"}}},
    {.what = "a body without an end that is sent for ever",
     .script = {{.bytes = Raw(kOk, kChunked),
                 .then = Then::kFlood,
                 .flood = "400\r\n" + std::string(1024, 'x') + "\r\n"}},
     .status = Code::kTooLarge,
     .options = {{"max_value_size", "1MiB"}}},
    {.what = "an error that is longer than 1 MiB",
     .script = {Says(Reply(500, std::string(size_t{2} << 20, 'x')), Then::kClose)},
     .status = Code::kIo},
    {.what = "an error that is sent for ever",
     .script = {{.bytes = Raw("HTTP/1.1 403 X", kChunked),
                 .then = Then::kFlood,
                 .flood = "400\r\n" + std::string(1024, 'x') + "\r\n"}},
     .status = Code::kIo},
};

TEST(MisbehavingHttpTest, Bodies) { ExpectOutcomes(kBodies); }

// ---- Chunks ----

Misbehaviour Chunks(const char* what, const char* body, Code status, const char* answer = "",
                    Then then = Then::kClose) {
  return {.what = what,
          .script = {Says(Raw(kOk, kChunked, body), then)},
          .status = status,
          .answer = answer,
          .deadline_ms = then == Then::kHang ? 100u : 10'000u};
}

const Misbehaviour kChunks[] = {
    Chunks("no size", "zz\r\nvalue\r\n0\r\n\r\n", Code::kIo),
    Chunks("a negative size", "-5\r\nvalue\r\n0\r\n\r\n", Code::kIo),
    Chunks("a size beyond 64 bits", "FFFFFFFFFFFFFFFFF\r\nvalue\r\n", Code::kIo),
    Chunks("a size that is larger than what comes", "A\r\nvalue\r\n0\r\n\r\n", Code::kIo),
    Chunks("a size that is smaller", "3\r\nvalue\r\n0\r\n\r\n", Code::kIo),
    Chunks("no last chunk", "5\r\nvalue\r\n", Code::kIo),
    Chunks("no last chunk, and silence", "5\r\nvalue\r\n", Code::kTimeout, "", Then::kHang),
    Chunks("an extension", "5;a=b\r\nvalue\r\n0\r\n\r\n", Code::kOk, "value", Then::kKeep),
    Chunks("a trailer", "5\r\nvalue\r\n0\r\nX-After: 1\r\n\r\n", Code::kOk, "value", Then::kKeep),
    {.what = "a trailer without an end",
     .script = {{.bytes = Raw(kOk, kChunked, "5\r\nvalue\r\n0\r\n"),
                 .then = Then::kFlood,
                 .flood = "X-After: " + std::string(1000, 'x') + "\r\n"}},
     .status = Code::kIo},
    {.what = "a NUL in a header behind the last chunk",
     .script = {Says(Raw(kOk, kChunked, std::string("5\r\nvalue\r\n0\r\nX-A: a\0b\r\n\r\n", 25)))},
     .status = Code::kIo},
    {.what = "a length beside the chunks",
     .script = {Says(Raw(kOk, kChunked + "Content-Length: 3\r\n", "5\r\nvalue\r\n0\r\n\r\n"))},
     .answer = "value"},
    {.what = "compressed without being asked, and not even that",
     .script = {Says(Raw(kOk, std::string("Transfer-Encoding: gzip, chunked\r\n") + kEtag,
                         "5\r\nvalue\r\n0\r\n\r\n"),
                     Then::kClose)},
     .status = Code::kIo},
    {.what = "said to be compressed: what is stored is what is given",
     .script = {Says(Reply(200, "value", "Content-Encoding: gzip\r\n"))},
     .answer = "value"},
};

TEST(MisbehavingHttpTest, Chunks) { ExpectOutcomes(kChunks); }

// ---- Status lines and headers ----

const Misbehaviour kHeads[] = {
    {.what = "no HTTP",
     .script = {Says("SSH-2.0-OpenSSH_9.2\r\n", Then::kClose)},
     .status = Code::kIo},
    {.what = "HTTP/0.9: a body and nothing else",
     .script = {Says("value", Then::kClose)},
     .status = Code::kIo},
    {.what = "a status that is no number",
     .script = {Says(Raw("HTTP/1.1 abc", Length("5"), "value"), Then::kClose)},
     .status = Code::kIo},
    {.what = "a status of two digits",
     .script = {Says(Raw("HTTP/1.1 99 X", Length("5"), "value"), Then::kClose)},
     .status = Code::kIo},
    {.what = "a status that does not exist",
     .script = {Says(Raw("HTTP/1.1 999 X", Length("5"), "value"), Then::kClose)},
     .status = Code::kIo},
    {.what = "interim answers for ever",
     .script = {{.then = Then::kFlood, .flood = "HTTP/1.1 100 Continue\r\n\r\n"}},
     .status = Code::kIo,
     .says = "64 KiB"},
    {.what = "interim answers, then the answer",
     .script = {Says("HTTP/1.1 100 Continue\r\nETag: \"x\"\r\n\r\nHTTP/1.1 102 P\r\n\r\n" +
                     Reply(200, "value"))},
     .answer = "value"},
    {.what = "another protocol",
     .script = {Says("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", Then::kHang)},
     .status = Code::kTimeout,
     .deadline_ms = 100},
    {.what = "a header of 70 KB",
     .script = {Says(Raw(kOk, Headers("X-Long: " + std::string(70'000, 'x') + "\r\n")))},
     .status = Code::kIo},
    {.what = "headers for ever",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\n",
                 .then = Then::kFlood,
                 .flood = "X-More: " + std::string(1000, 'x') + "\r\n"}},
     .status = Code::kIo},
    {.what = "a line that is no header",
     .script = {Says(Raw(kOk, Length("5") + "no header\r\n", "value"))},
     .status = Code::kIo},
    {.what = "a NUL in a header",
     .script = {Says(Raw(kOk, Length("5") + std::string("X-A: a\0b\r\n", 10), "value"),
                     Then::kClose)},
     .status = Code::kIo},
    {.what = "the headers are cut off",
     .script = {Says("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Le", Then::kClose)},
     .status = Code::kIo},
    {.what = "an ETag without quotes",
     .script = {Says(Raw(kOk, "ETag: e\r\nContent-Length: 5\r\n", "value"))},
     .answer = "value"},
    {.what = "an empty ETag",
     .script = {Says(Raw(kOk, "ETag:\r\nContent-Length: 5\r\n", "value"))},
     .answer = "value"},
    {.what = "a weak ETag of 10 KB",
     .script = {Says(Raw(
         kOk, "ETag: W/\"" + std::string(10'000, 'e') + "\"\r\nContent-Length: 5\r\n", "value"))},
     .answer = "value"},
    {.what = "an answer of 204 to a get",
     .script = {Says(Raw("HTTP/1.1 204 X", kEtag))},
     .status = Code::kIo,
     .says = "204"},
    {.what = "a part of the value, though all of it was asked for",
     .script = {Says(Reply(206, "val", "Content-Range: bytes 0-2/5\r\n"))},
     .status = Code::kIo,
     .says = "206"},
    {.what = "a page in HTML",
     .script = {Says(Raw(kOk, "Content-Length: 13\r\n", "<html></html>"))},
     .status = Code::kIo,
     .says = "check the option endpoint"},
    {.what = "nothing, with 200",
     .script = {Says(Raw(kOk, "Content-Length: 0\r\n"))},
     .status = Code::kIo,
     .says = "check the option endpoint"},
};

TEST(MisbehavingHttpTest, StatusLinesAndHeaders) { ExpectOutcomes(kHeads); }

// ---- Silence, slowness, resets ----

Misbehaviour Silence(const char* what, ScriptedAnswer answer, Ask ask = Ask::kGet) {
  return {.what = what,
          .ask = ask,
          .script = {std::move(answer)},
          .status = Code::kTimeout,
          .says = "time is up",
          .requests = 0,
          .deadline_ms = 100};
}

const Misbehaviour kSilences[] = {
    Silence("nothing is said", Says("", Then::kHang)),
    Silence("nothing is even read", {.before_body = true, .then = Then::kStall}, Ask::kPutLarge),
    Silence("silence within the status line", Says("HTTP/1.", Then::kHang)),
    Silence("silence within the headers", Says("HTTP/1.1 200 OK\r\nETag: ", Then::kHang)),
    Silence("silence before the body", Says(Raw(kOk, Length("10")), Then::kHang)),
    Silence("silence within the body", Says(Raw(kOk, Length("10"), "half"), Then::kHang)),
    Silence("a header that comes a byte at a time", Says("HTTP/1.1 200 OK\r\nX-A: ", Then::kDrip)),
    Silence("a body that comes a byte at a time", Says(Raw(kOk, Length("9999")), Then::kDrip)),
    Silence("a list that comes a byte at a time",
            Says(Raw(kOk, Length("9999"), "<?xml version=\"1.0\"?>"), Then::kDrip), Ask::kScan),
    Silence("an interim answer, then silence", Says("HTTP/1.1 100 Continue\r\n\r\n", Then::kHang),
            Ask::kPut),
    {.what = "a transfer that stands still ends without a deadline, too",
     .script = {Says(Raw(kOk, Length("10")), Then::kHang)},
     .status = Code::kIo,
     .says = "the network failed",
     .deadline_ms = 60'000,
     .options = {{"stall_timeout", "1s"}}},
    {.what = "closed before anything was asked",
     .script = {{.then = Then::kClose, .at_connect = true}},
     .status = Code::kIo,
     .requests = 0},
    {.what = "reset before anything was asked",
     .script = {{.then = Then::kReset, .at_connect = true}},
     .status = Code::kIo,
     .requests = 0},
    {.what = "an answer before anything was asked, and no other",
     .script = {{.bytes = "220 mail.example ESMTP\r\n", .then = Then::kHang, .at_connect = true}},
     .status = Code::kIo,
     .requests = 0},
    {.what = "closed instead of an answer",
     .script = {Says("", Then::kClose)},
     .status = Code::kIo},
    {.what = "reset instead of an answer", .script = {Says("", Then::kReset)}, .status = Code::kIo},
    {.what = "reset within the headers",
     .script = {Says("HTTP/1.1 200 OK\r\nETag:", Then::kReset)},
     .status = Code::kIo},
    {.what = "reset while the body is sent",
     .ask = Ask::kPutLarge,
     .script = {{.before_body = true, .then = Then::kReset}},
     .status = Code::kIo},
    {.what = "reset three times, then the answer",
     .script = {Says("", Then::kReset), Says("", Then::kClose),
                Says("HTTP/1.1 200 OK\r\nETag:", Then::kReset), Says(Reply(200, "value"))},
     .answer = "value",
     .requests = 0,
     .options = {{"attempts", "6"}}},
};

TEST(MisbehavingHttpTest, SilenceSlownessResets) { ExpectOutcomes(kSilences); }

// ---- Ranges ----

Misbehaviour PartOf(const char* content_range, const char* body, Code status = Code::kIo,
                    const char* answer = "") {
  return {
      .what = std::string("Content-Range: ") + content_range + " with " + body,
      .ask = Ask::kRange,
      .script = {Says(Reply(206, body, std::string("Content-Range: ") + content_range + "\r\n"))},
      .status = status,
      .says = status == Code::kOk ? "" : "another range",
      .answer = answer};
}

const Misbehaviour kRanges[] = {
    PartOf("bytes 2-4/10", "234", Code::kOk, "234"),
    PartOf("bytes 2-3/4", "23", Code::kOk, "23"),
    PartOf("bytes 3-5/10", "345"),
    PartOf("bytes 2-4/10", "23"),
    PartOf("bytes 2-4/10", "2345"),
    PartOf("bytes 2-3/10", "23"),
    PartOf("bytes 2-9/10", "23456789"),
    PartOf("bytes 0-9/10", "0123456789"),
    PartOf("bytes 4-2/10", "234"),
    PartOf("bytes 2-4/3", "234"),
    PartOf("bytes 2-4/*", "234"),
    PartOf("bytes */10", "234"),
    PartOf("bytes 2-99999999999999999999/10", "234"),
    PartOf("octets 2-4/10", "234"),
    PartOf("", "234"),
    {.what = "206 without Content-Range",
     .ask = Ask::kRange,
     .script = {Says(Reply(206, "234"))},
     .status = Code::kIo,
     .says = "another range"},
    {.what = "parts in a body of several",
     .ask = Ask::kRange,
     .script = {Says(Reply(206, "--x\r\n\r\n234\r\n--x--",
                           "Content-Type: multipart/byteranges; boundary=x\r\n"))},
     .status = Code::kIo,
     .says = "another range"},
    {.what = "all of it instead",
     .ask = Ask::kRange,
     .script = {Says(Reply(200, "0123456789"))},
     .answer = "234"},
    {.what = "all of it instead, and the range is beyond",
     .ask = Ask::kRange,
     .script = {Says(Reply(200, "0"))},
     .answer = ""},
    {.what = "a range that cannot be, and so is the whole",
     .ask = Ask::kRange,
     .script = {Says(Reply(416, ErrorBody("InvalidRange"))),
                Says(Raw("HTTP/1.1 416 X", Length("0")))},
     .status = Code::kInvalid,
     .requests = 2},
};

TEST(MisbehavingHttpTest, Ranges) { ExpectOutcomes(kRanges); }

}  // namespace
}  // namespace chainstore::s3::misbehaving_http_test
