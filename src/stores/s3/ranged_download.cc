#include "stores/s3/ranged_download.h"

#include <algorithm>

#include "stores/s3/object_meta.h"
#include "stores/s3/parallel.h"

namespace chainstore::s3 {

RangedDownload::RangedDownload(Ref<S3Client> client, DownloadJob job, Answered answered)
    : client_(std::move(client)),
      job_(std::move(job)),
      answered_(std::move(answered)),
      part_size_(client_->settings().part_size) {}

void RangedDownload::Begin() {
  try {
    value_ = Value::Allocate(job_.size, &room_);
  } catch (const std::bad_alloc&) {
    return answered_({false,
                      Failure(Code::kNoMemory, "there is no memory for a value of " +
                                                   std::to_string(job_.size) + " bytes")
                          .Op(job_.operation)
                          .KeyIs(job_.user_key),
                      nullptr});
  }
  RunParallel((job_.size + part_size_ - 1) / part_size_, client_->settings().part_concurrency,
              [self = Ref<RangedDownload>(this)](size_t index, UniqueFunction<void()> next) {
                if (self->ended()) return next();
                self->Ask(index, std::move(next));
              },
              [self = Ref<RangedDownload>(this)] { self->Finish(); });
}

void RangedDownload::Ask(size_t index, UniqueFunction<void()> next) {
  const uint64_t begin = index * part_size_;
  const uint64_t size = std::min(part_size_, job_.size - begin);
  const uint64_t first = job_.first + begin;
  S3Request request;
  request.operation = job_.operation;
  request.action = "s3:GetObject";
  request.object = job_.object;
  request.user_key = job_.user_key;
  request.headers = client_->settings().read_headers;
  request.headers.emplace_back("if-match", job_.etag);
  request.headers.emplace_back(
      "range", "bytes=" + std::to_string(first) + "-" + std::to_string(first + size - 1));
  request.is_object = true;
  request.max_body_bytes = size;
  request.room = room_ + begin;
  client_->Send(std::move(request), job_.call,
                [self = Ref<RangedDownload>(this), first, size,
                 next = std::move(next)](S3Reply&& reply) mutable {
                  const bool same = self->IsSame(reply);
                  Status status = same ? self->Check(reply, first, size) : Status();
                  {
                    MutexLock lock(self->mutex_);
                    if (!same) self->outcome_.in_one = true;
                    if (self->outcome_.status.ok()) self->outcome_.status = std::move(status);
                  }
                  next();
                });
}

bool RangedDownload::IsSame(const S3Reply& reply) const {
  // Another object is there now, or none; or the server sends all of it, whatever it is asked.
  for (const int status : {200, 404, 412, 416}) {
    if (reply.http_status == status) return false;
  }
  if (!reply.status.ok()) return true;  // it does not say
  ContentRange range;
  const std::string* const text = reply.Find("content-range");
  if (text && ParseContentRange(*text, &range) && range.total != job_.total) return false;
  return *reply.Find("etag") == job_.etag;
}

Status RangedDownload::Check(const S3Reply& reply, uint64_t first, uint64_t size) const {
  if (!reply.status.ok()) return reply.status;
  const std::string* const text = reply.Find("content-range");
  ContentRange range;
  if (text && ParseContentRange(*text, &range) && !range.unsatisfied && range.first == first &&
      range.last - first + 1 == size && reply.received == size) {
    return Status();
  }
  return Failure(Code::kIo, "the server sent another range than was asked for")
      .Op(job_.operation)
      .KeyIs(job_.user_key)
      .Retryable(false);
}

bool RangedDownload::ended() {
  MutexLock lock(mutex_);
  return outcome_.in_one || !outcome_.status.ok();
}

void RangedDownload::Finish() {
  Downloaded outcome;
  {
    MutexLock lock(mutex_);
    outcome = std::move(outcome_);
  }
  if (!outcome.in_one && outcome.status.ok()) outcome.value = std::move(value_);
  answered_(std::move(outcome));
}

}  // namespace chainstore::s3
