#include "stores/s3/s3_get.h"

#include "base/checksum.h"
#include "stores/s3/digest.h"
#include "stores/s3/ranged_download.h"

namespace chainstore::s3 {
namespace {

// No object is larger, so that no range begins beyond it.
constexpr uint64_t kLargestObject = uint64_t{5} << 40;

std::string RangeHeader(const Read& read) {
  std::string text = "bytes=" + std::to_string(read.offset) + "-";
  if (read.length <= kLargestObject) text += std::to_string(read.offset + read.length - 1);
  return text;
}

// Our own checksum, and the server's where it sends one: of the whole object, not of its parts
// ("AAAAAA==-3").
bool MatchesChecksums(const S3Reply& reply, const ObjectMeta& object) {
  const std::string* const sent = reply.Find("x-amz-checksum-crc32c");
  const bool is_whole = sent && sent->find('-') == std::string::npos;
  if (!object.has_crc && !is_whole) return true;
  const uint32_t crc = Crc32c(reply.body->bytes());
  return (!object.has_crc || crc == object.crc32c) && (!is_whole || *sent == Crc32cBase64(crc));
}

}  // namespace

S3Get::S3Get(Ref<S3Objects> objects, Bytes key, const Read& read, const Call& call,
             const char* operation, S3Objects::GotAnswer done)
    : objects_(std::move(objects)),
      key_(key),
      read_(read),
      is_range_(read.what == Read::What::kRange),
      call_(call),
      operation_(operation),
      done_(std::move(done)) {}

Failure S3Get::Fail(Code code, std::string what) const {
  Failure failure = objects_->Fail(code, operation_, std::move(what));
  failure.KeyIs(key_);
  return failure;
}

void S3Get::Begin() {
  if (!is_range_ || (read_.length != 0 && read_.offset < kLargestObject)) return Ask();
  // None of it, but how long it is.
  objects_->Stat(key_, call_, operation_, [self = Ref<S3Get>(this)](Answer&& answer) {
    if (answer.status.ok()) answer.value = Value::Copy("");
    self->done_(std::move(answer));
  });
}

void S3Get::Ask() {
  S3Request request = objects_->NewRequest(operation_, "s3:GetObject", "GET", key_);
  request.headers = settings().read_headers;
  request.is_object = true;
  request.max_body_bytes = settings().max_value_size;
  if (!in_one_) request.cut_from = settings().multipart_threshold;
  if (is_range_) request.headers.emplace_back("range", RangeHeader(read_));
  objects_->client().Send(std::move(request), call_, [self = Ref<S3Get>(this)](S3Reply&& reply) {
    self->OnReply(std::move(reply));
  });
}

void S3Get::OnReply(S3Reply&& reply) {
  if (reply.http_status == 416 && is_range_) {
    // At or past the end: how long the value is, and none of it.
    return objects_->Get(key_, Read::Range(0, 0), call_, operation_, std::move(done_));
  }
  if (reply.status.Is(Code::kNotFound)) return OnMiss(std::move(reply));
  if (!reply.status.ok()) return done_(std::move(reply.status));
  objects_->SawBucket();
  reply.cut ? Download(std::move(reply)) : Finish(std::move(reply));
}

void S3Get::OnMiss(S3Reply&& reply) {
  const S3Request asked = objects_->NewRequest(operation_, "s3:GetObject", "GET", key_);
  objects_->TellMiss(std::move(reply), asked, call_, [self = Ref<S3Get>(this)](Status&& status) {
    self->done_(std::move(status));
  });
}

void S3Get::Download(S3Reply&& reply) {
  DownloadJob job;
  job.operation = operation_;
  job.object = objects_->keys().Encode(key_);
  job.user_key = key_;
  job.etag = *reply.Find("etag");
  job.size = job.total = reply.announced;
  job.call = call_;
  if (is_range_ && reply.http_status == 206) {
    ContentRange range;
    if (!IsRangeAsked(reply, reply.announced, &range)) return Finish(std::move(reply));
    job.first = range.first;
    job.total = range.total;
  }
  // A server that sends all of it for a range knows none; a weak ETag never matches.
  if ((is_range_ && reply.http_status != 206) || job.etag.starts_with("W/")) {
    in_one_ = true;
    return Ask();
  }
  MakeRef<RangedDownload>(
      Ref<S3Client>(&objects_->client()), std::move(job),
      [self = Ref<S3Get>(this), reply = std::move(reply)](Downloaded&& downloaded) mutable {
        if (downloaded.in_one) {
          self->in_one_ = true;  // one answer is of one object, whoever writes it meanwhile
          return self->Ask();
        }
        if (!downloaded.status.ok()) return self->done_(std::move(downloaded.status));
        reply.body = std::move(downloaded.value);
        self->Finish(std::move(reply));
      })
      ->Begin();
}

void S3Get::Finish(S3Reply&& reply) {
  Answer answer = is_range_ && reply.http_status == 206 ? CheckRange(std::move(reply))
                                                        : CheckWhole(std::move(reply));
  if (!answer.status.ok()) return done_(std::move(answer));
  if (objects_->IsExpired(answer.meta)) return done_(Code::kNotFound);
  answer.tier = 1;
  if (is_range_ && answer.value->size() == answer.meta.total_size) {
    // All of it, whether asked for or because the server does not know ranges.
    const size_t total = answer.value->size();
    answer.value = Value::Slice(answer.value, read_.Offset(total), read_.Length(total));
  }
  done_(std::move(answer));
}

Answer S3Get::CheckWhole(S3Reply&& reply) const {
  const ObjectMeta object = ObjectMeta::Read(reply.headers);
  if (settings().verify && !MatchesChecksums(reply, object)) {
    return Status(Fail(Code::kCorrupt, "the value does not match its checksum"));
  }
  if (objects_->keys().IsDigest(key_) && object.key != key_) {
    return Status(Fail(Code::kCorrupt, "the object belongs to another key"));
  }
  Answer answer;
  answer.meta = object.meta;
  answer.meta.total_size = reply.body->size();
  answer.value = std::move(reply.body);
  return answer;
}

bool S3Get::IsRangeAsked(const S3Reply& reply, uint64_t size, ContentRange* range) const {
  const std::string* const text = reply.Find("content-range");
  return text && ParseContentRange(*text, range) && !range->unsatisfied &&
         range->first == read_.offset && range->last - range->first + 1 == size &&
         size <= read_.length && (size == read_.length || range->last + 1 == range->total);
}

Answer S3Get::CheckRange(S3Reply&& reply) const {
  ContentRange range;
  if (!IsRangeAsked(reply, reply.body->size(), &range)) {
    return Status(
        Fail(Code::kIo, "the server sent another range than was asked for").Retryable(false));
  }
  Answer answer;
  answer.meta = ObjectMeta::Read(reply.headers).meta;
  answer.meta.total_size = range.total;
  answer.value = std::move(reply.body);
  return answer;
}

}  // namespace chainstore::s3
