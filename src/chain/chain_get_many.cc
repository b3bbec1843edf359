// Chain: get_many. Each store is asked once for all the keys that are still missing.
#include "chain/chain.h"
#include "chain/chain_fill.h"

namespace chainstore {
namespace {

class GetManyOp final : public RefCounted<GetManyOp> {
 public:
  GetManyOp(Ref<Chain> chain, GatePass pass, Store::Keys keys, const Call& call, Done<Entries> done)
      : chain_(std::move(chain)),
        pass_(std::move(pass)),
        keys_(std::move(keys)),
        call_(call),
        done_(std::move(done)) {}

  void Start() {
    out_.entries.resize(keys_.size());
    missed_.assign(keys_.size(), 0);
    tickets_.resize(keys_.size());
    for (size_t at = 0; at < keys_.size(); ++at) {
      out_.entries[at].key = keys_[at].bytes();
      tickets_[at] = chain_->order().Note(keys_[at]);
      open_.push_back(at);
    }
    Ask(0);
  }

 private:
  void Ask(size_t link) {
    const bool lowest = link == chain_->lowest();
    Store::Keys wanted;
    asked_.clear();
    for (const size_t at : open_) {
      const bool passes = !lowest && (call_.Has(Call::kSkipCache) ||
                                      (chain_->order().Barred(keys_[at]) >> link & 1));
      if (passes) {
        missed_[at] |= uint64_t{1} << link;
      } else {
        asked_.push_back(at);
        wanted.push_back(keys_[at]);
      }
    }
    if (const Code ended = call_.Check(); ended != Code::kOk) {
      for (const size_t at : open_) out_.entries[at].status = chain_->Ended(ended, "get_many");
      return Finish();
    }
    if (wanted.empty()) return lowest ? Finish() : Ask(link + 1);
    chain_->link(link).below().GetMany(std::move(wanted), call_,
                                       [self = Ref<GetManyOp>(this), link](Entries&& entries) {
                                         self->Asked(link, std::move(entries));
                                       });
  }

  void Asked(size_t link, Entries entries) {
    const bool lowest = link == chain_->lowest();
    const bool whole = entries.entries.size() != asked_.size();
    for (size_t i = 0; i < asked_.size(); ++i) {
      const size_t at = asked_[i];
      Entry& entry = out_.entries[at];
      if (whole) {
        entry.status = entries.status;
      } else {
        std::string key = std::move(entry.key);
        entry = std::move(entries.entries[i]);
        entry.key = std::move(key);
      }
      chain_->NoteHealth(link, entry.status);
      if (entry.status.Is(Code::kNotFound) || entry.status.Is(Code::kCorrupt)) {
        missed_[at] |= uint64_t{1} << link;
      }
    }
    std::erase_if(open_,
                  [this](size_t at) { return out_.entries[at].status.ok() && Answered(at); });
    if (lowest || open_.empty()) return Finish();
    Ask(link + 1);
  }

  // An entry that no store has been asked for yet has no value either.
  bool Answered(size_t at) const { return static_cast<bool>(out_.entries[at].value); }

  void Finish() {
    const bool fills = !call_.Has(Call::kNoFill) && chain_->fill_mode() != Chain::FillMode::kOff;
    for (size_t at = 0; fills && at < keys_.size(); ++at) {
      const Entry& entry = out_.entries[at];
      if (!entry.status.ok() || !entry.value || missed_[at] == 0) continue;
      StartFill(chain_,
                Fill{keys_[at], entry.value, entry.meta.expires_at_ms, tickets_[at], missed_[at]},
                call_, [] {});
    }
    out_.Summarise(chain_->name(), "get_many");
    done_(std::move(out_));
  }

  const Ref<Chain> chain_;
  const GatePass pass_;
  const Store::Keys keys_;
  const Call call_;
  Done<Entries> done_;
  Entries out_;
  std::vector<uint64_t> missed_;              // by key
  std::vector<ChainOrder::Tickets> tickets_;  // by key
  std::vector<size_t> open_;                  // keys without an answer yet
  std::vector<size_t> asked_;                 // of them, those that the present link was asked
};

}  // namespace

void Chain::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  if (link_count_ == 1 && !closed()) {
    return links_[0].below().GetMany(std::move(keys), call, std::move(done));
  }
  // Without waiting it is all or nothing, which single gets decide.
  if (call.wait == Wait::kNever) return Store::GetMany(std::move(keys), call, std::move(done));
  GatePass pass(gate());
  if (!pass) return done(Entries(ClosedStatus("get_many")));
  MakeRef<GetManyOp>(Ref<Chain>(this), std::move(pass), std::move(keys), call, std::move(done))
      ->Start();
}

}  // namespace chainstore
