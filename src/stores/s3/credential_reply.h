// ReadIdentity: credentials as JSON, from a process or a metadata endpoint. IdentityParts: the same
// before they are checked, from whatever document.
// Thread safety: functions of their arguments.
#pragma once

#include <string>

#include "base/result.h"
#include "stores/s3/credentials.h"
#include "stores/s3/json.h"

namespace chainstore::s3 {

struct IdentityParts {
  Bytes access_key;
  Bytes secret;
  Bytes session_token;
  int64_t expires_at_ms = 0;  // 0: never; -1: it was said, but it is no time
};

// kIo where a part is missing or cannot be a part of a request; the message holds none of them.
Result<Ref<const Identity>> MakeIdentity(const IdentityParts& parts, std::string source);

// {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": ...}; a process says
// "SessionToken".
Result<Ref<const Identity>> ReadIdentity(const JsonValue& root, Bytes token_name,
                                         std::string source);

}  // namespace chainstore::s3
