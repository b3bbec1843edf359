#include "stores/s3/object_meta.h"

#include <charconv>

#include "stores/s3/digest.h"

namespace chainstore::s3 {
namespace {

template <class Number>
bool ParseNumber(Bytes text, Number* number, int base = 10) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, *number, base);
  return error == std::errc() && stopped == end;
}

}  // namespace

uint64_t VersionOfEtag(Bytes etag) noexcept {
  return etag.empty() ? 0 : HashBytes(etag) | 1;  // 0 would be "not known"
}

ObjectMeta ObjectMeta::Read(const Headers& headers) {
  ObjectMeta out;
  for (const auto& [name, value] : headers) {
    if (name == "etag") {
      out.etag = value;
      out.meta.version = VersionOfEtag(value);
    } else if (name == "x-amz-meta-cs-crc32c") {
      out.has_crc = value.size() == 8 && ParseNumber(value, &out.crc32c, 16);
    } else if (name == "x-amz-meta-cs-expires") {
      int64_t expires = 0;
      if (ParseNumber(value, &expires) && expires > 0) out.meta.expires_at_ms = expires;
    } else if (name == "x-amz-meta-cs-key") {
      if (!Unbase64(value, &out.key)) out.key.clear();
    } else if (name == "x-amz-meta-cs-write") {
      out.write_id = value;
    }
  }
  return out;
}

void AppendMeta(Headers* headers, uint32_t crc32c, int64_t expires_at_ms, Bytes digest_key,
                Bytes write_id) {
  const char crc[4] = {static_cast<char>(crc32c >> 24), static_cast<char>(crc32c >> 16),
                       static_cast<char>(crc32c >> 8), static_cast<char>(crc32c)};
  headers->emplace_back("x-amz-meta-cs-crc32c", Hex(Bytes(crc, sizeof(crc))));
  if (expires_at_ms != 0) {
    headers->emplace_back("x-amz-meta-cs-expires", std::to_string(expires_at_ms));
  }
  if (!digest_key.empty()) headers->emplace_back("x-amz-meta-cs-key", Base64(digest_key));
  if (!write_id.empty()) headers->emplace_back("x-amz-meta-cs-write", write_id);
}

bool ParseContentRange(Bytes text, ContentRange* range) noexcept {
  if (!text.starts_with("bytes ")) return false;
  text.remove_prefix(6);
  const size_t slash = text.find('/');
  if (slash == Bytes::npos || !ParseNumber(text.substr(slash + 1), &range->total)) return false;
  const Bytes part = text.substr(0, slash);
  range->unsatisfied = part == "*";
  if (range->unsatisfied) return true;
  const size_t dash = part.find('-');
  return dash != Bytes::npos && ParseNumber(part.substr(0, dash), &range->first) &&
         ParseNumber(part.substr(dash + 1), &range->last) && range->first <= range->last &&
         range->last < range->total;
}

}  // namespace chainstore::s3
