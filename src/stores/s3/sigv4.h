// SigV4: AWS Signature Version 4 for S3, by hand (the S3 API reference, "Authenticating requests").
// The canonical path and query are the very bytes that go on the wire.
// Thread safety: any thread; the cache of signing keys has a lock of its own.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "stores/s3/digest.h"
#include "stores/s3/secret.h"
#include "stores/s3/uri.h"

namespace chainstore::s3 {

inline constexpr Bytes kUnsignedPayload = "UNSIGNED-PAYLOAD";
// Of no bytes at all.
inline constexpr Bytes kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// Names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;

// A moment as signatures want it: "20130524T000000Z"; the first 8 characters are its day.
class SigningTime {
 public:
  explicit SigningTime(int64_t wall_ms) noexcept;
  Bytes stamp() const noexcept { return Bytes(text_, 16); }
  Bytes day() const noexcept { return Bytes(text_, 8); }

 private:
  char text_[17];
};

// Where and when a signature counts.
struct Scope {
  SigningTime time;
  std::string region;
  std::string service = "s3";
  // "20130524/us-east-1/s3/aws4_request"
  std::string Text() const;
};

struct ToSign {
  Bytes method;
  Bytes path;              // encoded
  Bytes query;             // EncodeQuery's
  const Headers* headers;  // all of them are signed
  Bytes payload_hash;      // hex, or kUnsignedPayload
};

// Header names that are signed: host, content-md5, content-type and all x-amz-*. What a proxy may
// change on its way (user-agent, expect, accept-encoding, connection) is not.
bool IsSigned(Bytes header);
// A header value with CR, LF or NUL would end the header.
bool IsHeaderValue(Bytes value);

std::string CanonicalRequest(const ToSign& request);
std::string SignedHeaderNames(const Headers& headers);  // "host;x-amz-date"
std::string StringToSign(const Scope& scope, Bytes canonical_request);

// Signing keys, which change with secret, day, region and service: each is four hashes.
class SigningKeys {
 public:
  HmacSha256 Get(const Secret& secret, const Scope& scope) CS_EXCLUDES(mutex_);

 private:
  struct Kept {
    Secret secret;
    std::string scope;
    HmacSha256 key{Bytes()};
  };
  static constexpr size_t kKept = 8;  // a few regions, a credential that rotates, two days
  Mutex mutex_;
  std::vector<Kept> kept_ CS_GUARDED_BY(mutex_);
  size_t next_ CS_GUARDED_BY(mutex_) = 0;
};

std::string Signature(const HmacSha256& signing_key, Bytes string_to_sign);

// The value of the Authorization header.
std::string Authorization(SigningKeys& keys, Bytes access_key, const Secret& secret,
                          const Scope& scope, const ToSign& request);

// The query of a pre-signed URL: `query` and what the signature adds. Expires after 1 s to 7 days.
inline constexpr int64_t kMaxPresignSeconds = 7 * 24 * 3600;
std::string PresignedQuery(SigningKeys& keys, Bytes access_key, const Secret& secret,
                           const Secret& session_token, const Scope& scope, Bytes method,
                           Bytes path, Query query, const Headers& headers,
                           int64_t expires_seconds);

}  // namespace chainstore::s3
