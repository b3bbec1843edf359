#include "stores/s3/sso_provider.h"

#include <openssl/sha.h>

#include <charconv>

#include "stores/s3/credential_reply.h"
#include "stores/s3/digest.h"
#include "stores/s3/endpoint_client.h"
#include "stores/s3/iso_time.h"
#include "stores/s3/secret_file.h"
#include "stores/s3/sigv4.h"

namespace chainstore::s3 {
namespace {

Failure SsoFailure(std::string what) { return Failure(Code::kDenied, std::move(what)); }

Failure LogIn(std::string what, const Profile& profile) {
  Failure failure = SsoFailure(std::move(what));
  failure.Hint("run: aws sso login --profile " + profile.name);
  return failure;
}

struct Session {
  std::string cache_name;
  std::string region;
};

Result<Session> SessionOf(const ProfileFiles& files, const Profile& profile) {
  const std::string name = profile.Text("sso_session");
  if (name.empty()) return Session{profile.Text("sso_start_url"), profile.Text("sso_region")};
  const Profile* const session = files.FindSsoSession(name);
  if (!session) return SsoFailure("there is no [sso-session " + name + "]");
  return Session{name, session->Text("sso_region")};
}

Result<Secret> CachedToken(const ProviderSettings& settings, const Profile& profile,
                           const std::string& path) {
  Secret file;
  if (const int failed = ReadSecretFile(path, kMaxJsonBytes, &file); failed != 0) {
    return LogIn("there is no SSO token in the cache", profile).Errno(failed);
  }
  std::string why;
  const auto root = ParseJson(file.Reveal(), &why);
  if (!root) return LogIn("the cached SSO token cannot be read: " + why, profile);
  const Bytes token = root->Text("accessToken");
  if (token.empty() || !IsHeaderValue(token)) return LogIn("the cache has no SSO token", profile);
  if (ParseIsoTime(root->Text("expiresAt")) <= settings.clock->WallMs()) {
    return LogIn("the cached SSO token has expired", profile);
  }
  return Secret(token);
}

Result<std::string> OriginOf(const ProviderSettings& settings, const std::string& region) {
  const Bytes custom = settings.variables.Get("AWS_ENDPOINT_URL_SSO");
  if (!custom.empty()) {
    const Result<Endpoint> endpoint = ParseEndpoint(custom);
    if (!endpoint.ok()) return SsoFailure("AWS_ENDPOINT_URL_SSO is no http://HOST:PORT");
    return endpoint->Origin();
  }
  if (!IsHostLabel(region)) return SsoFailure("sso_region is no region");
  return "https://portal.sso." + region + ".amazonaws.com" +
         (region.starts_with("cn-") ? ".cn" : "");
}

Result<Ref<const Identity>> ReadRole(const EndpointReply& reply) {
  std::string why;
  const auto root = ParseJson(reply.body.Reveal(), &why);
  const JsonValue* const keys = root ? root->Find("roleCredentials") : nullptr;
  if (!keys) return Failure(Code::kIo, "SSO: the answer has no keys in it " + why);
  IdentityParts parts;
  parts.access_key = keys->Text("accessKeyId");
  parts.secret = keys->Text("secretAccessKey");
  parts.session_token = keys->Text("sessionToken");
  parts.expires_at_ms = -1;
  if (const JsonValue* const expires = keys->Find("expiration")) {
    const Bytes number = expires->text.Reveal();  // milliseconds
    const char* const end = number.data() + number.size();
    int64_t value = 0;
    const auto [stopped, error] = std::from_chars(number.data(), end, value);
    if (error == std::errc() && stopped == end && value > 0) parts.expires_at_ms = value;
  }
  return MakeIdentity(parts, "sso");
}

}  // namespace

std::string SsoCacheFile(const std::string& session_or_url) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(session_or_url.data()), session_or_url.size(),
       digest);
  return Hex(Bytes(reinterpret_cast<const char*>(digest), sizeof(digest))) + ".json";
}

Result<Ref<const Identity>> FetchFromSso(const ProviderSettings& settings,
                                         const ProfileFiles& files, const Profile& profile,
                                         const std::string& home, const Ref<CancelToken>& stop) {
  const Result<Session> session = SessionOf(files, profile);
  if (!session.ok()) return session.status();
  const std::string account = profile.Text("sso_account_id");
  const std::string role = profile.Text("sso_role_name");
  if (session->cache_name.empty() || session->region.empty() || account.empty() || role.empty()) {
    return SsoFailure(
        "SSO needs sso_session (or sso_start_url), sso_region, sso_account_id and "
        "sso_role_name");
  }
  const Result<std::string> origin = OriginOf(settings, session->region);
  if (!origin.ok()) return origin.status();
  const Result<Secret> token =
      CachedToken(settings, profile, home + "/.aws/sso/cache/" + SsoCacheFile(session->cache_name));
  if (!token.ok()) return token.status();
  HttpRequest request;
  request.method = "GET";
  request.url = *origin + "/federation/credentials?" +
                EncodeQuery({{"account_id", account}, {"role_name", role}});
  request.headers = {{"x-amz-sso_bearer_token", std::string(token->Reveal())}};
  EndpointClient client(settings.http, settings.service, stop);
  const Result<EndpointReply> reply = client.Ask(request);
  if (!reply.ok()) {
    return Failure(reply.status().code(), "SSO: " + reply.status().error()->message());
  }
  if (reply->status == 401) return LogIn("SSO refuses the cached token", profile);
  if (reply->status != 200) {
    return Failure(reply->status >= 500 || reply->status == 429 ? Code::kIo : Code::kDenied,
                   "SSO refused (HTTP " + std::to_string(reply->status) + ")");
  }
  return ReadRole(*reply);
}

}  // namespace chainstore::s3
