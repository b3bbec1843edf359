#include "stores/s3/endpoint_client.h"

#include "core/await.h"
#include "stores/s3/json.h"
#include "stores/s3/retry.h"
#include "stores/s3/s3_error.h"

namespace chainstore::s3 {
namespace {

// What a service says, without a copy that stays behind.
Secret TakeBody(const Ref<Value>& body) {
  Secret text(body->bytes());
  // Nobody else has seen it.
  if (body->IsPrivate()) OPENSSL_cleanse(const_cast<char*>(body->data()), body->size());
  return text;
}

bool IsLater(int status) { return status == 429 || (status >= 500 && status < 600); }

}  // namespace

HttpSettings EndpointClient::Local(const HttpSettings& settings) {
  HttpSettings local = settings;
  local.proxy.clear();
  local.no_proxy = true;
  return local;
}

EndpointClient::EndpointClient(HttpSettings settings, const EndpointLimits& limits,
                               Ref<CancelToken> stop)
    : limits_(limits), stop_(std::move(stop)), http_([&] {
        settings.connect_timeout_ms = limits.connect_ms;
        return std::move(settings);
      }()) {}

HttpReply EndpointClient::AskOnce(const HttpRequest& request, int64_t pause_ns) {
  HttpRequest out = request;
  const int64_t begin_ns = Clock::System().SteadyNs() + pause_ns;
  out.start_at_ns = pause_ns == 0 ? 0 : begin_ns;
  out.deadline_ns = begin_ns + limits_.whole_ms * 1'000'000;
  out.closing = stop_;
  out.max_body_bytes = kMaxJsonBytes;
  HttpReply reply;
  Await<HttpReply>(Call(), &reply, [&](Done<HttpReply> done) {
    http_.Send(std::move(out),
               [done = std::move(done)](HttpReply&& answer) mutable { done(std::move(answer)); });
  });
  return reply;
}

Result<EndpointReply> EndpointClient::Ask(const HttpRequest& request) {
  for (int attempt = 1;; ++attempt) {
    const HttpReply reply = AskOnce(request, attempt == 1 ? 0 : PauseNs(Retry::kFault, attempt));
    const bool may_pass = reply.ended == Code::kTimeout || reply.ended == Code::kIo ||
                          (reply.ended == Code::kOk && IsLater(reply.status));
    const bool is_hopeless = reply.no_route && limits_.needs_route;
    if (may_pass && !is_hopeless && attempt < limits_.tries) continue;
    if (reply.ended == Code::kOk) return EndpointReply{reply.status, TakeBody(reply.body)};
    const std::string why = reply.ended == Code::kTimeout  ? "no answer in time"
                            : reply.ended == Code::kClosed ? "the store was closed"
                                                           : OneLine(reply.failure);
    return Failure(reply.ended, why.empty() ? CodeName(reply.ended) : why);
  }
}

}  // namespace chainstore::s3
