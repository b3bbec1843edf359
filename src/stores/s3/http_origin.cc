#include "stores/s3/http_origin.h"

namespace chainstore::s3 {
namespace {

// A bucket's own, and those of the regions and hosts that redirects have led to.
constexpr size_t kMostOrigins = 16;

}  // namespace

HttpOrigins::~HttpOrigins() {
  for (const Known& known : known_) curl_url_cleanup(known.parts);
}

CURLU* HttpOrigins::Find(const std::string& url) {
  const Bytes target = TargetOfUrl(url);
  if (target.empty()) return nullptr;
  const Bytes text = Bytes(url).substr(0, url.size() - target.size());
  for (const Known& known : known_) {
    if (known.text == text) return known.parts;
  }
  if (known_.size() == kMostOrigins) return nullptr;
  known_.push_back({std::string(text), curl_url()});
  Known& added = known_.back();
  if (added.parts && curl_url_set(added.parts, CURLUPART_URL, added.text.c_str(), 0) == CURLUE_OK) {
    return added.parts;
  }
  curl_url_cleanup(added.parts);
  known_.pop_back();
  return nullptr;  // curl says what is wrong with it when it gets the URL
}

Bytes TargetOfUrl(Bytes url) noexcept {
  const size_t scheme = url.find("://");
  const size_t path = scheme == Bytes::npos ? scheme : url.find('/', scheme + 3);
  return path == Bytes::npos ? Bytes() : url.substr(path);
}

}  // namespace chainstore::s3
