#include "stores/s3/sigv4.h"

#include <algorithm>
#include <chrono>

namespace chainstore::s3 {
namespace {

constexpr Bytes kAlgorithm = "AWS4-HMAC-SHA256";

// Trimmed, and runs of spaces inside made one.
void AppendCanonicalValue(Bytes value, std::string* out) {
  const size_t begin = value.find_first_not_of(" \t");
  if (begin == Bytes::npos) return;
  value = value.substr(begin, value.find_last_not_of(" \t") - begin + 1);
  for (size_t run = value.find("  "); run != Bytes::npos; run = value.find("  ")) {
    out->append(value.substr(0, run + 1));
    value.remove_prefix(std::min(value.find_first_not_of(' ', run), value.size()));
  }
  out->append(value);
}

using SortedHeaders = std::vector<const std::pair<std::string, std::string>*>;

SortedHeaders Sorted(const Headers& headers) {
  SortedHeaders sorted;
  sorted.reserve(headers.size());
  // By insertion: they are a few, most of them in order, and equal names stay so.
  for (const auto& header : headers) {
    auto at = sorted.end();
    while (at != sorted.begin() && header.first < (*(at - 1))->first) --at;
    sorted.insert(at, &header);
  }
  return sorted;
}

std::string NamesOf(const SortedHeaders& sorted) {
  std::string names;
  size_t size = 0;
  for (const auto* header : sorted) size += header->first.size() + 1;
  names.reserve(size);
  Bytes last;
  for (const auto* header : sorted) {
    if (header->first == last) continue;
    if (!names.empty()) names += ';';
    names += last = header->first;
  }
  return names;
}

std::string CanonicalOf(const ToSign& request, const SortedHeaders& sorted, Bytes names) {
  std::string text;
  size_t size = 16 + request.method.size() + request.path.size() + request.query.size() +
                names.size() + request.payload_hash.size();
  for (const auto* header : sorted) size += header->first.size() + header->second.size() + 2;
  text.reserve(size);  // all of it: what grows leaves copies of secrets behind
  text.append(request.method).append("\n").append(request.path).append("\n");
  text.append(request.query).append("\n");
  Bytes last;
  for (const auto* header : sorted) {
    if (header->first == last && !last.empty()) {
      text.back() = ',';  // a header given twice is one with both values
    } else {
      text.append(header->first).append(":");
    }
    AppendCanonicalValue(header->second, &text);
    text += '\n';
    last = header->first;
  }
  return text.append("\n").append(names).append("\n").append(request.payload_hash);
}

}  // namespace

// By hand: the C library would look at its locale and time zone for each of them.
SigningTime::SigningTime(int64_t wall_ms) noexcept {
  using std::chrono::days, std::chrono::milliseconds, std::chrono::seconds;
  const std::chrono::sys_time<milliseconds> time{milliseconds(wall_ms)};
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(midnight);
  const auto second = static_cast<unsigned>(std::chrono::floor<seconds>(time - midnight).count());
  char* at = text_;
  const auto put = [&at](unsigned number, int digits) {
    for (int digit = digits; digit-- > 0; number /= 10) {
      at[digit] = static_cast<char>('0' + number % 10);
    }
    at += digits;
  };
  put(static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(static_cast<unsigned>(date.month()), 2);
  put(static_cast<unsigned>(date.day()), 2);
  *at++ = 'T';
  put(second / 3600, 2);
  put(second / 60 % 60, 2);
  put(second % 60, 2);
  *at = 'Z';
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

std::string SignedHeaderNames(const Headers& headers) { return NamesOf(Sorted(headers)); }

std::string CanonicalRequest(const ToSign& request) {
  const SortedHeaders sorted = Sorted(*request.headers);
  return CanonicalOf(request, sorted, NamesOf(sorted));
}

std::string StringToSign(const Scope& scope, Bytes canonical_request) {
  std::string text;
  text.reserve(160 + scope.region.size());
  text.append(kAlgorithm);
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
  const SortedHeaders sorted = Sorted(*request.headers);
  const std::string names = NamesOf(sorted);
  std::string canonical = CanonicalOf(request, sorted, names);
  const std::string to_sign = StringToSign(scope, canonical);
  OPENSSL_cleanse(canonical.data(), canonical.size());
  std::string text;
  text.reserve(192 + access_key.size() + scope.region.size() + names.size());
  text.append(kAlgorithm);
  text.append(" Credential=").append(access_key).append("/").append(scope.Text());
  text.append(",SignedHeaders=").append(names);
  return text.append(",Signature=").append(Signature(keys.Get(secret, scope), to_sign));
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
