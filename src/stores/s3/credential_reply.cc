#include "stores/s3/credential_reply.h"

#include "stores/s3/iso_time.h"
#include "stores/s3/sigv4.h"

namespace chainstore::s3 {

Result<Ref<const Identity>> MakeIdentity(const IdentityParts& parts, std::string source) {
  const auto wrong = [](const char* what) { return Failure(Code::kIo, what).Retryable(); };
  if (parts.access_key.empty()) return wrong("the answer has no access key");
  if (parts.secret.empty()) return wrong("the answer has no secret key");
  if (parts.expires_at_ms < 0) return wrong("the answer has an expiration that is no time");
  // The secret itself is never sent.
  if (!IsHeaderValue(parts.access_key) || !IsHeaderValue(parts.session_token)) {
    return wrong("the answer has a key with a line break in it");
  }
  auto identity = MakeRef<Identity>();
  identity->access_key = parts.access_key;
  identity->secret = Secret(parts.secret);
  identity->session_token = Secret(parts.session_token);
  identity->expires_at_ms = parts.expires_at_ms;
  identity->source = std::move(source);
  return Ref<const Identity>(std::move(identity));
}

Result<Ref<const Identity>> ReadIdentity(const JsonValue& root, Bytes token_name,
                                         std::string source) {
  IdentityParts parts;
  parts.access_key = root.Text("AccessKeyId");
  parts.secret = root.Text("SecretAccessKey");
  parts.session_token = root.Text(token_name);
  const JsonValue* const expires = root.Find("Expiration");
  if (expires && expires->kind != JsonValue::Kind::kNull) {
    parts.expires_at_ms = ParseIsoTime(root.Text("Expiration"));
  }
  return MakeIdentity(parts, std::move(source));
}

}  // namespace chainstore::s3
