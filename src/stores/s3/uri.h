// Uri: S3's own percent-encoding, queries, and where a server is. A path is encoded exactly once
// and never normalised, so that the path on the wire is the path that was signed.
// Thread safety: functions of their arguments.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace chainstore::s3 {

// Every byte but A-Z a-z 0-9 - _ . ~ (and '/' in a path) becomes %XX, in upper case.
std::string EncodePath(Bytes path);
std::string EncodeQueryPart(Bytes part);
// '%XX' back to bytes, and '+' to a space (which is what S3 does in lists with encoding-type=url).
// False: a '%' without two digits.
bool DecodeUrl(Bytes text, std::string* decoded);

// Name and value, not encoded yet.
using Query = std::vector<std::pair<std::string, std::string>>;
// Encoded, then sorted by name and value; a name alone is "name=". Canonical, and what is sent.
std::string EncodeQuery(const Query& query);

// Where a server is: scheme, host and port, without a path.
struct Endpoint {
  bool https = true;
  std::string host;   // lower case; an IPv6 address in its brackets
  uint16_t port = 0;  // 0: the scheme's own

  // "host" or "host:port", as the Host header has it.
  std::string Authority() const;
  std::string Origin() const;  // "https://host:port"
  bool IsAddress() const;      // of either family: has no subdomains
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "http://host:port" and "https://host"; anything behind the port but one '/' is refused, as are
// a user, a query and other schemes.
Result<Endpoint> ParseEndpoint(Bytes text);

// Where a URL leads: its scheme, host and port, whatever is behind them.
Result<Endpoint> EndpointOfUrl(Bytes url);

// Whether a redirect from `from` may be followed to `to`: the same host or another one of its
// domain (its last two labels), and never from https to http.
bool MayRedirect(const Endpoint& from, const Endpoint& to);

// A bucket name that can be the first label of a host name: lower case, no dots, 3 to 63 bytes.
bool IsHostLabel(Bytes bucket);

}  // namespace chainstore::s3
