// Chain: scans and get_many, which ask each store once for many keys.
#include <algorithm>

#include "chain/chain.h"
#include "chain/merge.h"

namespace chainstore {
namespace {

class ScanOp final : public RefCounted<ScanOp> {
 public:
  ScanOp(Ref<Chain> chain, GatePass pass, const Range& range, const Call& call, Done<Page> done)
      : chain_(std::move(chain)),
        pass_(std::move(pass)),
        range_(range),
        call_(call),
        done_(std::move(done)) {}

  void Start() {
    pages_.assign(chain_->size(), Page(Code::kEnd));
    Ask(0);
  }

 private:
  void Ask(size_t at) {
    const bool lowest = at == chain_->lowest();
    Store& store = *chain_->link(at).store;
    if (!lowest && !(store.caps() & kCapScan)) return Ask(at + 1);
    Range range = range_;
    // Of the stores above only the names are wanted.
    if (!lowest) range.keys_only = true;
    Below(store).Scan(range, call_, [self = Ref<ScanOp>(this), at](Page&& page) {
      self->Asked(at, std::move(page));
    });
  }

  void Asked(size_t at, Page page) {
    const bool lowest = at == chain_->lowest();
    if (page.status.failed()) {
      if (lowest || call_.Check() != Code::kOk) return done_(std::move(page));
      chain_->NoteHealth(at, page.status);
      page = Page(Code::kEnd);
    }
    pages_[at] = std::move(page);
    if (!lowest) return Ask(at + 1);
    merged_ = MergePages(range_, std::move(pages_));
    Confirm(0);
  }

  // A key that the lowest store does not have: what a get says of it is the truth.
  void Confirm(size_t at) {
    while (at < merged_.keys.size() && !merged_.keys[at].is_candidate) ++at;
    if (at == merged_.keys.size()) return Finish();
    const Key key(merged_.keys[at].entry.key);
    Call call = call_;
    call.flags |= Call::kNoFill;
    const Read read = range_.keys_only ? Read::Stat() : Read::Whole();
    chain_->Get(key, read, call, [self = Ref<ScanOp>(this), at](Answer&& answer) {
      MergedKey& merged = self->merged_.keys[at];
      if (answer.status.failed()) return self->done_(Page(std::move(answer.status)));
      merged.is_candidate = false;
      merged.entry.status = answer.status;
      merged.entry.flags = answer.flags;
      merged.entry.meta = answer.meta;
      merged.entry.value = std::move(answer.value);
      self->Confirm(at + 1);
    });
  }

  void Finish() {
    Page page;
    for (MergedKey& merged : merged_.keys) {
      if (merged.entry.status.ok()) page.entries.push_back(std::move(merged.entry));
    }
    page.more = merged_.more;
    if (page.entries.empty() && page.more) {
      // Every key of this page was hidden: a page is never empty, so it is the next one's turn.
      range_.after = merged_.after;
      range_.has_after = true;
      return Start();
    }
    page.status = page.entries.empty() ? Code::kEnd : Code::kOk;
    done_(std::move(page));
  }

  const Ref<Chain> chain_;
  const GatePass pass_;
  Range range_;
  const Call call_;
  Done<Page> done_;
  std::vector<Page> pages_;
  Merged merged_;
};

}  // namespace

void Chain::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  if (call.wait == Wait::kNever) return done(Page(Code::kWouldBlock));
  GatePass pass(gate());
  if (!pass) return done(Page(ClosedStatus("scan")));
  if (!(links_[lowest()].store->caps() & kCapScan)) {
    return done(Page(Fail(Code::kUnsupported, "scan",
                          links_[lowest()].store->name() + ", the lowest store, cannot scan")));
  }
  MakeRef<ScanOp>(Ref<Chain>(this), std::move(pass), range, call, std::move(done))->Start();
}

}  // namespace chainstore
