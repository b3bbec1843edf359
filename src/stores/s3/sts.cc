#include "stores/s3/sts.h"

#include "stores/s3/credential_reply.h"
#include "stores/s3/endpoint_client.h"
#include "stores/s3/iso_time.h"
#include "stores/s3/s3_error.h"
#include "stores/s3/secret_file.h"
#include "stores/s3/xml.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kMaxTokenBytes = size_t{64} << 10;
constexpr Bytes kFormType = "application/x-www-form-urlencoded; charset=utf-8";

Failure StsFailure(std::string what) { return Failure(Code::kDenied, std::move(what)); }

void Wipe(XmlNode* node) {
  OPENSSL_cleanse(node->text.data(), node->text.size());
  for (XmlNode& child : node->children) Wipe(&child);
}

// A document whose texts are wiped when it goes.
class SecretXml {
 public:
  explicit SecretXml(Bytes text) : root_(ParseXml(text, &why_)) {}
  ~SecretXml() {
    if (root_) Wipe(root_.get());
  }
  SecretXml(const SecretXml&) = delete;
  SecretXml& operator=(const SecretXml&) = delete;
  const XmlNode* root() const noexcept { return root_.get(); }

 private:
  std::string why_;
  const std::unique_ptr<XmlNode> root_;
};

Query FormOf(const char* action, const Role& role) {
  Query form = {{"Action", action}, {"RoleArn", role.arn}, {"Version", "2011-06-15"}};
  form.emplace_back("RoleSessionName",
                    role.session_name.empty()
                        ? "chainstore-" + std::to_string(Clock::System().WallMs())
                        : role.session_name);
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  if (!role.duration_seconds.empty()) form.emplace_back("DurationSeconds", role.duration_seconds);
  return form;
}

void Sign(const Endpoint& host, const std::string& region, const ProviderSettings& settings,
          const Identity& who, HttpRequest* request) {
  const Scope scope{SigningTime(settings.clock->WallMs()), region, "sts"};
  const std::string hash = Hex(AsBytes(Sha256(request->body)));
  request->headers.emplace_back("x-amz-date", scope.time.stamp());
  if (!who.session_token.empty()) {
    request->headers.emplace_back("x-amz-security-token", who.session_token.Reveal());
  }
  Headers to_sign = {{"host", host.Authority()}};
  for (const auto& header : request->headers) {
    if (IsSigned(header.first)) to_sign.push_back(header);
  }
  SigningKeys keys;
  request->headers.emplace_back("authorization",
                                Authorization(keys, who.access_key, who.secret, scope,
                                              {request->method, "/", "", &to_sign, hash}));
}

Failure RefusedBy(const EndpointReply& reply, Bytes sent_secret) {
  const SecretXml document(reply.body.Reveal());
  const XmlNode* const root = document.root();
  // Servers other than AWS's answer with the error alone.
  const XmlNode* const error = !root ? nullptr : root->name == "Error" ? root : root->Find("Error");
  const std::string code = error ? OneLine(error->Text("Code")) : "";
  std::string what = "STS refused (HTTP " + std::to_string(reply.status) + ")";
  if (!code.empty()) what = "STS: " + code + " (HTTP " + std::to_string(reply.status) + ")";
  const Bytes message = error ? error->Text("Message") : Bytes();
  // A service that repeats what it was sent does not get it into a log.
  if (!message.empty() && (sent_secret.empty() || message.find(sent_secret) == Bytes::npos)) {
    what += ": " + OneLine(message);
  }
  const bool later = reply.status >= 500 || reply.status == 429 || code == "Throttling" ||
                     code == "IDPCommunicationError" || code == "RequestLimitExceeded";
  return Failure(later ? Code::kIo : Code::kDenied, std::move(what));
}

Result<Ref<const Identity>> ReadRole(const EndpointReply& reply, const std::string& action) {
  const SecretXml document(reply.body.Reveal());
  const auto wrong = [&] {
    return Failure(Code::kIo, "the answer is none of STS to " + action)
        .Hint("check AWS_ENDPOINT_URL_STS");
  };
  if (!document.root() || document.root()->name != action + "Response") return wrong();
  const XmlNode* const result = document.root()->Find(action + "Result");
  const XmlNode* const keys = result ? result->Find("Credentials") : nullptr;
  if (!keys) return wrong();
  IdentityParts parts;
  parts.access_key = keys->Text("AccessKeyId");
  parts.secret = keys->Text("SecretAccessKey");
  parts.session_token = keys->Text("SessionToken");
  parts.expires_at_ms = ParseIsoTime(keys->Text("Expiration"));  // STS gives none without one
  return MakeIdentity(parts, "role");
}

// `who` null: the form itself says who asks.
Result<Ref<const Identity>> Ask(const ProviderSettings& settings, const Role& role,
                                const std::string& action, Query form, const Identity* who,
                                Bytes sent_secret, const Ref<CancelToken>& stop) {
  const std::string& region = role.region.empty() ? settings.region : role.region;
  Result<Endpoint> host = StsEndpoint(settings.variables, region);
  if (!host.ok()) return host.status();
  const std::string encoded = EncodeQuery(form);
  for (auto& each : form) OPENSSL_cleanse(each.second.data(), each.second.size());
  const Secret body(encoded);
  OPENSSL_cleanse(const_cast<char*>(encoded.data()), encoded.size());
  HttpRequest request;
  request.method = "POST";
  request.url = host->Origin() + "/";
  request.headers = {{"content-type", std::string(kFormType)}};
  request.has_body = true;
  request.body = body.Reveal();
  if (who) Sign(*host, region, settings, *who, &request);
  EndpointClient client(settings.http, settings.service, stop);
  const Result<EndpointReply> reply = client.Ask(request);
  if (!reply.ok()) {
    return Failure(reply.status().code(), "STS: " + reply.status().error()->message());
  }
  if (reply->status != 200) return RefusedBy(*reply, sent_secret);
  return ReadRole(*reply, action);
}

}  // namespace

Result<Endpoint> StsEndpoint(const Variables& variables, const std::string& region) {
  for (const char* name : {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"}) {
    const Bytes text = variables.Get(name);
    if (text.empty()) continue;
    Result<Endpoint> endpoint = ParseEndpoint(text);
    if (!endpoint.ok()) return StsFailure(std::string(name) + " is no http://HOST:PORT");
    return endpoint;
  }
  if (!IsHostLabel(region)) return StsFailure("'" + OneLine(region) + "' is no region");
  Endpoint endpoint;
  endpoint.host = "sts." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
  return endpoint;
}

Result<Ref<const Identity>> AssumeRole(const ProviderSettings& settings, const Role& role,
                                       const Identity& who, const Ref<CancelToken>& stop) {
  return Ask(settings, role, "AssumeRole", FormOf("AssumeRole", role), &who,
             who.session_token.Reveal(), stop);
}

Result<Ref<const Identity>> AssumeRoleWithToken(const ProviderSettings& settings, const Role& role,
                                                const Secret& token, const Ref<CancelToken>& stop) {
  constexpr const char* kAction = "AssumeRoleWithWebIdentity";
  Query form = FormOf(kAction, role);
  form.emplace_back("WebIdentityToken", token.Reveal());
  return Ask(settings, role, kAction, std::move(form), nullptr, token.Reveal(), stop);
}

Result<Ref<const Identity>> AssumeRoleWithTokenFile(const ProviderSettings& settings,
                                                    const Role& role, const std::string& path,
                                                    const Ref<CancelToken>& stop) {
  Secret token;
  if (const int failed = ReadSecretFile(path, kMaxTokenBytes, &token); failed != 0) {
    return StsFailure("cannot read the web identity token").Path(path).Errno(failed);
  }
  Bytes text = token.Reveal();
  while (!text.empty() && Bytes(" \r\n").find(text.back()) != Bytes::npos) text.remove_suffix(1);
  if (text.empty()) return StsFailure("the web identity token is empty").Path(path);
  return AssumeRoleWithToken(settings, role, Secret(text), stop);
}

Result<Ref<const Identity>> FetchFromWebIdentity(const ProviderSettings& settings,
                                                 const Ref<CancelToken>& stop) {
  const std::string path = settings.variables.Text("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (path.empty()) return Status(Code::kNotFound);
  Role role;
  role.arn = settings.variables.Text("AWS_ROLE_ARN");
  role.session_name = settings.variables.Text("AWS_ROLE_SESSION_NAME");
  if (role.arn.empty()) {
    return StsFailure("AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not");
  }
  return AssumeRoleWithTokenFile(settings, role, path, stop);
}

}  // namespace chainstore::s3
