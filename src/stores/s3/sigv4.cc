#include "stores/s3/sigv4.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace chainstore::s3 {
namespace {

constexpr Bytes kAlgorithm = "AWS4-HMAC-SHA256";

// Trimmed, and runs of spaces inside made one.
void AppendCanonicalValue(Bytes value, std::string* out) {
  const size_t begin = value.find_first_not_of(" \t");
  if (begin == Bytes::npos) return;
  value = value.substr(begin, value.find_last_not_of(" \t") - begin + 1);
  bool space = false;
  for (const char c : value) {
    if (c == ' ' && space) continue;
    space = c == ' ';
    out->push_back(c);
  }
}

std::vector<const std::pair<std::string, std::string>*> Sorted(const Headers& headers) {
  std::vector<const std::pair<std::string, std::string>*> sorted;
  sorted.reserve(headers.size());
  for (const auto& header : headers) sorted.push_back(&header);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->first < b->first; });
  return sorted;
}

}  // namespace

SigningTime::SigningTime(int64_t wall_ms) noexcept {
  const auto seconds = static_cast<time_t>(wall_ms / 1000);
  tm parts;
  gmtime_r(&seconds, &parts);
  strftime(text_, sizeof(text_), "%Y%m%dT%H%M%SZ", &parts);
}

std::string Scope::Text() const {
  std::string text(time.day());
  text.append("/").append(region).append("/").append(service).append("/aws4_request");
  return text;
}

bool IsSigned(Bytes header) {
  return header == "host" || header == "content-md5" || header == "content-type" ||
         header.starts_with("x-amz-");
}

bool IsHeaderValue(Bytes value) { return value.find_first_of(Bytes("\r\n\0", 3)) == Bytes::npos; }

std::string SignedHeaderNames(const Headers& headers) {
  std::string names;
  Bytes last;
  for (const auto* header : Sorted(headers)) {
    if (header->first == last) continue;
    if (!names.empty()) names += ';';
    names += last = header->first;
  }
  return names;
}

std::string CanonicalRequest(const ToSign& request) {
  std::string text;
  size_t size = 512 + request.path.size() + request.query.size();
  for (const auto& [name, value] : *request.headers) size += 2 * name.size() + value.size();
  text.reserve(size);  // all of it: what grows leaves copies of secrets behind
  text.append(request.method).append("\n").append(request.path).append("\n");
  text.append(request.query).append("\n");
  Bytes last;
  for (const auto* header : Sorted(*request.headers)) {
    if (header->first == last && !last.empty()) {
      text.back() = ',';  // a header given twice is one with both values
    } else {
      text.append(header->first).append(":");
    }
    AppendCanonicalValue(header->second, &text);
    text += '\n';
    last = header->first;
  }
  text.append("\n").append(SignedHeaderNames(*request.headers)).append("\n");
  text.append(request.payload_hash);
  return text;
}

std::string StringToSign(const Scope& scope, Bytes canonical_request) {
  std::string text(kAlgorithm);
  text.append("\n").append(scope.time.stamp()).append("\n").append(scope.Text()).append("\n");
  text.append(Hex(AsBytes(Sha256(canonical_request))));
  return text;
}

HmacSha256 SigningKeys::Get(const Secret& secret, const Scope& scope) {
  std::string text = scope.Text();
  MutexLock lock(mutex_);
  for (const Kept& kept : kept_) {
    if (kept.scope == text && kept.secret.Reveal() == secret.Reveal()) return kept.key;
  }
  const Secret first(std::string("AWS4").append(secret.Reveal()));
  Sha256Digest key = HmacSha256(first.Reveal()).Of(scope.time.day());
  for (const Bytes part : {Bytes(scope.region), Bytes(scope.service), Bytes("aws4_request")}) {
    key = HmacSha256(AsBytes(key)).Of(part);
  }
  Kept kept{secret, std::move(text), HmacSha256(AsBytes(key))};
  OPENSSL_cleanse(key.data(), key.size());
  const HmacSha256 made = kept.key;
  if (kept_.size() < kKept) {
    kept_.push_back(std::move(kept));
  } else {
    kept_[next_] = std::move(kept);
    next_ = (next_ + 1) % kKept;
  }
  return made;
}

std::string Signature(const HmacSha256& signing_key, Bytes string_to_sign) {
  return Hex(AsBytes(signing_key.Of(string_to_sign)));
}

std::string Authorization(SigningKeys& keys, Bytes access_key, const Secret& secret,
                          const Scope& scope, const ToSign& request) {
  std::string canonical = CanonicalRequest(request);
  const std::string to_sign = StringToSign(scope, canonical);
  OPENSSL_cleanse(canonical.data(), canonical.size());
  std::string text(kAlgorithm);
  text.append(" Credential=").append(access_key).append("/").append(scope.Text());
  text.append(",SignedHeaders=").append(SignedHeaderNames(*request.headers));
  text.append(",Signature=").append(Signature(keys.Get(secret, scope), to_sign));
  return text;
}

std::string PresignedQuery(SigningKeys& keys, Bytes access_key, const Secret& secret,
                           const Secret& session_token, const Scope& scope, Bytes method,
                           Bytes path, Query query, const Headers& headers,
                           int64_t expires_seconds) {
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", std::string(access_key) + "/" + scope.Text());
  query.emplace_back("X-Amz-Date", scope.time.stamp());
  query.emplace_back("X-Amz-Expires", std::to_string(expires_seconds));
  query.emplace_back("X-Amz-SignedHeaders", SignedHeaderNames(headers));
  if (!session_token.empty()) query.emplace_back("X-Amz-Security-Token", session_token.Reveal());
  std::string text = EncodeQuery(query);
  const std::string canonical = CanonicalRequest({method, path, text, &headers, kUnsignedPayload});
  text.append("&X-Amz-Signature=");
  text.append(Signature(keys.Get(secret, scope), StringToSign(scope, canonical)));
  return text;
}

}  // namespace chainstore::s3
