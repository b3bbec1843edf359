// KeyScan: one page of a key_hash's scan: reads all of the wrapped store, in whatever order, and
// keeps the entries nearest to where the page begins.
// Thread safety: as Steps.
#pragma once

#include <map>

#include "core/steps.h"
#include "core/store.h"

namespace chainstore {

class KeyScan final : public Steps {
 public:
  // `owner` is the key_hash, whose name failures have.
  KeyScan(Ref<Store> owner, Store& inner, const Range& range, const Call& call, Done<Page> done)
      : owner_(std::move(owner)),
        inner_(inner),
        range_(range),
        call_(call),
        done_(std::move(done)) {
    below_.page_size = Range::kDefaultPageSize;
  }

 private:
  bool Step() override;
  void ReadPage();
  // What is wrong with an entry of the wrapped store.
  Status Take(Entry& entry);
  void DropFarthest();
  bool Finish(Status status);

  const Ref<Store> owner_;
  Store& inner_;
  const Range range_;
  const Call call_;
  Done<Page> done_;
  Range below_;
  Page page_;
  bool reading_ = false;
  bool dropped_ = false;
  uint64_t bytes_ = 0;
  std::map<std::string, Entry> nearest_;
};

}  // namespace chainstore
