// S3Get: one read of a value or a part of it: one request, or, where its answer turns out to be a
// large one, as many as it takes. What comes back has been checked.
// Thread safety: Begin once; the answer runs where S3Client's do.
#pragma once

#include <string>

#include "stores/s3/s3_objects.h"

namespace chainstore::s3 {

class S3Get final : public RefCounted<S3Get> {
 public:
  S3Get(Ref<S3Objects> objects, Bytes key, const Read& read, const Call& call,
        const char* operation, S3Objects::GotAnswer done);
  void Begin();

 private:
  void Ask();
  void OnReply(S3Reply&& reply);
  void OnMiss(S3Reply&& reply);
  // The answer was cut before its body: it is had in ranges.
  void Download(S3Reply&& reply);
  void Finish(S3Reply&& reply);
  Answer CheckWhole(S3Reply&& reply) const;
  Answer CheckRange(S3Reply&& reply) const;
  bool IsRangeAsked(const S3Reply& reply, uint64_t size, ContentRange* range) const;
  Failure Fail(Code code, std::string what) const;
  const S3Settings& settings() const noexcept { return objects_->settings(); }

  const Ref<S3Objects> objects_;
  const std::string key_;
  const Read read_;
  const bool is_range_;
  const Call call_;
  const char* const operation_;
  bool in_one_ = false;  // whatever its size
  S3Objects::GotAnswer done_;
};

}  // namespace chainstore::s3
