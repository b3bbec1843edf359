// Merge: one ordered view of the pages that the stores of a chain answered for the same range.
// The lowest store's page is the truth (writes go lowest first); a key that only a store above has
// is a candidate, which the chain confirms by a get.
// Thread safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/answer.h"
#include "core/request.h"

namespace chainstore {

struct MergedKey {
  Entry entry;  // of the lowest store's page, or a candidate's key
  bool is_candidate = false;
};

struct Merged {
  std::vector<MergedKey> keys;  // in the range's order, each once, at most its limit
  bool more = false;
  // Where the next page begins, even if every key of this one turns out to be hidden.
  std::string after;
};

// `pages.back()` is the lowest store's. Beyond the end of a page that has more, nothing is known
// of that store: the merged page ends there.
Merged MergePages(const Range& range, std::vector<Page> pages);

}  // namespace chainstore
