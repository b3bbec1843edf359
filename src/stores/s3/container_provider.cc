#include "stores/s3/container_provider.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "stores/s3/credential_reply.h"
#include "stores/s3/endpoint_client.h"
#include "stores/s3/secret_file.h"
#include "stores/s3/sigv4.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kMaxTokenBytes = size_t{64} << 10;

// A path as it may stand in a URI: no space, no control character, nothing that is not ASCII.
bool IsPath(Bytes path) {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool IsTrustedHost(const std::string& host) {
  if (host == "localhost" || host == "169.254.170.2" || host == "169.254.170.23") return true;
  in_addr four;
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  if (!host.starts_with('[')) return false;
  in6_addr six, eks;
  inet_pton(AF_INET6, "fd00:ec2::23", &eks);
  if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&six) || memcmp(&six, &eks, sizeof(six)) == 0;
}

Failure ContainerFailure(std::string what) { return Failure(Code::kDenied, std::move(what)); }

// The URI to ask; empty: none is set.
Result<std::string> UriOf(const Variables& variables) {
  const Bytes relative = variables.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) {
    // "@host/" would name another host.
    if (!IsPath(relative)) {
      return ContainerFailure("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /");
    }
    return "http://169.254.170.2" + std::string(relative);
  }
  const Bytes full = variables.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!full.empty() && !IsContainerUri(full)) {
    return ContainerFailure(
               "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https URI nor one of this host")
        .Hint("http is only for loopback, 169.254.170.2, 169.254.170.23 and fd00:ec2::23");
  }
  return std::string(full);
}

// What goes into the Authorization header; empty: nothing.
Result<Secret> TokenOf(const Variables& variables) {
  Secret token(variables.Get("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
  const std::string path = variables.Text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!path.empty()) {
    if (const int failed = ReadSecretFile(path, kMaxTokenBytes, &token); failed != 0) {
      return ContainerFailure("cannot read the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
          .Errno(failed);
    }
    Bytes text = token.Reveal();
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    token = Secret(text);
  }
  if (!IsHeaderValue(token.Reveal()))
    return ContainerFailure("the authorization token has a line break in it");
  return token;
}

}  // namespace

bool IsContainerUri(Bytes uri) {
  const size_t scheme = uri.find("://");
  if (scheme == Bytes::npos) return false;
  const size_t path = std::min(uri.find('/', scheme + 3), uri.size());
  if (path != uri.size() && !IsPath(uri.substr(path))) return false;
  const Result<Endpoint> endpoint = ParseEndpoint(uri.substr(0, path));
  return endpoint.ok() && (endpoint->https || IsTrustedHost(endpoint->host));
}

Result<Ref<const Identity>> FetchFromContainer(const ProviderSettings& settings,
                                               const Ref<CancelToken>& stop) {
  Result<std::string> uri = UriOf(settings.variables);
  if (!uri.ok()) return uri.status();
  if (uri->empty()) return Status(Code::kNotFound);
  Result<Secret> token = TokenOf(settings.variables);
  if (!token.ok()) return token.status();
  HttpRequest request;
  request.url = std::move(*uri);
  request.method = "GET";
  request.headers = {{"accept", "application/json"}};
  if (!token->empty()) request.headers.emplace_back("authorization", token->Reveal());
  // An agent on https may stand elsewhere, but it is never behind a proxy.
  EndpointClient client(EndpointClient::Local(settings.http), settings.container, stop);
  Result<EndpointReply> reply = client.Ask(request);
  if (!reply.ok()) return reply.status();
  if (reply->status != 200) {
    return Failure(reply->status >= 500 ? Code::kIo : Code::kDenied,
                   "the endpoint answered with HTTP " + std::to_string(reply->status));
  }
  std::string why;
  const auto root = ParseJson(reply->body.Reveal(), &why);
  if (!root) return Failure(Code::kIo, "the endpoint's answer cannot be read: " + why);
  return ReadIdentity(*root, "Token", "container");
}

}  // namespace chainstore::s3
