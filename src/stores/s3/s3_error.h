// What a server's refusal means: its Error document, whether to try again, the status and the way
// out that the caller is told.
// Thread safety: functions of their arguments.
#pragma once

#include <string>

#include "base/status.h"
#include "stores/s3/http.h"
#include "stores/s3/retry.h"
#include "stores/s3/xml.h"

namespace chainstore::s3 {

struct ErrorReply {
  int http_status = 0;
  std::string code;     // "NoSuchKey"; made up from the status where there is none
  std::string message;  // one line
  std::string request_id;
  std::string region;    // where the bucket is, if the server says so
  std::string location;  // of a redirect, as it stands
  bool has_document = false;
};

// Of an answer that is not 2xx, or of an Error document in one that is.
ErrorReply ReadErrorReply(const HttpReply& reply);
void ReadErrorDocument(const XmlNode& root, ErrorReply* error);

Retry RetryOf(const ErrorReply& error) noexcept;
bool IsSkew(const ErrorReply& error) noexcept;
bool IsExpiredCredential(const ErrorReply& error) noexcept;
// The bucket is elsewhere, or the signature was made for another region.
bool IsRedirect(const ErrorReply& error) noexcept;

Code CodeOf(const ErrorReply& error) noexcept;
// What the caller can do; empty: nothing that is known. `action` is "s3:PutObject".
std::string HintOf(const ErrorReply& error, const std::string& action, const std::string& bucket,
                   int64_t skew_seconds);

// Server text for a message: one line of printable characters, at most 300.
std::string OneLine(Bytes text);

}  // namespace chainstore::s3
