// A page of a scan. The table has no order, and an index that had one would cost every put a few
// hundred nanoseconds: so a page looks at every entry and keeps the first `page_size` keys of its
// range. It costs gets nothing, and holds a shard's writers up for no more than 64 buckets at once.
#include <algorithm>
#include <new>

#include "stores/memory/memory_store.h"

namespace chainstore {
namespace {

using Pinned = Ref<MemoryEntry>;

// The first entries of the range so far: a heap whose top is the last of them.
class Selection {
 public:
  explicit Selection(const Range& range) : range_(range) {}

  // Only what stands before it is of interest; null: everything is.
  const MemoryEntry* bound() const noexcept { return full() ? best_.front().get() : nullptr; }
  void Offer(Pinned entry) {
    const auto before = [this](const Pinned& a, const Pinned& b) { return Before(a, b); };
    best_.push_back(std::move(entry));
    std::push_heap(best_.begin(), best_.end(), before);
    if (best_.size() <= range_.Limit()) return;
    std::pop_heap(best_.begin(), best_.end(), before);
    best_.pop_back();
  }
  // In order, each key once: of two entries that were met under one key the newer one stays.
  std::vector<Pinned> Take() {
    std::sort(best_.begin(), best_.end(), [this](const Pinned& a, const Pinned& b) {
      if (a->key() != b->key()) return Before(a, b);
      return static_cast<int32_t>(a->version() - b->version()) > 0;
    });
    const auto same = [](const Pinned& a, const Pinned& b) { return a->key() == b->key(); };
    best_.erase(std::unique(best_.begin(), best_.end(), same), best_.end());
    return std::move(best_);
  }
  bool full() const noexcept { return best_.size() == range_.Limit(); }

 private:
  bool Before(const Pinned& a, const Pinned& b) const noexcept {
    return range_.reverse ? a->key() > b->key() : a->key() < b->key();
  }

  const Range& range_;
  std::vector<Pinned> best_;
};

}  // namespace

void MemoryStore::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  if (closed()) return done(Page(ClosedStatus("scan")));
  Page page;
  try {
    page = ScanPage(range, call);
  } catch (const std::bad_alloc&) {
    page = Page(Status(Fail(Code::kNoMemory, "scan", "no memory for the page")));
  }
  done(std::move(page));
}

Page MemoryStore::ScanPage(const Range& range, const Call& call) {
  Selection selection(range);
  std::vector<Pinned> met;
  for (uint64_t shard = 0; shard <= shard_mask_; ++shard) {
    size_t cursor = 0;
    for (bool more = true; more;) {
      if (const Code ended = call.Check(); ended != Code::kOk) {
        return Page(EndedStatus(ended, "scan"));
      }
      more = shards_[shard].Collect(range, selection.bound(), &cursor, &met);
      for (Pinned& entry : met) selection.Offer(std::move(entry));
      met.clear();
    }
  }
  Page page;
  // Full: there may be more beyond it.
  page.more = selection.full();
  size_t bytes = 0;
  for (Pinned& pinned : selection.Take()) {
    if (bytes >= Range::kMaxPageBytes) {
      page.more = true;
      break;
    }
    Entry& entry = page.entries.emplace_back();
    entry.key = pinned->key();
    entry.meta.total_size = pinned->size();
    entry.meta.expires_at_ms = pinned->expires_at_ms();
    entry.meta.version = first_version_ + pinned->version();
    if (range.keys_only) continue;
    bytes += pinned->size();
    const bool copy = call.Has(Call::kOwned) && !pinned->is_heap();
    entry.value = copy ? Value::Copy(pinned->bytes()) : Ref<Value>(std::move(pinned));
  }
  if (page.entries.empty()) page.status = Code::kEnd;
  return page;
}

}  // namespace chainstore
