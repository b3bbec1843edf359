#include "stores/s3/uri.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/ascii.h"

namespace chainstore::s3 {
namespace {

bool IsUnreserved(unsigned char byte) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' || byte == '~';
}

std::string Encode(Bytes text, bool keep_slash) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsUnreserved(byte) || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  return out;
}

}  // namespace

std::string EncodePath(Bytes path) { return Encode(path, true); }
std::string EncodeQueryPart(Bytes part) { return Encode(part, false); }

bool DecodeUrl(Bytes text, std::string* decoded) {
  decoded->clear();
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      decoded->push_back(' ');
    } else if (text[at] != '%') {
      decoded->push_back(text[at]);
    } else {
      if (text.size() - at < 3) return false;
      const int high = HexDigit(text[at + 1]), low = HexDigit(text[at + 2]);
      if (high < 0 || low < 0) return false;
      decoded->push_back(static_cast<char>(high << 4 | low));
      at += 2;
    }
  }
  return true;
}

std::string EncodeQuery(const Query& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) {
    encoded.emplace_back(EncodeQueryPart(name), EncodeQueryPart(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string Endpoint::Authority() const {
  return port == 0 ? host : host + ":" + std::to_string(port);
}

std::string Endpoint::Origin() const { return (https ? "https://" : "http://") + Authority(); }

bool Endpoint::IsAddress() const {
  in_addr four;
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), &four) == 1;
}

namespace {

Failure WrongEndpoint(Bytes text, const char* what) {
  Failure failure(Code::kInvalid, "the endpoint '" + std::string(text) + "' " + what);
  failure.Hint("an endpoint is http://HOST:PORT or https://HOST");
  return failure;
}

bool IsHostByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

}  // namespace

Result<Endpoint> ParseEndpoint(Bytes text) {
  Endpoint endpoint;
  Bytes rest = text;
  if (rest.starts_with("http://")) {
    endpoint.https = false;
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return WrongEndpoint(text, "does not begin with http:// or https://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != Bytes::npos) return WrongEndpoint(text, "has a path");
  // Not shown: what stands before the @ may be a password.
  if (rest.find('@') != Bytes::npos) return WrongEndpoint("...@...", "has a user in it");
  size_t host_size = rest.find(':');
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    in6_addr six;
    if (end == Bytes::npos ||
        inet_pton(AF_INET6, std::string(rest.substr(1, end - 1)).c_str(), &six) != 1) {
      return WrongEndpoint(text, "has no IPv6 address in its brackets");
    }
    host_size = end + 1;
  }
  host_size = std::min(host_size, rest.size());
  endpoint.host = LowerCase(rest.substr(0, host_size));
  rest.remove_prefix(host_size);
  if (!endpoint.host.starts_with('[') &&
      (endpoint.host.empty() ||
       !std::all_of(endpoint.host.begin(), endpoint.host.end(), IsHostByte))) {
    return WrongEndpoint(text, "has no host name");
  }
  if (!rest.empty()) {
    unsigned port = 0;
    const char* const end = rest.data() + rest.size();
    const auto [stopped, error] = std::from_chars(rest.data() + 1, end, port);
    if (rest[0] != ':' || error != std::errc() || stopped != end || port == 0 || port > 65535) {
      return WrongEndpoint(text, "has no port between 1 and 65535");
    }
    if (port != (endpoint.https ? 443u : 80u)) endpoint.port = static_cast<uint16_t>(port);
  }
  return endpoint;
}

Result<Endpoint> EndpointOfUrl(Bytes url) {
  const size_t scheme = url.find("://");
  const size_t end = scheme == Bytes::npos ? scheme : url.find_first_of("/?#", scheme + 3);
  return ParseEndpoint(url.substr(0, end));
}

bool MayRedirect(const Endpoint& from, const Endpoint& to) {
  if (from.https && !to.https) return false;
  if (from.host == to.host) return true;
  if (from.IsAddress() || to.IsAddress()) return false;
  const auto domain = [](const std::string& host) -> Bytes {
    const size_t last = host.rfind('.');
    if (last == std::string::npos || last == 0) return {};
    const size_t second = host.rfind('.', last - 1);
    return Bytes(host).substr(second == std::string::npos ? 0 : second + 1);
  };
  return !domain(from.host).empty() && domain(from.host) == domain(to.host);
}

bool IsHostLabel(Bytes bucket) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  if (bucket.front() == '-' || bucket.back() == '-') return false;
  return std::all_of(bucket.begin(), bucket.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace chainstore::s3
