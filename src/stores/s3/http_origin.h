// HttpOrigins: where the requests of a pool go (scheme, host, port), each taken apart by libcurl
// once. What differs from request to request is the target alone, which goes out byte by byte as it
// stands.
// Thread safety: none.
#pragma once

#include <curl/curl.h>

#include <string>
#include <vector>

#include "base/bytes.h"

namespace chainstore::s3 {

class HttpOrigins {
 public:
  HttpOrigins() = default;
  ~HttpOrigins();
  HttpOrigins(const HttpOrigins&) = delete;
  HttpOrigins& operator=(const HttpOrigins&) = delete;

  // The origin of a URL, for CURLOPT_CURLU; it lives as long as this. Null: there is no such, or
  // servers have led to too many.
  CURLU* Find(const std::string& url);

 private:
  struct Known {
    std::string text;
    CURLU* parts;
  };
  std::vector<Known> known_;
};

// What follows the origin in a URL: its path and query.
Bytes TargetOfUrl(Bytes url) noexcept;

}  // namespace chainstore::s3
