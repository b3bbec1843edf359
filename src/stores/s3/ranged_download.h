// RangedDownload: the bytes of a large object asked for in ranges, several at once, each received
// where it belongs in the one value that the caller gets. Every answer must be of the object that
// the first one spoke of: the same ETag, the same size.
// Thread safety: Begin once; the answer runs where S3Client's do, after the last request has ended.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "stores/s3/s3_client.h"

namespace chainstore::s3 {

struct DownloadJob {
  const char* operation = "get";
  std::string object;
  std::string user_key;
  std::string etag;
  uint64_t first = 0;  // where the wanted bytes begin
  uint64_t size = 0;   // how many they are
  uint64_t total = 0;  // the object's size
  Call call;
};

struct Downloaded {
  // There is no value since it cannot be had in ranges: the server does not know them, or the
  // object has changed since. One answer to one request is the way then.
  bool in_one = false;
  Status status;
  Ref<Value> value;
};

class RangedDownload final : public RefCounted<RangedDownload> {
 public:
  using Answered = UniqueFunction<void(Downloaded&&)>;
  RangedDownload(Ref<S3Client> client, DownloadJob job, Answered answered);
  void Begin();

 private:
  void Ask(size_t index, UniqueFunction<void()> next);
  // Whether it speaks of the same object, in a range.
  bool IsSame(const S3Reply& reply) const;
  Status Check(const S3Reply& reply, uint64_t first, uint64_t size) const;
  bool ended() CS_EXCLUDES(mutex_);
  void Finish();

  const Ref<S3Client> client_;
  const DownloadJob job_;
  Answered answered_;
  const uint64_t part_size_;
  Ref<Value> value_;
  char* room_ = nullptr;
  Mutex mutex_;
  Downloaded outcome_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore::s3
