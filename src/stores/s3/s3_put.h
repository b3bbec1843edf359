// S3Put: one put of a key, as one request or in parts, with its condition: what came of an attempt
// that got no answer, and an entry in its way that has expired.
// Thread safety: Begin once; the answer runs where S3Client's do. The payload's bytes must live
// until then.
#pragma once

#include <string>

#include "stores/s3/s3_objects.h"

namespace chainstore::s3 {

class S3Put final : public RefCounted<S3Put> {
 public:
  S3Put(Ref<S3Objects> objects, Bytes key, const Payload& payload, const Call& call,
        const char* operation, S3Objects::GotReceipt done);
  void Begin();

 private:
  Status CheckPayload(bool in_parts) const;
  Headers ObjectHeaders(uint32_t crc) const;
  void SendWhole();
  void SendParts();
  void OnReply(S3Reply&& reply);
  void OnTaken(bool ambiguous);
  void OnFound(Status&& status, ObjectMeta&& object, bool ambiguous);
  void DeleteExpired(const std::string& etag);
  Failure Fail(Code code, std::string what) const;
  const S3Settings& settings() const noexcept { return objects_->settings(); }

  const Ref<S3Objects> objects_;
  const std::string key_;
  const Payload payload_;
  const Call call_;
  const char* const operation_;
  const bool if_absent_;
  std::string write_id_;  // of a put that must find nothing, or in parts: names what it stores
  bool cleared_ = false;  // an expired entry was deleted for it
  S3Objects::GotReceipt done_;
};

}  // namespace chainstore::s3
