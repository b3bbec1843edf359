// S3Settings: what the options of an S3 store say, checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/option.h"
#include "stores/s3/http.h"
#include "stores/s3/s3_meters.h"
#include "stores/s3/s3_options.h"
#include "stores/s3/secret.h"
#include "stores/s3/sigv4.h"
#include "stores/s3/uri.h"

namespace chainstore::s3 {

class CredentialProvider;

struct S3Settings {
  std::string bucket;
  std::string prefix;
  std::string region;  // never empty; may turn out wrong and be corrected by the server
  bool custom_endpoint = false;
  Endpoint endpoint;  // of a custom one; AWS's follows from the region
  bool virtual_host = false;
  std::string credentials;                              // which provider
  std::string profile;                                  // of the profile files; empty: the default
  std::shared_ptr<CredentialProvider> own_credentials;  // in place of them all; null: none
  std::string access_key;
  Secret secret_key;
  Secret session_token;
  bool signed_payload = true;  // else UNSIGNED-PAYLOAD with a checksum
  enum class Checksum : uint8_t { kCrc32c, kMd5, kNone } checksum = Checksum::kCrc32c;
  enum class Conditional : uint8_t { kTrust, kProbe, kOff } conditional = Conditional::kTrust;
  Headers request_headers;  // of every request: requester pays, bucket owner
  Headers put_headers;      // of every put: ACL, storage class, encryption, ...
  Headers read_headers;     // of get, stat and put: the customer's key
  bool ttl = true;
  bool verify = true;
  uint64_t max_value_size = 0;
  uint64_t multipart_threshold = 0;
  uint64_t part_size = 0;
  uint32_t part_concurrency = 4;
  std::string upload_notes;  // a directory; empty: none are written
  int attempts = 3;
  uint32_t concurrency = 16;
  Prices prices;
  HttpSettings http;

  // The options against kS3Options and the rules between them; the environment where they are
  // silent. `bucket` is not null.
  static Result<S3Settings> Make(Bytes bucket, const Options* options);
  // Null changes nothing. kInvalid: the options name other credentials.
  Status UseOwnCredentials(std::shared_ptr<CredentialProvider> own);
  // What names the store: "s3:BUCKET/PREFIX".
  std::string StoreName() const;
  // Where requests for the bucket go, and the path before the key: "/BUCKET/" or "/".
  Endpoint HostOf(const std::string& in_region) const;
  std::string BasePath() const;
  // What tells this bucket from all others: "https://host/bucket".
  std::string BucketUrl() const;
};

}  // namespace chainstore::s3
