#include "chain/chain_fill.h"

#include <atomic>
#include <bit>

#include "chain/upper_call.h"

namespace chainstore {
namespace {

// A fill that is copied in memory is cheaper done than queued, up to this size.
constexpr size_t kInlineBytes = size_t{64} << 10;

class FillOp final : public RefCounted<FillOp> {
 public:
  FillOp(Ref<Chain> chain, Fill fill, const Call& call, UniqueFunction<void()> done)
      : chain_(std::move(chain)),
        pass_(chain_->gate()),
        fill_(std::move(fill)),
        keys_(std::make_shared<const ChainOrder::Keys>(ChainOrder::Keys{fill_.key})),
        done_(std::move(done)) {
    call_ = call.Apart(call.wait);
    call_.flags = Call::kFill;
  }

  void Run() {
    if (!pass_) return done_();
    // A slot that is held is a write under way: the fill is already too late.
    chain_->order().Acquire(keys_, call_.With(Wait::kNever),
                            [self = Ref<FillOp>(this)](Status&& turn) {
                              if (!turn.ok()) return self->done_();
                              self->FillNext();
                            });
  }

 private:
  void FillNext() {
    ChainOrder& order = chain_->order();
    const uint64_t open = fill_.links & ~order.Outstanding(fill_.key);
    if (open == 0 || !order.StillIdle(fill_.key, fill_.tickets)) {
      order.Release(*keys_);
      return done_();
    }
    // The lowest of them first, as a write.
    const auto link = static_cast<size_t>(std::bit_width(open)) - 1;
    fill_.links = open & ~(uint64_t{1} << link);
    const Limits limits = chain_->link(link).store->limits();
    if (fill_.value->size() > limits.max_value_size || (fill_.expires_at_ms && !limits.ttl)) {
      return FillNext();
    }
    CallUpper<Receipt>(
        chain_, link, keys_, call_,
        [this, link](const Call& call, Done<Receipt> done) {
          chain_->link(link).below().Put(fill_.key, Payload(fill_.value, fill_.expires_at_ms), call,
                                         std::move(done));
        },
        [self = Ref<FillOp>(this), link](Receipt&& receipt) {
          self->chain_->NoteHealth(link, receipt.status);
          if (receipt.status.ok())
            self->chain_->order().Unbar(self->fill_.key, uint64_t{1} << link);
          self->FillNext();
        });
  }

  const Ref<Chain> chain_;
  const GatePass pass_;
  Fill fill_;
  const ChainOrder::SharedKeys keys_;
  Call call_;
  UniqueFunction<void()> done_;
};

bool FillsInMemory(const Chain& chain, const Fill& fill) {
  if (fill.value->size() > kInlineBytes) return false;
  for (size_t at = 0; at < chain.size(); ++at) {
    if ((fill.links >> at & 1) && !chain.link(at).can_try) return false;
  }
  return true;
}

}  // namespace

void StartFill(Ref<Chain> chain, Fill fill, const Call& call, UniqueFunction<void()> done) {
  if (chain->fill_mode() == Chain::FillMode::kSync) {
    Call own = call.wait == Wait::kNever ? call.With(Wait::kLater) : call;
    return MakeRef<FillOp>(std::move(chain), std::move(fill), own, std::move(done))->Run();
  }
  const Call later = call.Apart(Wait::kLater);
  if (FillsInMemory(*chain, fill)) {
    MakeRef<FillOp>(std::move(chain), std::move(fill), later, [] {})->Run();
    return done();
  }
  if (chain->fills().Begin(fill.value->size())) {
    Runtime& runtime = chain->runtime();
    const size_t bytes = fill.value->size();
    auto op = MakeRef<FillOp>(chain, std::move(fill), later,
                              [chain, bytes] { chain->fills().End(bytes); });
    runtime.Post(Lane::kFast, [op = std::move(op)] { op->Run(); });
  }
  done();
}

}  // namespace chainstore
