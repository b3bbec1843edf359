#include "stores/s3/s3_client.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/one_attempt.h"
#include "stores/s3/http_date.h"
#include "stores/s3/provider_chain.h"

namespace chainstore::s3 {
namespace {

constexpr int kMaxHops = 2;
constexpr int64_t kSecondNs = 1'000'000'000;
// Servers refuse what is signed 15 minutes early or late.
constexpr int64_t kMostSkewMs = 14 * 60'000;
constexpr int64_t kJumpMs = 60'000;  // more than any answer takes to arrive
constexpr int kMaxClocks = 3;        // that one call learns

// Seconds that the server asks for, within bounds: an absurd wait is not obeyed.
int64_t RetryAfterNs(const HttpReply& reply) {
  constexpr int64_t kMostSeconds = 20;
  const std::string* const text = reply.Find("retry-after");
  int64_t seconds = 0;
  if (!text) return 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (read.ec == std::errc::result_out_of_range && text->front() != '-') seconds = kMostSeconds;
  return std::clamp<int64_t>(seconds, 0, kMostSeconds) * kSecondNs;
}

// By OpenSSL's and curl's words, which are all that there is.
const char* CertificateHint(const std::string& failure) {
  const auto says = [&](const char* words) { return failure.find(words) != std::string::npos; };
  if (says("expired") || says("not yet valid")) {
    return "renew the server's certificate, or check this machine's clock";
  }
  if (says("subject name")) return "the option endpoint must have a name that the certificate has";
  return "name the authority that signed it with the option ca_file";
}

}  // namespace

RequestKind S3Request::kind() const noexcept {
  if (method == "GET") return object.empty() ? RequestKind::kList : RequestKind::kGet;
  if (method == "HEAD") return RequestKind::kHead;
  if (method == "DELETE") return RequestKind::kDelete;
  if (method == "PUT") return query.empty() ? RequestKind::kPut : RequestKind::kPart;
  return object.empty() ? RequestKind::kDeleteMany : RequestKind::kUpload;
}

const std::string* S3Reply::Find(Bytes name) const noexcept {
  for (const auto& header : headers) {
    if (header.first == name) return &header.second;
  }
  return nullptr;
}

// One request and all its attempts, which come one after the other.
class S3Client::Exchange final : public RefCounted<Exchange> {
 public:
  Exchange(Ref<S3Client> client, S3Request request, const Call& call, Answered answered)
      : client_(std::move(client)),
        request_(std::move(request)),
        call_(call),
        answered_(std::move(answered)) {}

  void Begin() { Authorise(0); }

 private:
  void Authorise(int64_t pause_ns);
  Status NoKeys(const Status& why) const;
  void Submit(const Ref<const Identity>& identity, int64_t pause_ns);
  HttpRequest Signed(const Identity& identity);
  // Those that a signature covers, or the others.
  void AddHeaders(bool are_signed, Headers* headers) const;
  Bytes PayloadHash();
  void OnReply(HttpReply&& reply);
  void OnFailure(HttpReply&& reply);
  void OnSuccess(HttpReply&& reply);
  std::string WrongWith(const HttpReply& reply, const XmlNode* root,
                        const std::string& no_xml) const;
  void OnRefusal(HttpReply&& reply, ErrorReply&& error);
  void Refuse(HttpReply&& reply, const ErrorReply& error);
  bool Correct(const HttpReply& reply, const ErrorReply& error);
  bool FollowRegion(const std::string& region);
  bool FollowLocation(const std::string& location);
  bool IsMute(const ErrorReply& error) const;
  void AskForRegion(HttpReply&& reply, ErrorReply&& error);
  bool MayBeSkew(const HttpReply& reply, const ErrorReply& error) const;
  bool LearnClock(const HttpReply& reply);
  // False: no further attempt.
  bool Again(Retry retry, int64_t at_least_ns);
  void Finish(S3Reply&& reply);
  Failure Fail(Code code, std::string what) const;

  const Ref<S3Client> client_;
  const S3Request request_;
  const Call call_;
  Answered answered_;
  Ref<const Identity> identity_;
  std::string body_sha256_;  // computed once, for all attempts
  int attempts_ = 1;
  int hops_ = 0;
  int taken_ = 0;  // from the budget, by the last retry
  int clocks_learnt_ = 0;
  // What the last attempt took for it, and where it went.
  int64_t signed_skew_ms_ = 0;
  Ref<const Target> target_;
  bool renewed_ = false;
  bool ambiguous_ = false;
  int64_t skew_seconds_ = 0;
};

// ---- An attempt ----

void S3Client::Exchange::Authorise(int64_t pause_ns) {
  client_->credentials_->Get(
      call_, [self = Ref<Exchange>(this), pause_ns](Result<Ref<const Identity>>&& found) {
        if (found.ok()) return self->Submit(*found, pause_ns);
        S3Reply reply;
        reply.status = self->NoKeys(found.status());
        self->Finish(std::move(reply));
      });
}

// Why there are none, as a failure of this operation.
Status S3Client::Exchange::NoKeys(const Status& why) const {
  if (!why.error()) return Fail(why.code(), "no credentials");
  // Without what this failure's own message begins and ends with.
  std::string what = why.error()->message();
  if (what.starts_with(client_->name_ + ": ")) what.erase(0, client_->name_.size() + 2);
  const std::string* const hint = why.error()->FindDetail("hint");
  if (hint && what.ends_with("; " + *hint)) what.resize(what.size() - hint->size() - 2);
  Failure failure = Fail(why.code(), std::move(what));
  for (const auto& [name, value] : why.error()->details()) {
    if (name != "store") failure.Detail(name, value);
  }
  return failure.Retryable(why.retryable());
}

HttpRequest S3Client::Exchange::Signed(const Identity& identity) {
  const S3Settings& settings = client_->settings_;
  const std::string path = client_->base_path_ + EncodePath(request_.object);
  const std::string query = EncodeQuery(request_.query);
  HttpRequest out;
  out.method = request_.method;
  out.url.reserve(target_->origin.size() + path.size() + query.size() + 1);
  out.url.append(target_->origin).append(path);
  if (!query.empty()) out.url.append("?").append(query);
  out.headers.reserve(request_.headers.size() + settings.request_headers.size() + 4);
  // First what is signed, the host in the place of the signature. curl names the host itself.
  if (!identity.anonymous) out.headers.emplace_back("host", target_->authority);
  AddHeaders(true, &out.headers);
  if (!identity.anonymous) {
    signed_skew_ms_ = client_->skew_ms_.load();
    const Scope scope{SigningTime(client_->runtime_->clock().WallMs() + signed_skew_ms_),
                      target_->region};
    const Bytes payload = PayloadHash();
    out.headers.emplace_back("x-amz-content-sha256", payload);
    out.headers.emplace_back("x-amz-date", scope.time.stamp());
    if (!identity.session_token.empty()) {
      out.headers.emplace_back("x-amz-security-token", identity.session_token.Reveal());
    }
    out.headers[0] = {"authorization",
                      Authorization(client_->keys_, identity.access_key, identity.secret, scope,
                                    {request_.method, path, query, &out.headers, payload})};
  }
  AddHeaders(false, &out.headers);
  return out;
}

void S3Client::Exchange::AddHeaders(bool are_signed, Headers* headers) const {
  for (const Headers* each : {&request_.headers, &client_->settings_.request_headers}) {
    for (const auto& header : *each) {
      if (IsSigned(header.first) == are_signed) headers->push_back(header);
    }
  }
}

Bytes S3Client::Exchange::PayloadHash() {
  if (!request_.has_body) return kEmptySha256;
  if (!client_->settings_.signed_payload) return kUnsignedPayload;
  if (body_sha256_.empty()) body_sha256_ = Hex(AsBytes(Sha256(request_.body)));
  return body_sha256_;
}

void S3Client::Exchange::Submit(const Ref<const Identity>& identity, int64_t pause_ns) {
  identity_ = identity;
  target_ = client_->target();
  HttpRequest out = Signed(*identity);
  out.has_body = request_.has_body;
  out.body = request_.body;
  out.body_owner = request_.body_owner;
  if (pause_ns != 0) out.start_at_ns = Clock::System().SteadyNs() + pause_ns;
  out.deadline_ns = call_.deadline_ns;
  out.cancel = call_.cancel;
  out.closing = client_->closing_;
  out.max_body_bytes = request_.max_body_bytes;
  out.cut_from = request_.cut_from;
  out.room = request_.room;
  client_->http_.Send(std::move(out), [self = Ref<Exchange>(this)](HttpReply&& reply) {
    self->OnReply(std::move(reply));
  });
}

bool S3Client::Exchange::Again(Retry retry, int64_t at_least_ns) {
  const int most = (call_.flags & kOneAttempt) != 0 ? 1 : client_->settings_.attempts;
  if (retry == Retry::kNever || attempts_ >= most) return false;
  const int64_t pause_ns = std::max(at_least_ns, PauseNs(retry, attempts_ + 1));
  // The pause never ends past the caller's deadline: he gets the failure while he waits for it.
  if (call_.deadline_ns != kForeverNs &&
      Clock::System().SteadyNs() + pause_ns >= call_.deadline_ns) {
    return false;
  }
  const int taken = client_->budget_.Take(retry);
  if (taken == 0) return false;
  taken_ = taken;
  ++attempts_;
  client_->meters_.CountRetry(retry);
  Authorise(pause_ns);
  return true;
}

// ---- What came back ----

void S3Client::Exchange::OnReply(HttpReply&& reply) {
  if (reply.connected) client_->meters_.CountRequest(request_.kind());
  if (reply.ended != Code::kOk) return OnFailure(std::move(reply));
  if (reply.status >= 200 && reply.status < 300) return OnSuccess(std::move(reply));
  ErrorReply error = ReadErrorReply(reply);
  OnRefusal(std::move(reply), std::move(error));
}

void S3Client::Exchange::OnFailure(HttpReply&& reply) {
  S3Reply out;
  out.ambiguous = ambiguous_ = ambiguous_ || reply.connected;
  switch (reply.ended) {
    case Code::kTimeout:
    case Code::kCancelled:
      out.status = Fail(reply.ended, reply.ended == Code::kTimeout ? "the call's time is up"
                                                                   : "the call was cancelled");
      break;
    case Code::kClosed:
      out.status = Fail(Code::kClosed, "the store was closed");
      break;
    case Code::kDenied:
      out.status = Fail(Code::kDenied, "the server's certificate is refused: " + reply.failure)
                       .Hint(CertificateHint(reply.failure));
      break;
    case Code::kIo:
      if (Again(Retry::kFault, 0)) return;
      out.status = Fail(Code::kIo, "the network failed: " + OneLine(reply.failure));
      break;
    default:
      out.status = Fail(reply.ended, reply.failure.empty() ? "out of memory" : reply.failure);
  }
  Finish(std::move(out));
}

// Why a 2xx is no success; empty: it is one. `root` is what was found in its body, if anything.
std::string S3Client::Exchange::WrongWith(const HttpReply& reply, const XmlNode* root,
                                          const std::string& no_xml) const {
  if (request_.root) {
    if (!root) return "the answer is no XML: " + no_xml;
    if (root->name == request_.root) return "";
    return "the answer is a " + OneLine(root->name) + ", not a " + request_.root;
  }
  if (!request_.is_object) return reply.body->size() == 0 ? "" : "the answer has a body";
  if (!reply.Find("etag")) return "the answer has no ETag";
  if (!request_.reads()) return "";
  const auto& headers = request_.headers;
  const bool ranged = std::any_of(headers.begin(), headers.end(),
                                  [](const auto& each) { return each.first == "range"; });
  if (reply.status != 200 && !(ranged && reply.status == 206)) {
    return "the answer is HTTP " + std::to_string(reply.status);
  }
  // One that ends with its connection may have been cut off.
  const bool has_length = reply.Find("content-length") || reply.Find("transfer-encoding");
  return has_length || request_.method == "HEAD" ? "" : "the answer does not tell its length";
}

void S3Client::Exchange::OnSuccess(HttpReply&& reply) {
  S3Reply out;
  std::string no_xml;
  if (request_.root || (!request_.reads() && reply.body->size() != 0)) {
    out.root = ParseXml(reply.body->bytes(), &no_xml);
    if (out.root && out.root->name == "Error") {
      ErrorReply error;
      error.http_status = 500;  // a failure after the 200 was sent
      error.code = "InternalError";
      ReadErrorDocument(*out.root, &error);
      return OnRefusal(std::move(reply), std::move(error));
    }
  }
  const std::string wrong = WrongWith(reply, out.root.get(), no_xml);
  if (!wrong.empty()) {
    ambiguous_ = true;
    if (Again(Retry::kFault, 0)) return;
    out.status = Fail(Code::kIo, wrong + ", as no S3 server answers")
                     .Detail("http_status", std::to_string(reply.status))
                     .Hint("check the option endpoint");
    return Finish(std::move(out));
  }
  client_->budget_.Give(taken_);
  out.http_status = reply.status;
  out.headers = std::move(reply.headers);
  out.body = std::move(reply.body);
  out.cut = reply.cut;
  out.announced = reply.announced;
  out.received = reply.received;
  Finish(std::move(out));
}

void S3Client::Exchange::OnRefusal(HttpReply&& reply, ErrorReply&& error) {
  if (request_.is_question) return Refuse(std::move(reply), error);
  if (Correct(reply, error)) return Authorise(0);
  const bool says_nothing = IsRedirect(error) || IsMute(error);
  const bool is_lost = says_nothing && error.region.empty() && hops_ < kMaxHops;
  is_lost ? AskForRegion(std::move(reply), std::move(error)) : Refuse(std::move(reply), error);
}

void S3Client::Exchange::Refuse(HttpReply&& reply, const ErrorReply& error) {
  const Retry retry = RetryOf(error);
  if (retry == Retry::kFault) ambiguous_ = true;
  if (Again(retry, RetryAfterNs(reply))) return;
  S3Reply out;
  out.http_status = error.http_status;
  out.s3_code = error.code;
  out.headers = std::move(reply.headers);
  if (request_.is_question && !error.region.empty()) {
    out.headers.emplace_back("x-amz-bucket-region", error.region);
  }
  Code code = CodeOf(error);
  // A miss and a condition that fails are answers of objects only.
  if (static_cast<int>(code) > 0 && request_.root) code = Code::kIo;
  if (static_cast<int>(code) > 0) {
    out.status = code;
  } else {
    std::string what = error.code.empty() ? "the server refused" : error.code;
    what += " (HTTP " + std::to_string(error.http_status) + ")";
    if (!error.message.empty()) what += ": " + error.message;
    Failure failure = Fail(code, std::move(what));
    failure.Detail("http_status", std::to_string(error.http_status));
    if (!error.code.empty()) failure.Detail("s3_code", error.code);
    if (!error.request_id.empty()) failure.Detail("request_id", error.request_id);
    const std::string hint =
        HintOf(error, request_.action, client_->settings_.bucket, skew_seconds_);
    if (!hint.empty()) failure.Hint(hint);
    out.status = failure.Retryable(retry != Retry::kNever);
  }
  Finish(std::move(out));
}

// ---- What can be put right ----

bool S3Client::Exchange::Correct(const HttpReply& reply, const ErrorReply& error) {
  if (IsSkew(error) || MayBeSkew(reply, error)) return LearnClock(reply);
  if (IsExpiredCredential(error) && !renewed_) {
    renewed_ = true;
    client_->credentials_->Expire(identity_);
    return !identity_->fixed;  // such a one would come back
  }
  return IsRedirect(error) && (FollowRegion(error.region) || FollowLocation(error.location));
}

// The answer to a HEAD has no document that could name it.
bool S3Client::Exchange::MayBeSkew(const HttpReply& reply, const ErrorReply& error) const {
  const std::string* const date = reply.Find("date");
  const int64_t server_s = date ? ParseHttpDate(*date) : -1;
  if (request_.method != "HEAD" || error.http_status != 403 || server_s < 0) return false;
  const int64_t signed_ms = client_->runtime_->clock().WallMs() + signed_skew_ms_;
  return std::abs(server_s * 1000 - signed_ms) > kMostSkewMs;
}

bool S3Client::Exchange::LearnClock(const HttpReply& reply) {
  const std::string* const date = reply.Find("date");
  const int64_t server_s = date ? ParseHttpDate(*date) : -1;
  if (server_s < 0) return false;
  const int64_t now_ms = client_->runtime_->clock().WallMs();
  const int64_t skew_ms = server_s * 1000 - now_ms;
  skew_seconds_ = skew_ms / 1000;
  client_->skew_ms_.store(skew_ms);
  // Once; again only where a clock has jumped since, so that this is news.
  const bool is_news = std::abs(skew_ms - signed_skew_ms_) > kJumpMs;
  if (clocks_learnt_ != 0 && (!is_news || clocks_learnt_ == kMaxClocks)) return false;
  ++clocks_learnt_;
  return true;
}

bool S3Client::Exchange::FollowRegion(const std::string& region) {
  if (hops_ == kMaxHops || region.empty() || !IsHostLabel(region)) return false;
  ++hops_;
  if (region == target_->region) return false;
  // Another request may have found it meanwhile.
  if (region != client_->target()->region) client_->SetRegion(region);
  return true;
}

// Only where it leads counts, never its path: that is the object's in any case.
bool S3Client::Exchange::FollowLocation(const std::string& location) {
  if (hops_ == kMaxHops || location.empty()) return false;
  const Result<Endpoint> to = EndpointOfUrl(location);
  if (!to.ok() || *to == target_->host || !MayRedirect(target_->host, *to)) return false;
  ++hops_;
  client_->SetHost(*to);
  return true;
}

// The refusal of a HEAD that is malformed, for instance by its region, which no document tells.
bool S3Client::Exchange::IsMute(const ErrorReply& error) const {
  return request_.method == "HEAD" && error.http_status == 400;
}

// The answer to this has the region in a header, whether it is a refusal or not; or in a document,
// if it is not a HEAD.
void S3Client::Exchange::AskForRegion(HttpReply&& reply, ErrorReply&& error) {
  S3Request question;
  question.operation = request_.operation;
  question.action = "s3:ListBucket";
  question.method = "HEAD";
  question.is_question = true;
  if (IsMute(error)) {
    question.method = "GET";
    question.query = {{"list-type", "2"}, {"max-keys", "1"}};
    question.root = "ListBucketResult";
  }
  client_->Send(std::move(question), call_,
                [self = Ref<Exchange>(this), reply = std::move(reply),
                 error = std::move(error)](S3Reply&& found) mutable {
                  const std::string* const region = found.Find("x-amz-bucket-region");
                  if (region && self->FollowRegion(*region)) return self->Authorise(0);
                  self->Refuse(std::move(reply), error);
                });
}

// ---- The end ----

Failure S3Client::Exchange::Fail(Code code, std::string what) const {
  Failure failure(code, std::move(what));
  failure.Store(client_->name_).Op(request_.operation);
  if (!request_.user_key.empty()) failure.KeyIs(request_.user_key);
  failure.Detail("attempt", std::to_string(attempts_));
  return failure;
}

void S3Client::Exchange::Finish(S3Reply&& reply) {
  reply.attempts = attempts_;
  reply.ambiguous = ambiguous_;
  if (attempts_ > 1 && call_.trace) {
    call_.trace->Note(call_.span, "retries", static_cast<uint64_t>(attempts_ - 1));
  }
  answered_(std::move(reply));
}

S3Client::S3Client(S3Settings settings, Ref<Runtime> runtime, Ref<CancelToken> closing)
    : runtime_(std::move(runtime)),
      settings_(std::move(settings)),
      name_(settings_.StoreName()),
      base_path_(settings_.BasePath()),
      closing_(std::move(closing)),
      credentials_(MakeRef<Credentials>(name_, runtime_,
                                        MakeProviders(settings_, runtime_->clock()), closing_)),
      target_(MakeRef<const Target>(settings_.region, settings_.HostOf(settings_.region))),
      http_(settings_.http) {}

Ref<const S3Client::Target> S3Client::target() const {
  MutexLock lock(mutex_);
  return target_;
}

void S3Client::SetRegion(const std::string& region) {
  auto target = MakeRef<const Target>(region, settings_.HostOf(region));
  MutexLock lock(mutex_);
  target_ = std::move(target);
}

void S3Client::SetHost(const Endpoint& host) {
  MutexLock lock(mutex_);
  target_ = MakeRef<const Target>(target_->region, host);
}

void S3Client::Send(S3Request request, const Call& call, Answered answered) {
  MakeRef<Exchange>(Ref<S3Client>(this), std::move(request), call, std::move(answered))->Begin();
}

void S3Client::Presign(std::string method, std::string object, int64_t seconds, Presigned done) {
  credentials_->Get(
      Call(), [self = Ref<S3Client>(this), method = std::move(method), object = std::move(object),
               seconds, done = std::move(done)](Result<Ref<const Identity>>&& found) mutable {
        if (!found.ok()) return done(found.status());
        const Identity& who = **found;
        const Ref<const Target> target = self->target();
        const std::string path = self->base_path_ + EncodePath(object);
        if (who.anonymous) return done(target->origin + path);
        const Scope scope{SigningTime(self->WallMs()), target->region};
        const std::string query =
            PresignedQuery(self->keys_, who.access_key, who.secret, who.session_token, scope,
                           method, path, {}, {{"host", target->authority}}, seconds);
        done(target->origin + path + "?" + query);
      });
}

}  // namespace chainstore::s3
