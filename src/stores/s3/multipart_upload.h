// MultipartUpload: a large value put as parts, several at once, which the server makes one object
// of at the end. The parts are sent from the value's own bytes: nothing is copied. An upload that
// fails is aborted, so that the server does not keep (and charge for) its parts.
// Thread safety: Begin once; the answer runs where S3Client's do, after the last request has ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "stores/s3/s3_client.h"
#include "stores/s3/upload_note.h"

namespace chainstore::s3 {

struct UploadJob {
  const char* operation = "put";
  std::string object;
  std::string user_key;
  Bytes body;  // must live until the answer
  Ref<Value> body_owner;
  Headers headers;       // of the object
  std::string write_id;  // is in `headers`: tells this upload's object from another
  Call call;
};

// The size of all parts but the last: `wanted`, or what keeps them under 10,000.
uint64_t PartSize(uint64_t total, uint64_t wanted) noexcept;

class MultipartUpload final : public RefCounted<MultipartUpload> {
 public:
  // kOk: with the object's "etag" among the headers, if the server tells it.
  using Answered = UniqueFunction<void(S3Reply&&)>;
  MultipartUpload(Ref<S3Client> client, UploadJob job, Answered answered);
  void Begin();

 private:
  struct Part {
    std::string etag;
    std::string checksum;  // base64; empty: none was sent
  };
  S3Request NewRequest(const char* method) const;
  // Notes the upload, which waits for the disk, and goes on.
  void Note();
  void SendParts();
  void SendPart(size_t index, UniqueFunction<void()> next);
  void OnParts();
  void OnComplete(S3Reply&& reply);
  // The upload is gone: either an attempt without an answer has completed it, or somebody aborted.
  void AskWhatIsThere(S3Reply&& refusal);
  void Abort(S3Reply&& failure);
  std::string CompleteDocument() const;
  void Fail(S3Reply&& reply) CS_EXCLUDES(mutex_);
  bool failed() CS_EXCLUDES(mutex_);

  const Ref<S3Client> client_;
  const UploadJob job_;
  const Call parts_call_;  // a part is sent again in any case: it stands for all of them
  Answered answered_;
  const uint64_t part_size_;
  std::string upload_id_;
  std::unique_ptr<UploadNote> note_;
  std::vector<Part> parts_;  // each is written by its own step
  Mutex mutex_;
  std::unique_ptr<S3Reply> failure_ CS_GUARDED_BY(mutex_);  // the first
};

}  // namespace chainstore::s3
