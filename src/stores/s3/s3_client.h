// S3Client: sends one S3 request and sees it through: signs every attempt anew, sends again what
// may be sent again, follows the bucket to its region, learns the server's clock, renews expired
// credentials. What it answers is final.
// Thread safety: Send from any thread. The answer runs on the HTTP thread, or on a library thread
// if there were no credentials, and must not block.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "core/call.h"
#include "core/runtime.h"
#include "stores/s3/credentials.h"
#include "stores/s3/http.h"
#include "stores/s3/retry.h"
#include "stores/s3/s3_error.h"
#include "stores/s3/s3_meters.h"
#include "stores/s3/s3_settings.h"
#include "stores/s3/sigv4.h"
#include "stores/s3/xml.h"

namespace chainstore::s3 {

struct S3Request {
  S3Request() = default;
  S3Request(const S3Request&) = default;
  S3Request(S3Request&&) = default;
  ~S3Request() { WipeSecrets(&headers); }
  RequestKind kind() const noexcept;
  const char* operation = "";  // for errors: "put"
  const char* action = "";     // the permission that it needs: "s3:PutObject"
  std::string method = "GET";
  std::string object;    // the object's key; empty: the bucket itself
  std::string user_key;  // for errors
  Query query;
  Headers headers;
  bool has_body = false;
  Bytes body;
  Ref<Value> body_owner;
  uint64_t max_body_bytes = kMaxXmlBytes;
  uint64_t cut_from = 0;       // as in HttpRequest
  char* room = nullptr;        // the same
  const char* root = nullptr;  // the element that a success must have; null: no XML
  bool is_question = false;    // where the bucket is: a redirect is the answer
  bool is_object = false;      // a success must have an ETag: an answer without is no S3 server's

  bool reads() const noexcept { return method == "GET" || method == "HEAD"; }
};

struct S3Reply {
  Status status;  // kOk: a 2xx as it should be; kNotFound, kExists: answers; else a failure
  int http_status = 0;
  std::string s3_code;
  Headers headers;
  Ref<Value> body;
  bool cut = false;  // as in HttpReply
  uint64_t announced = 0;
  uint64_t received = 0;
  std::unique_ptr<XmlNode> root;
  int attempts = 1;
  bool ambiguous = false;  // an attempt before the last may have taken effect

  const std::string* Find(Bytes name) const noexcept;
};

class S3Client final : public RefCounted<S3Client> {
 public:
  using Answered = UniqueFunction<void(S3Reply&&)>;
  S3Client(S3Settings settings, Ref<Runtime> runtime, Ref<CancelToken> closing);

  const S3Settings& settings() const noexcept { return settings_; }
  Runtime& runtime() const noexcept { return *runtime_; }
  void Send(S3Request request, const Call& call, Answered answered);
  // A pre-signed URL, once there are credentials; inline or on a library thread.
  using Presigned = UniqueFunction<void(Result<std::string>&&)>;
  void Presign(std::string method, std::string object, int64_t seconds, Presigned done);
  // Ends what is under way, and the HTTP thread. May block.
  void Stop() {
    credentials_->Stop();
    http_.Stop();
  }
  void CollectMetrics(MetricSet* out) const {
    meters_.Collect(http_.meters(), settings_.prices, name_, out);
  }

 private:
  class Exchange;
  friend class Exchange;
  // Where requests go, and for which region they are signed.
  struct Target final : RefCounted<Target> {
    Target(std::string in_region, Endpoint at)
        : region(std::move(in_region)),
          host(std::move(at)),
          authority(host.Authority()),
          origin(host.Origin()) {}
    const std::string region;
    const Endpoint host;
    const std::string authority;
    const std::string origin;
  };
  Ref<const Target> target() const CS_EXCLUDES(mutex_);
  void SetRegion(const std::string& region) CS_EXCLUDES(mutex_);
  void SetHost(const Endpoint& host) CS_EXCLUDES(mutex_);
  int64_t WallMs() const noexcept { return runtime_->clock().WallMs() + skew_ms_.load(); }

  const Ref<Runtime> runtime_;  // the last to go: what the others let go of may be the user's
  const S3Settings settings_;
  const std::string name_;
  const std::string base_path_;
  const Ref<CancelToken> closing_;
  const Ref<Credentials> credentials_;
  SigningKeys keys_;
  RetryBudget budget_;
  S3Meters meters_;
  std::atomic<int64_t> skew_ms_{0};
  mutable Mutex mutex_;
  Ref<const Target> target_ CS_GUARDED_BY(mutex_);
  HttpClient http_;
};

}  // namespace chainstore::s3
