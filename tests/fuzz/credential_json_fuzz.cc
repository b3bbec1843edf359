// JSON that is said to be credentials, and the moments in it.
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/credential_reply.h"
#include "stores/s3/iso_time.h"
#include "stores/s3/sigv4.h"
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

#ifdef CHAINSTORE_WITH_S3
using chainstore::Bytes;
using chainstore::s3::JsonValue;

void Require(bool holds) {
  if (!holds) abort();
}

int DepthOf(const JsonValue& value) {
  int deepest = 0;
  for (const JsonValue& member : value.members) deepest = std::max(deepest, DepthOf(member));
  return deepest + 1;
}
#endif

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
#ifdef CHAINSTORE_WITH_S3
  const Bytes input(reinterpret_cast<const char*>(data), size);
  std::string why;
  const auto root = chainstore::s3::ParseJson(input, &why);
  Require(root ? why.empty() : !why.empty());
  Require(chainstore::s3::ParseIsoTime(input) >= -1);
  if (!root) return 0;
  Require(DepthOf(*root) <= chainstore::s3::kMaxJsonDepth);
  for (const char* token : {"Token", "SessionToken"}) {
    const auto identity = chainstore::s3::ReadIdentity(*root, token, "fuzz");
    if (!identity.ok()) continue;
    Require(!(*identity)->access_key.empty() && !(*identity)->secret.empty());
    Require(chainstore::s3::IsHeaderValue((*identity)->session_token.Reveal()));
    Require((*identity)->expires_at_ms >= 0);
  }
#else
  (void)data, (void)size;
#endif
  return 0;
}
