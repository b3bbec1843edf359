#include "stores/s3/instance_provider.h"

#include <strings.h>

#include <algorithm>

#include "stores/s3/credential_reply.h"
#include "stores/s3/endpoint_client.h"
#include "stores/s3/s3_error.h"
#include "stores/s3/sigv4.h"

namespace chainstore::s3 {
namespace {

constexpr Bytes kRoles = "/latest/meta-data/iam/security-credentials/";

Failure NotHere(std::string why) { return Failure(Code::kNotFound, std::move(why)); }

Result<std::string> OriginOf(const Variables& variables) {
  std::string text = variables.Text("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (text.empty()) {
    const std::string mode = variables.Text("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    const bool six = strcasecmp(mode.c_str(), "IPv6") == 0;
    text = six ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  }
  const Result<Endpoint> endpoint = ParseEndpoint(text);
  if (!endpoint.ok()) {
    return Failure(Code::kDenied, "AWS_EC2_METADATA_SERVICE_ENDPOINT is no http://HOST:PORT");
  }
  return endpoint->Origin();
}

Bytes FirstLine(Bytes text) {
  text = text.substr(0, text.find_first_of("\r\n"));
  return text;
}

// One conversation: a token, the role's name, its keys.
class Conversation {
 public:
  Conversation(const ProviderSettings& settings, std::string origin, const Ref<CancelToken>& stop)
      : origin_(std::move(origin)),
        client_(EndpointClient::Local(settings.http), settings.instance, stop) {}

  Status TakeToken();
  Result<EndpointReply> Get(Bytes path);

 private:
  const std::string origin_;
  EndpointClient client_;
  Secret token_;
};

Status Conversation::TakeToken() {
  HttpRequest request;
  request.method = "PUT";
  request.url = origin_ + "/latest/api/token";
  request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  request.has_body = true;
  Result<EndpointReply> reply = client_.Ask(request);
  if (!reply.ok()) {
    const Status& why = reply.status();
    if (why.Is(Code::kClosed)) return why;
    return NotHere(why.error()->message());  // this is no EC2 instance, as a rule
  }
  if (reply->status >= 500 || reply->status == 429) {
    return Failure(Code::kIo, "no token: HTTP " + std::to_string(reply->status));
  }
  const Bytes token = FirstLine(reply->body.Reveal());
  if (reply->status != 200 || token.empty() || !IsHeaderValue(token)) {
    return NotHere("no token: HTTP " + std::to_string(reply->status));
  }
  token_ = Secret(token);
  return Status();
}

Result<EndpointReply> Conversation::Get(Bytes path) {
  for (bool again = true;; again = false) {
    HttpRequest request;
    request.method = "GET";
    request.url = origin_ + std::string(path);
    request.headers = {{"x-aws-ec2-metadata-token", std::string(token_.Reveal())}};
    Result<EndpointReply> reply = client_.Ask(request);
    if (!reply.ok() || reply->status != 401 || !again) return reply;
    if (Status failed = TakeToken(); !failed.ok()) return failed;  // it may have expired
  }
}

Failure Unreadable(const std::string& why) {
  return Failure(Code::kIo, "the metadata service's answer cannot be read: " + why);
}

Failure Refused(int status) {
  return Failure(Code::kIo, "the metadata service answered with HTTP " + std::to_string(status));
}

}  // namespace

Result<Ref<const Identity>> FetchFromInstance(const ProviderSettings& settings,
                                              const Ref<CancelToken>& stop) {
  if (strcasecmp(settings.variables.Text("AWS_EC2_METADATA_DISABLED").c_str(), "true") == 0) {
    return NotHere("turned off by AWS_EC2_METADATA_DISABLED");
  }
  Result<std::string> origin = OriginOf(settings.variables);
  if (!origin.ok()) return origin.status();
  Conversation conversation(settings, std::move(*origin), stop);
  if (Status failed = conversation.TakeToken(); !failed.ok()) return failed;
  Result<EndpointReply> roles = conversation.Get(kRoles);
  if (!roles.ok()) return roles.status();
  if (roles->status == 404) return NotHere("the instance has no role");
  if (roles->status != 200) return Refused(roles->status);
  const std::string role(FirstLine(roles->body.Reveal()));
  // What a role may be called; what else stands here is the page of something else.
  const bool is_name =
      !role.empty() && role.size() <= 128 && std::all_of(role.begin(), role.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != '/' && c != '<';
      });
  if (!is_name) return Unreadable("it names no role");
  Result<EndpointReply> keys = conversation.Get(std::string(kRoles) + EncodePath(role));
  if (!keys.ok()) return keys.status();
  if (keys->status != 200) return Refused(keys->status);
  std::string why;
  const auto root = ParseJson(keys->body.Reveal(), &why);
  if (!root) return Unreadable(why);
  const JsonValue* const code = root->Find("Code");
  if (code && code->text.Reveal() != "Success") {
    return Failure(Code::kIo, "the metadata service has no keys: " + OneLine(root->Text("Code")));
  }
  return ReadIdentity(*root, "Token", "instance");
}

}  // namespace chainstore::s3
