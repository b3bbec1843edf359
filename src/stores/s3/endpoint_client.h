// EndpointClient: asks the services that hand credentials out, and waits for the answer. It tries
// again where the network or the service failed, and follows no redirect: whoever answers must be
// the one that was asked. It has connections only as long as it lives.
// Thread safety: one thread at a time, which may block.
#pragma once

#include <string>

#include "base/result.h"
#include "stores/s3/http.h"
#include "stores/s3/provider_settings.h"
#include "stores/s3/secret.h"

namespace chainstore::s3 {

struct EndpointReply {
  int status = 0;
  Secret body;
};

class EndpointClient {
 public:
  // For services on this machine or beside it: no proxy, whatever the settings say.
  static HttpSettings Local(const HttpSettings& settings);

  EndpointClient(HttpSettings settings, const EndpointLimits& limits, Ref<CancelToken> stop);

  // Any answer but those that say "later" (429, 5xx), or the last of those. kTimeout, kIo, kDenied
  // (TLS): there was none; kClosed: `stop` has fired.
  Result<EndpointReply> Ask(const HttpRequest& request);

 private:
  HttpReply AskOnce(const HttpRequest& request, int64_t pause_ns);

  const EndpointLimits limits_;
  const Ref<CancelToken> stop_;
  HttpClient http_;
};

}  // namespace chainstore::s3
