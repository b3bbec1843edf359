// ConditionProbe: whether a server keeps the condition of a put, "if there is nothing". Some ignore
// it and overwrite what is there, so that one which was not seen to keep it may be asked first: by
// an object of its own, put twice.
// Thread safety: any thread; the answer runs inline or where S3Client's do. Several that ask at
// once each find out.
#pragma once

#include <atomic>
#include <string>

#include "stores/s3/s3_client.h"

namespace chainstore::s3 {

class ConditionProbe {
 public:
  // kOk: it keeps it; kUnsupported: it does not; or why that could not be found out.
  using Answered = UniqueFunction<void(Status&&)>;
  // `object` is a key of its own, where nothing else is.
  void Ask(const Ref<S3Client>& client, const std::string& object, const Call& call,
           Answered answered);

 private:
  class Trial;
  enum class Found : uint8_t { kNothing, kKept, kIgnored };
  std::atomic<Found> found_{Found::kNothing};
};

}  // namespace chainstore::s3
