#include "stores/s3/multipart_upload.h"

#include <algorithm>

#include "base/checksum.h"
#include "core/one_attempt.h"
#include "stores/s3/object_meta.h"
#include "stores/s3/parallel.h"

namespace chainstore::s3 {
namespace {

constexpr uint64_t kMostParts = 9'999;
// How long an answer is held back by an abort: the caller's own time may be up already.
constexpr uint64_t kAbortMs = 800;

Call SeveralAttempts(Call call) {
  call.flags &= ~kOneAttempt;
  return call;
}

}  // namespace

uint64_t PartSize(uint64_t total, uint64_t wanted) noexcept {
  constexpr uint64_t kStep = uint64_t{1} << 20;
  const uint64_t least = (total + kMostParts - 1) / kMostParts;
  return least <= wanted ? wanted : (least + kStep - 1) / kStep * kStep;
}

MultipartUpload::MultipartUpload(Ref<S3Client> client, UploadJob job, Answered answered)
    : client_(std::move(client)),
      job_(std::move(job)),
      parts_call_(SeveralAttempts(job_.call)),
      answered_(std::move(answered)),
      part_size_(PartSize(job_.body.size(), client_->settings().part_size)),
      parts_((job_.body.size() + part_size_ - 1) / part_size_) {}

S3Request MultipartUpload::NewRequest(const char* method) const {
  S3Request request;
  request.operation = job_.operation;
  request.action = "s3:PutObject";
  request.method = method;
  request.object = job_.object;
  request.user_key = job_.user_key;
  request.headers = client_->settings().read_headers;  // the customer's key
  return request;
}

void MultipartUpload::Begin() {
  S3Request request = NewRequest("POST");
  request.query = {{"uploads", ""}};
  request.has_body = true;  // an empty one
  request.headers.insert(request.headers.end(), job_.headers.begin(), job_.headers.end());
  if (client_->settings().checksum == S3Settings::Checksum::kCrc32c) {
    request.headers.emplace_back("x-amz-checksum-algorithm", "CRC32C");
  }
  request.root = "InitiateMultipartUploadResult";
  client_->Send(std::move(request), job_.call,
                [self = Ref<MultipartUpload>(this)](S3Reply&& reply) {
                  if (!reply.status.ok()) return self->answered_(std::move(reply));
                  self->upload_id_ = reply.root->Text("UploadId");
                  if (self->upload_id_.empty()) {
                    reply.status = Failure(Code::kIo, "the answer has no UploadId")
                                       .Op(self->job_.operation)
                                       .KeyIs(self->job_.user_key);
                    return self->answered_(std::move(reply));
                  }
                  if (self->client_->settings().upload_notes.empty()) return self->SendParts();
                  // Not on the HTTP thread, which goes on with its transfers; nor in a lane whose
                  // tasks may be waiting for this put.
                  self->client_->runtime().Post(Lane::kBackground, [self] { self->Note(); });
                });
}

void MultipartUpload::Note() {
  const S3Settings& settings = client_->settings();
  auto note =
      UploadNote::Write(settings.upload_notes, {settings.BucketUrl(), job_.object, upload_id_});
  if (!note.ok()) {
    S3Reply reply;
    reply.status = note.status();
    return Abort(std::move(reply));
  }
  note_ = std::move(*note);
  SendParts();
}

// ---- The parts ----

void MultipartUpload::SendParts() {
  RunParallel(
      parts_.size(), client_->settings().part_concurrency,
      [self = Ref<MultipartUpload>(this)](size_t index, UniqueFunction<void()> next) {
        if (self->failed()) return next();
        // Its hashes take milliseconds, and this may be the HTTP thread. In the fast lane: who
        // waits for the upload may be in the slow one.
        self->client_->runtime().Post(Lane::kFast, [self, index, next = std::move(next)]() mutable {
          self->SendPart(index, std::move(next));
        });
      },
      [self = Ref<MultipartUpload>(this)] { self->OnParts(); });
}

void MultipartUpload::SendPart(size_t index, UniqueFunction<void()> next) {
  S3Request request = NewRequest("PUT");
  request.query = {{"partNumber", std::to_string(index + 1)}, {"uploadId", upload_id_}};
  request.has_body = true;
  request.body = job_.body.substr(index * part_size_, part_size_);
  request.body_owner = job_.body_owner;
  request.is_object = true;
  if (client_->settings().checksum == S3Settings::Checksum::kCrc32c) {
    parts_[index].checksum = Crc32cBase64(Crc32c(request.body));
    request.headers.emplace_back("x-amz-checksum-crc32c", parts_[index].checksum);
  } else if (client_->settings().checksum == S3Settings::Checksum::kMd5) {
    request.headers.emplace_back("content-md5", Md5Base64(request.body));
  }
  client_->Send(
      std::move(request), parts_call_,
      [self = Ref<MultipartUpload>(this), index, next = std::move(next)](S3Reply&& reply) mutable {
        if (reply.status.ok()) {
          self->parts_[index].etag = *reply.Find("etag");
        } else {
          self->Fail(std::move(reply));
        }
        next();
      });
}

void MultipartUpload::Fail(S3Reply&& reply) {
  MutexLock lock(mutex_);
  if (!failure_) failure_ = std::make_unique<S3Reply>(std::move(reply));
}

bool MultipartUpload::failed() {
  MutexLock lock(mutex_);
  return failure_ != nullptr;
}

// ---- The end ----

void MultipartUpload::OnParts() {
  std::unique_ptr<S3Reply> failure;
  {
    MutexLock lock(mutex_);
    failure = std::move(failure_);
  }
  if (failure) return Abort(std::move(*failure));
  S3Request request = NewRequest("POST");
  request.query = {{"uploadId", upload_id_}};
  request.has_body = true;
  request.body_owner = Value::Copy(CompleteDocument());
  request.body = request.body_owner->bytes();
  request.headers.emplace_back("content-type", "application/xml");
  request.root = "CompleteMultipartUploadResult";
  client_->Send(
      std::move(request), parts_call_,
      [self = Ref<MultipartUpload>(this)](S3Reply&& reply) { self->OnComplete(std::move(reply)); });
}

std::string MultipartUpload::CompleteDocument() const {
  std::string text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t index = 0; index < parts_.size(); ++index) {
    text.append("<Part><PartNumber>").append(std::to_string(index + 1)).append("</PartNumber>");
    text.append("<ETag>").append(EscapeXml(OneLine(parts_[index].etag))).append("</ETag>");
    if (!parts_[index].checksum.empty()) {
      text.append("<ChecksumCRC32C>").append(parts_[index].checksum).append("</ChecksumCRC32C>");
    }
    text.append("</Part>");
  }
  return text + "</CompleteMultipartUpload>";
}

void MultipartUpload::OnComplete(S3Reply&& reply) {
  if (note_ && (reply.status.ok() || reply.s3_code == "NoSuchUpload")) note_->Forget();
  if (reply.s3_code == "NoSuchUpload") return AskWhatIsThere(std::move(reply));
  if (!reply.status.ok()) return Abort(std::move(reply));
  std::string etag(reply.root->Text("ETag"));
  if (!etag.empty() && !etag.starts_with('"')) etag = '"' + etag + '"';  // as a get shows it
  reply.headers.clear();
  if (!etag.empty()) reply.headers.emplace_back("etag", std::move(etag));
  answered_(std::move(reply));
}

void MultipartUpload::AskWhatIsThere(S3Reply&& refusal) {
  S3Request request = NewRequest("HEAD");
  request.action = "s3:GetObject";
  request.is_object = true;
  request.max_body_bytes = 0;
  client_->Send(
      std::move(request), parts_call_,
      [self = Ref<MultipartUpload>(this), refusal = std::move(refusal)](S3Reply&& found) mutable {
        const bool ours =
            found.status.ok() && ObjectMeta::Read(found.headers).write_id == self->job_.write_id;
        self->answered_(ours ? std::move(found) : std::move(refusal));
      });
}

void MultipartUpload::Abort(S3Reply&& failure) {
  S3Request request = NewRequest("DELETE");
  request.action = "s3:AbortMultipartUpload";
  request.query = {{"uploadId", upload_id_}};
  request.headers.clear();
  Call call;  // of its own: the caller's time may be up, or his token fired
  call.deadline_ns = Clock::System().DeadlineAfterMs(kAbortMs);
  client_->Send(
      std::move(request), call,
      [self = Ref<MultipartUpload>(this), failure = std::move(failure)](S3Reply&& aborted) mutable {
        const bool gone = aborted.status.ok() || aborted.s3_code == "NoSuchUpload";
        if (self->note_ && gone) self->note_->Forget();
        self->answered_(std::move(failure));
      });
}

}  // namespace chainstore::s3
