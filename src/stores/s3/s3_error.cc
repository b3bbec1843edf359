#include "stores/s3/s3_error.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace chainstore::s3 {
namespace {

struct Known {
  const char* code;
  Code status;
  Retry retry;
};

// What differs from the rule of the HTTP status (see RetryOf, CodeOf), or comes without a status of
// its own: inside a 200, in the answer to DeleteObjects.
constexpr Known kKnown[] = {
    {"NoSuchKey", Code::kNotFound, Retry::kNever},
    {"NoSuchBucket", Code::kInvalid, Retry::kNever},
    {"NoSuchUpload", Code::kIo, Retry::kNever},
    {"InvalidBucketName", Code::kInvalid, Retry::kNever},
    {"KeyTooLongError", Code::kInvalid, Retry::kNever},
    {"EntityTooLarge", Code::kTooLarge, Retry::kNever},
    {"QuotaExceeded", Code::kNoSpace, Retry::kNever},
    {"InvalidObjectState", Code::kUnsupported, Retry::kNever},
    {"NotImplemented", Code::kUnsupported, Retry::kNever},
    // Of servers that keep objects as files: "a" stands in the way of "a/b", and the other way
    // round.
    {"ObjectParentIsFile", Code::kUnsupported, Retry::kNever},
    {"ExistingObjectIsDirectory", Code::kUnsupported, Retry::kNever},
    {"PreconditionFailed", Code::kExists, Retry::kNever},
    {"ConditionalRequestConflict", Code::kBusy, Retry::kFault},
    {"BadDigest", Code::kCorrupt, Retry::kNever},
    {"XAmzContentSHA256Mismatch", Code::kCorrupt, Retry::kNever},
    {"RequestTimeout", Code::kIo, Retry::kFault},
    {"InternalError", Code::kIo, Retry::kFault},
    {"ServiceUnavailable", Code::kBusy, Retry::kThrottle},
    {"AccessDenied", Code::kDenied, Retry::kNever},
    {"AllAccessDisabled", Code::kDenied, Retry::kNever},
    {"InvalidAccessKeyId", Code::kDenied, Retry::kNever},
    {"SignatureDoesNotMatch", Code::kDenied, Retry::kNever},
    {"RequestTimeTooSkewed", Code::kDenied, Retry::kNever},
    {"ExpiredToken", Code::kDenied, Retry::kNever},
    {"TokenRefreshRequired", Code::kDenied, Retry::kNever},
};

const Known* Find(const std::string& code) noexcept {
  const auto* const end = std::end(kKnown);
  const auto* const found =
      std::find_if(std::begin(kKnown), end, [&](const Known& each) { return code == each.code; });
  return found == end ? nullptr : found;
}

bool IsThrottle(const std::string& code) noexcept {
  return code.starts_with("SlowDown") || code.starts_with("Throttl") ||
         code == "RequestLimitExceeded" || code == "BandwidthLimitExceeded";
}

// For answers without a document: to a HEAD, or from a proxy.
const char* CodeOfStatus(int status) noexcept {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return "PermanentRedirect";
    case 403:
      return "AccessDenied";
    case 404:
      return "NotFound";
    case 412:
      return "PreconditionFailed";
    case 416:
      return "InvalidRange";
    default:
      return "";
  }
}

}  // namespace

std::string OneLine(Bytes text) {
  constexpr size_t kMost = 300;
  std::string line;
  for (const char c : text.substr(0, kMost)) {
    line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  return line;
}

void ReadErrorDocument(const XmlNode& root, ErrorReply* error) {
  error->has_document = true;
  if (!root.Text("Code").empty()) error->code = OneLine(root.Text("Code"));
  error->message = OneLine(root.Text("Message"));
  if (!root.Text("RequestId").empty()) error->request_id = OneLine(root.Text("RequestId"));
  if (error->region.empty()) error->region = OneLine(root.Text("Region"));
}

ErrorReply ReadErrorReply(const HttpReply& reply) {
  ErrorReply error;
  error.http_status = reply.status;
  if (const std::string* id = reply.Find("x-amz-request-id")) error.request_id = OneLine(*id);
  if (const std::string* region = reply.Find("x-amz-bucket-region")) {
    error.region = OneLine(*region);
  }
  if (const std::string* location = reply.Find("location")) error.location = *location;
  error.code = CodeOfStatus(reply.status);
  std::string why;
  if (reply.body && reply.body->size() != 0) {
    const auto root = ParseXml(reply.body->bytes(), &why);
    if (root && root->name == "Error") ReadErrorDocument(*root, &error);
  }
  return error;
}

Retry RetryOf(const ErrorReply& error) noexcept {
  if (IsThrottle(error.code)) return Retry::kThrottle;
  if (const Known* known = Find(error.code); known && error.has_document) return known->retry;
  switch (error.http_status) {
    case 408:
    case 500:
    case 502:
    case 504:
      return Retry::kFault;
    case 429:
    case 503:
    case 509:
      return Retry::kThrottle;
    default:
      return Retry::kNever;
  }
}

bool IsSkew(const ErrorReply& error) noexcept {
  return error.code == "RequestTimeTooSkewed" || error.code == "RequestExpired";
}

bool IsExpiredCredential(const ErrorReply& error) noexcept {
  return error.code == "ExpiredToken" || error.code == "TokenRefreshRequired";
}

bool IsRedirect(const ErrorReply& error) noexcept {
  if (error.http_status == 301 || error.http_status == 302 || error.http_status == 307 ||
      error.http_status == 308) {
    return true;
  }
  // The signature names a region; a wrong one is answered so, with the right one (to a HEAD: in a
  // header, and without a word).
  const bool says_so = error.code == "AuthorizationHeaderMalformed" ||
                       (error.http_status == 400 && !error.has_document);
  return says_so && !error.region.empty();
}

Code CodeOf(const ErrorReply& error) noexcept {
  if (IsThrottle(error.code)) return Code::kBusy;
  if (const Known* known = Find(error.code)) return known->status;
  const int status = error.http_status;
  if (IsRedirect(error)) return Code::kInvalid;
  if (status == 401 || status == 403) return Code::kDenied;
  if (status == 404) return Code::kNotFound;
  if (status == 408) return Code::kIo;  // the request came too slowly
  if (status == 409) return Code::kBusy;
  if (status == 412) return Code::kExists;
  if (status == 413) return Code::kTooLarge;
  if (status == 429 || status == 503 || status == 509) return Code::kBusy;
  if (status == 501) return Code::kUnsupported;
  if (status == 507) return Code::kNoSpace;
  if (status >= 400 && status < 500) return Code::kInvalid;
  return Code::kIo;
}

std::string HintOf(const ErrorReply& error, const std::string& action, const std::string& bucket,
                   int64_t skew_seconds) {
  if (error.code == "AccessDenied") {
    return "the key may lack " + action + " on bucket " + bucket;
  }
  if (error.code == "NoSuchBucket") return "make the bucket, or check its name and the endpoint";
  if (error.code == "InvalidAccessKeyId") return "the server does not know this access_key";
  if (error.code == "SignatureDoesNotMatch") return "the secret_key is not that of the access_key";
  if (IsSkew(error) && skew_seconds != 0) {
    return "this machine's clock is " + std::to_string((std::abs(skew_seconds) + 30) / 60) +
           " min " + (skew_seconds > 0 ? "behind" : "ahead of") + " the server's";
  }
  if (IsExpiredCredential(error)) return "get new temporary keys";
  if (IsRedirect(error)) {
    return error.region.empty() ? "the bucket is elsewhere: set the options region and endpoint"
                                : "wrong region: the bucket is in " + error.region;
  }
  if (error.code == "AuthorizationHeaderMalformed") return "check the option region";
  if (error.code == "InvalidObjectState") return "the object is archived: restore it first";
  return "";
}

}  // namespace chainstore::s3
