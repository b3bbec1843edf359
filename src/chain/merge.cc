#include "chain/merge.h"

#include <algorithm>

namespace chainstore {
namespace {

// Orders keys as the range does.
struct Before {
  bool reverse;
  bool operator()(const std::string& a, const std::string& b) const {
    return reverse ? b < a : a < b;
  }
};

}  // namespace

Merged MergePages(const Range& range, std::vector<Page> pages) {
  const Before before{range.reverse};
  const std::string* cut = nullptr;  // the nearest end of a page that has more
  for (const Page& page : pages) {
    if (!page.more || page.entries.empty()) continue;
    const std::string& last = page.entries.back().key;
    if (!cut || before(last, *cut)) cut = &last;
  }
  std::vector<size_t> at(pages.size(), 0);
  Merged out;
  if (cut) out.after = *cut;
  const size_t limit = range.Limit();
  for (;;) {
    const std::string* next = nullptr;
    for (size_t page = 0; page < pages.size(); ++page) {
      if (at[page] == pages[page].entries.size()) continue;
      const std::string& key = pages[page].entries[at[page]].key;
      if (!next || before(key, *next)) next = &key;
    }
    if (!next || (cut && before(*cut, *next))) break;
    if (out.keys.size() == limit) {
      out.more = true;
      out.after = out.keys.back().entry.key;
      return out;
    }
    const std::string key = *next;
    MergedKey merged;
    merged.is_candidate = true;
    for (size_t page = 0; page < pages.size(); ++page) {
      if (at[page] == pages[page].entries.size()) continue;
      Entry& entry = pages[page].entries[at[page]];
      if (entry.key != key) continue;
      ++at[page];
      merged.is_candidate = page + 1 != pages.size();
      merged.entry = std::move(entry);  // the last one moved in is the lowest store's
    }
    merged.entry.key = key;
    out.keys.push_back(std::move(merged));
  }
  out.more = cut != nullptr;
  return out;
}

}  // namespace chainstore
