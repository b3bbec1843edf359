// BareCurl: what figures 21 and 23 are measured against: libcurl's multi interface alone, with
// connections that are used again, and nothing signed, checked or kept.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class BareCurl {
 public:
  // So many transfers at once; `put`: each sends these bytes; `ca_file`: who is trusted.
  BareCurl(const std::string& url, size_t in_flight, const std::string* put = nullptr,
           const std::string& ca_file = "");
  ~BareCurl();
  BareCurl(const BareCurl&) = delete;
  BareCurl& operator=(const BareCurl&) = delete;
  void Run(uint64_t count);

 private:
  struct Transfer {
    CURL* easy = nullptr;
    std::string got;
    const std::string* put = nullptr;
    size_t sent = 0;
  };
  static size_t Write(char* bytes, size_t, size_t size, void* transfer);
  static size_t Read(char* bytes, size_t, size_t size, void* transfer);
  void Start(Transfer* transfer);

  CURLM* const multi_;
  curl_slist* headers_ = nullptr;
  std::vector<std::unique_ptr<Transfer>> transfers_;
};

}  // namespace bench
