#include "stores/s3/condition_probe.h"

namespace chainstore::s3 {
namespace {

Status Ignored() {
  return Failure(Code::kUnsupported,
                 "the server does not keep the condition of a put that must find nothing")
      .Hint("put without the condition, or use conditional=trust if you know better");
}

}  // namespace

// Put, put again, delete.
class ConditionProbe::Trial final : public RefCounted<Trial> {
 public:
  Trial(ConditionProbe* probe, Ref<S3Client> client, std::string object, const Call& call,
        Answered answered)
      : probe_(probe),
        client_(std::move(client)),
        object_(std::move(object)),
        call_(call),
        answered_(std::move(answered)) {}

  void Begin() {
    Put([self = Ref<Trial>(this)](S3Reply&& reply) {
      if (!reply.status.ok()) return self->End(self->NotFound(std::move(reply)));
      self->Put([self](S3Reply&& reply) { self->OnSecond(std::move(reply)); });
    });
  }

 private:
  S3Request NewRequest(const char* method, const char* action) const {
    S3Request request;
    request.operation = "probe";
    request.action = action;
    request.method = method;
    request.object = object_;
    return request;
  }
  void Put(S3Client::Answered answered) {
    S3Request request = NewRequest("PUT", "s3:PutObject");
    request.has_body = true;
    request.is_object = true;
    request.headers = client_->settings().put_headers;
    request.headers.emplace_back("if-none-match", "*");
    client_->Send(std::move(request), call_, std::move(answered));
  }
  void OnSecond(S3Reply&& reply) {
    // An attempt that was lost may be what is there: that is no proof.
    const bool kept = reply.status.Is(Code::kExists) && !reply.ambiguous;
    if (!kept && !reply.status.ok()) return End(NotFound(std::move(reply)));
    probe_->found_.store(kept ? Found::kKept : Found::kIgnored);
    End(kept ? Status() : Ignored());
  }
  Status NotFound(S3Reply&& reply) const {
    if (reply.status.failed()) return std::move(reply.status);
    return Failure(Code::kIo, "whether the server keeps conditions could not be found out")
        .Detail("http_status", std::to_string(reply.http_status));
  }
  // What was put goes in any case; whether that works changes nothing.
  void End(Status&& status) {
    client_->Send(NewRequest("DELETE", "s3:DeleteObject"), call_,
                  [self = Ref<Trial>(this), status = std::move(status)](S3Reply&&) mutable {
                    self->answered_(std::move(status));
                  });
  }

  ConditionProbe* const probe_;  // of the client's owner, which the answer keeps alive
  const Ref<S3Client> client_;
  const std::string object_;
  const Call call_;
  Answered answered_;
};

void ConditionProbe::Ask(const Ref<S3Client>& client, const std::string& object, const Call& call,
                         Answered answered) {
  switch (found_.load()) {
    case Found::kKept:
      return answered(Status());
    case Found::kIgnored:
      return answered(Ignored());
    case Found::kNothing:
      return MakeRef<Trial>(this, client, object, call, std::move(answered))->Begin();
  }
}

}  // namespace chainstore::s3
