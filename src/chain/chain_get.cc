// Chain: the read path. A hit in the first store takes no lock, no allocation and no hop; a miss
// becomes a GetOp, which notes the fence and looks further down.
#include <bit>

#include "chain/chain.h"
#include "chain/chain_fill.h"
#include "chain/trips.h"

namespace chainstore {
namespace {

void SetTier(const Chain::Link& link, Answer* answer) {
  // An engine is its own first tier, and need not say so.
  if (answer->status.ok()) answer->tier = link.tier_offset + (answer->tier ? answer->tier : 1);
}

class GetOp final : public RefCounted<GetOp> {
 public:
  GetOp(Ref<Chain> chain, GatePass pass, const Key& key, const Read& read, const Call& call,
        Done<Answer> done)
      : chain_(std::move(chain)),
        pass_(std::move(pass)),
        key_(key),
        read_(read),
        call_(call),
        tickets_(chain_->order().Note(key)),
        done_(std::move(done)) {}

  // Goes on at `at`; `missed` are the links above it that have been asked.
  void Run(size_t at, uint64_t missed) {
    missed_ = missed;
    Look(at);
  }

  void NoteFailure(size_t at, Status status) {
    chain_->NoteHealth(at, status);
    if (status.Is(Code::kCorrupt)) missed_ |= uint64_t{1} << at;  // healed from below
  }

 private:
  void Look(size_t at) {
    while (at < chain_->lowest() && PassesBy(at)) missed_ |= uint64_t{1} << at++;
    if (const Code ended = call_.Check(); ended != Code::kOk) {
      return done_(Answer(chain_->Ended(ended, "get")));
    }
    const auto answered = [self = Ref<GetOp>(this), at](Answer&& answer) {
      self->Answered(at, std::move(answer));
    };
    Chain::Link& link = chain_->link(at);
    if (!link.remote) return link.below().Get(key_, read_, call_, answered);
    shared_ = true;
    chain_->trips().Go({at, key_, read_, tickets_, missed_}, call_, answered);
  }

  bool PassesBy(size_t at) const {
    return call_.Has(Call::kSkipCache) || (chain_->order().Barred(key_) >> at & 1);
  }

  void Answered(size_t at, Answer answer) {
    if (answer.status.ok()) {
      chain_->NoteHealth(at, answer.status);
      SetTier(chain_->link(at), &answer);
      return Found(std::move(answer));
    }
    // The caller's own end is not the store's failure.
    if (call_.Check() != Code::kOk && answer.status.failed()) return done_(std::move(answer));
    if (answer.status.failed()) {
      NoteFailure(at, answer.status);
    } else {
      chain_->NoteHealth(at, answer.status);
      missed_ |= uint64_t{1} << at;
    }
    // What the lowest store says ends it: a miss is one only if it says so.
    if (at == chain_->lowest()) return done_(std::move(answer));
    shared_ = false;
    Look(at + 1);
  }

  void Found(Answer answer) {
    const bool fills = missed_ != 0 && !shared_ && answer.value && read_ == Read::Whole() &&
                       !call_.Has(Call::kNoFill) && chain_->fill_mode() != Chain::FillMode::kOff;
    if (!fills) return done_(std::move(answer));
    Fill fill{key_, answer.value, answer.meta.expires_at_ms, tickets_, missed_};
    StartFill(chain_, std::move(fill), call_,
              [self = Ref<GetOp>(this), answer = std::move(answer)]() mutable {
                self->done_(std::move(answer));
              });
  }

  const Ref<Chain> chain_;
  const GatePass pass_;
  const OwnedKey key_;
  const Read read_;
  const Call call_;
  const ChainOrder::Tickets tickets_;
  uint64_t missed_ = 0;
  bool shared_ = false;  // the trip fills, not this get
  Done<Answer> done_;
};

}  // namespace

void Chain::Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  if (closed()) return done(Answer(ClosedStatus("get")));
  if (link_count_ == 1) {
    return links_[0].below().Get(key, read, call, std::move(done));
  }
  if (call.wait == Wait::kNever) return GetNow(key, read, call, std::move(done));

  // The first store is asked on this stack where it answers before it returns: a hit ends here.
  Link& first = links_[0];
  const bool ask = (call.wait == Wait::kHere ? !first.remote : first.can_try) &&
                   !call.Has(Call::kSkipCache) && !(order_.Barred(key) & 1);
  Answer answer(Code::kWouldBlock);
  if (ask) {
    Call now = call;
    if (call.wait == Wait::kLater) {
      now.wait = Wait::kNever;
      now.flags |= Call::kSpeculative;
    }
    first.below().Get(key, read, now, [&answer](Answer&& got) { answer = std::move(got); });
    if (answer.status.ok()) {
      NoteHealth(0, answer.status);
      SetTier(first, &answer);
      return done(std::move(answer));
    }
    if (answer.status.Is(Code::kNotFound) && call.wait == Wait::kLater) first.store->NoteMiss(key);
  }
  // The caller's own end is not the store's failure.
  if (answer.status.failed() && call.Check() != Code::kOk) return done(std::move(answer));
  GatePass pass(gate());
  if (!pass) return done(Answer(ClosedStatus("get")));
  auto op = MakeRef<GetOp>(Ref<Chain>(this), std::move(pass), key, read, call, std::move(done));
  if (answer.status.Is(Code::kWouldBlock)) return op->Run(0, 0);
  if (answer.status.failed()) {
    op->NoteFailure(0, answer.status);
    return op->Run(1, answer.status.Is(Code::kCorrupt) ? 1 : 0);
  }
  op->Run(1, 1);
}

// The first step of Get, when it is all there is to do.
bool Chain::GetHit(const Key& key, Hit* hit) noexcept {
  Link& first = links_[0];
  if (closed()) return false;
  if (link_count_ > 1 && (order_.Barred(key) & 1)) return false;
  if (!first.below().GetHit(key, hit)) return false;
  NoteHealthy(0);
  return true;
}

// kNever: an answer from memory, in every respect a get; or kWouldBlock, without a trace.
void Chain::GetNow(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  const ChainOrder::Tickets tickets = order_.Note(key);
  Call tentative = call;
  tentative.flags |= Call::kSpeculative;
  uint64_t missed = 0;
  for (size_t at = 0; at < size(); ++at) {
    const bool last = at == lowest();
    const bool barred = order_.Barred(key) >> at & 1;
    if (!last && (barred || call.Has(Call::kSkipCache))) continue;
    if (!links_[at].can_try) return done(Answer(Code::kWouldBlock));
    Answer answer;
    // The lowest store's miss is final: it need not be tentative unless this get itself is.
    links_[at].below().Get(key, read, last ? call : tentative,
                           [&answer](Answer&& got) { answer = std::move(got); });
    if (answer.status.Is(Code::kNotFound) && !last) {
      missed |= uint64_t{1} << at;
      continue;
    }
    // A store that fails is passed by, which only a get that may wait can do.
    if (answer.status.failed() && !last) answer = Answer(Code::kWouldBlock);
    if (answer.status.Is(Code::kWouldBlock)) return done(std::move(answer));
    const bool counts = answer.status.ok() || !call.Has(Call::kSpeculative);
    for (uint64_t left = counts ? missed : 0; left != 0; left &= left - 1) {
      links_[static_cast<size_t>(std::countr_zero(left))].store->NoteMiss(key);
    }
    SetTier(links_[at], &answer);
    const bool fills = missed != 0 && answer.value && read == Read::Whole() &&
                       !call.Has(Call::kNoFill) && fill_ != FillMode::kOff;
    if (!fills) return done(std::move(answer));
    Fill fill{OwnedKey(key), answer.value, answer.meta.expires_at_ms, tickets, missed};
    StartFill(Ref<Chain>(this), std::move(fill), call.With(Wait::kLater), [] {});
    return done(std::move(answer));
  }
}

}  // namespace chainstore
