// S3Objects: the operations on single objects of a bucket, each with the key that the caller uses:
// what S3Store and its scans are made of.
// Thread safety: any thread. Answers run where S3Client's do, and must not block. A payload's bytes
// must live until its answer.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "core/answer.h"
#include "core/request.h"
#include "stores/s3/condition_probe.h"
#include "stores/s3/object_key.h"
#include "stores/s3/object_meta.h"
#include "stores/s3/s3_client.h"

namespace chainstore::s3 {

class S3Objects final : public RefCounted<S3Objects> {
 public:
  S3Objects(S3Settings settings, const Ref<Runtime>& runtime, Ref<CancelToken> closing);

  using GotAnswer = UniqueFunction<void(Answer&&)>;
  using GotReceipt = UniqueFunction<void(Receipt&&)>;
  void Get(Bytes key, const Read& read, const Call& call, const char* operation, GotAnswer done);
  void Put(Bytes key, const Payload& payload, const Call& call, const char* operation,
           GotReceipt done);
  void Del(Bytes key, const Call& call, const char* operation, GotReceipt done);
  // Begins to abort the uploads in parts that a crash has left, if they were noted.
  void AbortLeftUploads();
  // At most kMaxDeletes keys; one status each.
  static constexpr size_t kMaxDeletes = 1000;
  using GotStatuses = UniqueFunction<void(std::vector<Status>&&)>;
  void DelMany(std::vector<std::string> keys, const Call& call, GotStatuses done);

  // Objects as they are, for scans.
  using GotMeta = UniqueFunction<void(Status&&, ObjectMeta&&)>;
  void Head(std::string object, Bytes key, const Call& call, const char* operation, GotMeta done);
  using GotReply = UniqueFunction<void(S3Reply&&)>;
  void List(const std::string& prefix, const std::string& start_after, size_t most,
            const Call& call, GotReply done);

  // A 404 that does not say what is missing: the bucket may be.
  void TellMiss(S3Reply&& reply, const S3Request& asked, const Call& call,
                UniqueFunction<void(Status&&)> done);
  void Stat(Bytes key, const Call& call, const char* operation, GotAnswer done);

  // Whether a put may be sent with a condition.
  void AskForConditions(const Call& call, UniqueFunction<void(Status&&)> done);

  S3Client& client() noexcept { return *client_; }
  S3Request NewRequest(const char* operation, const char* action, const char* method, Bytes key);
  // An answer has shown that the bucket is there.
  void SawBucket() noexcept { bucket_seen_.store(true, std::memory_order_relaxed); }
  const ObjectKeys& keys() const noexcept { return keys_; }
  const S3Settings& settings() const noexcept { return client_->settings(); }
  bool IsExpired(const Meta& meta) const noexcept {
    return meta.expires_at_ms != 0 && meta.expires_at_ms <= runtime_->clock().WallMs();
  }
  Failure Fail(Code code, const char* operation, std::string what) const;

 private:
  void TellRefused(const XmlNode& root, const std::vector<std::string>& keys,
                   const std::vector<std::string>& objects, std::vector<Status>* statuses) const;

  const Ref<Runtime> runtime_;
  const Ref<S3Client> client_;
  const std::string name_;
  const ObjectKeys keys_;
  ConditionProbe conditions_;
  std::atomic<bool> bucket_seen_{false};
};

}  // namespace chainstore::s3
