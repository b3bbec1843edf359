#include "stores/s3/s3_put.h"

#include <random>

#include "base/checksum.h"
#include "stores/s3/digest.h"
#include "stores/s3/multipart_upload.h"

namespace chainstore::s3 {
namespace {

constexpr uint64_t kLargestPut = uint64_t{5} << 30;  // that S3 takes as one request

std::string NewWriteId() {
  std::random_device random;
  const uint64_t number = uint64_t{random()} << 32 | random();
  return Hex(Bytes(reinterpret_cast<const char*>(&number), sizeof(number)));
}

}  // namespace

S3Put::S3Put(Ref<S3Objects> objects, Bytes key, const Payload& payload, const Call& call,
             const char* operation, S3Objects::GotReceipt done)
    : objects_(std::move(objects)),
      key_(key),
      payload_(payload),
      call_(call),
      operation_(operation),
      if_absent_(call.Has(Call::kIfAbsent)),
      done_(std::move(done)) {}

Failure S3Put::Fail(Code code, std::string what) const {
  Failure failure = objects_->Fail(code, operation_, std::move(what));
  failure.KeyIs(key_);
  return failure;
}

Status S3Put::CheckPayload(bool in_parts) const {
  if (payload_.size() > settings().max_value_size) {
    return Fail(Code::kTooLarge, "a value of " + std::to_string(payload_.size()) +
                                     " bytes is larger than max_value_size=" +
                                     std::to_string(settings().max_value_size));
  }
  if (!in_parts && payload_.size() > kLargestPut) {
    return Fail(Code::kTooLarge, "a value of more than 5 GiB cannot be put under a condition");
  }
  if (payload_.expires_at_ms() != 0 && !settings().ttl) {
    return Fail(Code::kUnsupported, "the store was opened with ttl=false")
        .Hint("put it without a time to live");
  }
  return Status();
}

void S3Put::Begin() {
  // A condition is kept by every server for a single put only: some ignore it for one in parts.
  const bool in_parts = payload_.size() >= settings().multipart_threshold && !if_absent_;
  if (Status wrong = CheckPayload(in_parts); !wrong.ok()) return done_(std::move(wrong));
  if (in_parts || if_absent_) write_id_ = NewWriteId();
  if (!if_absent_) return in_parts ? SendParts() : SendWhole();
  objects_->AskForConditions(call_, [self = Ref<S3Put>(this)](Status&& status) {
    status.ok() ? self->SendWhole() : self->done_(std::move(status));
  });
}

Headers S3Put::ObjectHeaders(uint32_t crc) const {
  Headers headers = settings().put_headers;
  AppendMeta(&headers, crc, payload_.expires_at_ms(),
             objects_->keys().IsDigest(key_) ? Bytes(key_) : Bytes(), write_id_);
  return headers;
}

void S3Put::SendParts() {
  UploadJob job;
  job.operation = operation_;
  job.object = objects_->keys().Encode(key_);
  job.user_key = key_;
  job.body = payload_.bytes();
  job.body_owner = payload_.value();
  job.headers = ObjectHeaders(Crc32c(job.body));
  job.write_id = write_id_;
  job.call = call_;
  MakeRef<MultipartUpload>(
      Ref<S3Client>(&objects_->client()), std::move(job),
      [self = Ref<S3Put>(this)](S3Reply&& reply) { self->OnReply(std::move(reply)); })
      ->Begin();
}

void S3Put::SendWhole() {
  S3Request request = objects_->NewRequest(operation_, "s3:PutObject", "PUT", key_);
  request.has_body = true;
  request.body = payload_.bytes();
  request.body_owner = payload_.value();
  request.is_object = true;
  const uint32_t crc = Crc32c(request.body);
  request.headers = ObjectHeaders(crc);
  request.headers.insert(request.headers.end(), settings().read_headers.begin(),
                         settings().read_headers.end());
  if (settings().checksum == S3Settings::Checksum::kCrc32c) {
    request.headers.emplace_back("x-amz-checksum-crc32c", Crc32cBase64(crc));
  } else if (settings().checksum == S3Settings::Checksum::kMd5) {
    request.headers.emplace_back("content-md5", Md5Base64(request.body));
  }
  if (if_absent_) request.headers.emplace_back("if-none-match", "*");
  objects_->client().Send(std::move(request), call_, [self = Ref<S3Put>(this)](S3Reply&& reply) {
    self->OnReply(std::move(reply));
  });
}

void S3Put::OnReply(S3Reply&& reply) {
  if (reply.status.Is(Code::kExists) && if_absent_) return OnTaken(reply.ambiguous);
  if (reply.status.Is(Code::kNotFound) || reply.status.Is(Code::kExists)) {
    return done_(Status(Fail(
        Code::kIo, "the server answers a put with HTTP " + std::to_string(reply.http_status))));
  }
  if (!reply.status.ok()) return done_(std::move(reply.status));
  objects_->SawBucket();
  Receipt receipt;
  receipt.meta.total_size = payload_.size();
  receipt.meta.expires_at_ms = payload_.expires_at_ms();
  const std::string* const etag = reply.Find("etag");
  receipt.meta.version = etag ? VersionOfEtag(*etag) : 0;
  done_(std::move(receipt));
}

// Something is there. It may be what this very put has stored by an attempt that got no answer, or
// an entry that has expired and counts for nothing.
void S3Put::OnTaken(bool ambiguous) {
  objects_->Head(objects_->keys().Encode(key_), key_, call_, operation_,
                 [self = Ref<S3Put>(this), ambiguous](Status&& status, ObjectMeta&& object) {
                   self->OnFound(std::move(status), std::move(object), ambiguous);
                 });
}

void S3Put::OnFound(Status&& status, ObjectMeta&& object, bool ambiguous) {
  if (status.failed()) return done_(std::move(status));
  if (status.ok() && ambiguous && object.write_id == write_id_) {
    Receipt receipt;
    receipt.meta = object.meta;
    return done_(std::move(receipt));
  }
  const bool free = !status.ok() || objects_->IsExpired(object.meta);
  if (!free || std::exchange(cleared_, true)) return done_(Code::kExists);
  if (!status.ok()) return SendWhole();
  DeleteExpired(object.etag);
}

// Only this very entry: where the server knows conditions, a newer one stays.
void S3Put::DeleteExpired(const std::string& etag) {
  S3Request request = objects_->NewRequest(operation_, "s3:DeleteObject", "DELETE", key_);
  request.headers.emplace_back("if-match", etag);
  objects_->client().Send(std::move(request), call_, [self = Ref<S3Put>(this)](S3Reply&& reply) {
    if (reply.status.failed()) return self->done_(std::move(reply.status));
    self->SendWhole();
  });
}

}  // namespace chainstore::s3
