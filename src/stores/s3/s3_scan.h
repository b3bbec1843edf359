// S3Scan: one page of a scan. The keys come from two lists, of the plain and of the escaped object
// keys (see object_key.h), merged in the order of the keys; what a list cannot tell (the value, the
// expiry) is then asked for, several objects at once.
//
// S3 lists forward only. A page in reverse therefore reads its whole range's list, and keeps the
// end of it.
// Thread safety: none; its steps come one after the other, or write to places of their own.
#pragma once

#include <string>
#include <vector>

#include "stores/s3/s3_objects.h"

namespace chainstore::s3 {

class S3Scan final : public RefCounted<S3Scan> {
 public:
  using Scanned = UniqueFunction<void(Page&&)>;
  S3Scan(Ref<S3Objects> objects, const Range& range, const Call& call, Scanned done);
  void Begin();

 private:
  struct Candidate {
    std::string key;  // empty: a digest form, whose metadata tells it
    std::string object;
    uint64_t size = 0;
  };
  // One of the two lists.
  struct Stream {
    bool escaped = false;
    std::string prefix;
    std::string start_after;
    bool done = false;
    std::vector<Candidate> ready;  // in the order of the keys
    size_t ready_at = 0;           // taken up to here
    std::vector<Candidate> held;   // of a group whose rest is still to come
    Status status;
    bool wanting() const { return !done && ready_at == ready.size(); }
  };

  void Fill();
  void Fetch(Stream& stream, UniqueFunction<void()> next);
  void TakeList(Stream& stream, S3Reply&& reply, UniqueFunction<void()> next);
  void LearnKeys(Stream& stream, std::vector<Candidate> found, bool truncated,
                 UniqueFunction<void()> next);
  void Offer(Stream& stream, std::vector<Candidate> found, bool truncated);
  void OnFilled();
  void TakeForward();
  void KeepForReverse();
  void Resolve();
  void ResolveOne(size_t at, UniqueFunction<void()> next);
  void OnResolved();
  void Finish(Page&& page);

  const Ref<S3Objects> objects_;
  Range range_;
  const Call call_;
  Scanned done_;
  Stream streams_[2];
  std::vector<Candidate> chosen_;
  bool more_ = false;
  std::vector<Entry> entries_;
};

}  // namespace chainstore::s3
