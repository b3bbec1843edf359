// ScanPage: one page of a scan: what is pending, pinned before the inner store is asked, merged
// into what the inner store answers. Pending entries win, pending deletes hide.
// Thread safety: one page belongs to one call; its steps follow one another.
#pragma once

#include <atomic>

#include "managers/write_behind/queue.h"

namespace chainstore::behind {

class ScanPage final : public RefCounted<ScanPage> {
 public:
  // `keep` goes with the page: what has to stay alive for it.
  ScanPage(Ref<Store> store, GatePass pass, Ref<Queue> queue, Ref<Store> inner, const Range& range,
           const Call& call, Done<Page> done);
  void Run();

 private:
  void Ask();
  // True: the page is complete.
  bool Merge();
  void Take(Entry entry);
  bool full() const {
    return out_.entries.size() >= range_.Limit() || bytes_ >= Range::kMaxPageBytes;
  }
  void Finish();

  enum : int { kAsking, kAnswered, kLeft };
  const Ref<Store> store_;
  GatePass pass_;
  const Ref<Queue> queue_;
  const Ref<Store> inner_;
  const Call call_;
  Done<Page> done_;
  Range range_;  // what is left: `after` moves on
  Page out_;
  size_t bytes_ = 0;

  std::atomic<int> state_{kAsking};
  std::vector<Pending::View> pins_;
  bool pins_complete_ = false;
  uint64_t began_ = 0;
  Page below_;
};

}  // namespace chainstore::behind
