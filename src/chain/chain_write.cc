// Chain: the write path. One WriteOp is one put, del or batch:
//   limits of all stores -> the keys' slots -> busy -> (if absent: look) -> bar the stores above
//   -> the lowest store -> the stores above, from below -> not busy -> slots back -> acknowledge
// A store above that fails is made to forget the key; one that cannot forget stays barred, and a
// repair goes on. The lowest store decides: its failure is the write's.
#include <bit>

#include "chain/chain.h"
#include "chain/repairs.h"
#include "chain/upper_call.h"

namespace chainstore {
namespace {

// Whether a failed write may have happened all the same.
bool IsAmbiguous(const Status& status) {
  switch (status.code()) {
    case Code::kTimeout:
    case Code::kCancelled:
    case Code::kIo:
    case Code::kCorrupt:
    case Code::kPartial:
    case Code::kInternal:
      return true;
    default:
      return false;
  }
}

// What a link answered to a batch of one, in the form of a batch's answer.
Entries EntriesOf(Receipt receipt) {
  Entries out;
  out.entries.resize(1);
  out.entries[0].status = receipt.status;
  out.entries[0].flags = receipt.flags;
  out.entries[0].meta = receipt.meta;
  out.status = std::move(receipt.status);
  return out;
}

// A batch of one goes as a put or a del: every store has a shorter way for those.
void WriteTo(Store& store, Ref<const Batch> batch, const Call& call, Done<Entries> done) {
  const Below below(store);
  if (batch->ops.size() != 1) return below.Write(std::move(batch), call, std::move(done));
  const Batch::Op& op = batch->ops[0];
  auto answered = [batch, done = std::move(done)](Receipt&& receipt) mutable {
    done(EntriesOf(std::move(receipt)));
  };
  if (!op.value) return below.Del(op.key, call, std::move(answered));
  below.Put(op.key, Payload(op.value, op.expires_at_ms), call, std::move(answered));
}

class WriteOp final : public RefCounted<WriteOp> {
 public:
  WriteOp(Ref<Chain> chain, const char* operation, Ref<const Batch> batch, const Call& call,
          Done<Entries> done)
      : chain_(std::move(chain)),
        pass_(chain_->gate()),
        operation_(operation),
        batch_(std::move(batch)),
        call_(call),
        done_(std::move(done)) {}

  void Start() {
    if (!pass_) return Refuse(chain_->Closed(operation_));
    if (Status status = CheckLimits(); !status.ok()) return Refuse(std::move(status));
    ChainOrder::Keys keys;
    for (const Batch::Op& op : batch_->ops) keys.emplace_back(Key(op.key));
    keys_ = std::make_shared<const ChainOrder::Keys>(ChainOrder::Keys::Sorted(std::move(keys)));
    chain_->order().Acquire(keys_, call_, [self = Ref<WriteOp>(this)](Status&& turn) {
      if (!turn.ok()) return self->Refuse(self->chain_->Ended(turn.code(), self->operation_));
      self->Entered();
    });
  }

 private:
  // What became of a key below, and so what the stores above have to do.
  enum class Outcome : uint8_t { kRefused, kApplied, kUnknown };

  void Refuse(Status status) {
    out_.entries.resize(batch_->ops.size());
    for (Entry& entry : out_.entries) entry.status = status;
    out_.status = std::move(status);
    done_(std::move(out_));
  }

  Status CheckLimits() const {
    for (const Batch::Op& op : batch_->ops) {
      for (size_t at = 0; at < chain_->size(); ++at) {
        const Store& store = *chain_->link(at).store;
        const Limits limits = store.limits();
        if (op.key.bytes().size() > limits.max_key_size) {
          return chain_->Failed(Code::kTooLarge, operation_,
                                "the key is longer than " + store.name() + " takes");
        }
        if (op.value && op.value->size() > limits.max_value_size) {
          return chain_->Failed(Code::kTooLarge, operation_,
                                "the value is larger than " + store.name() + " takes");
        }
        if (op.expires_at_ms != 0 && !limits.ttl) {
          return chain_->Failed(Code::kUnsupported, operation_,
                                store.name() + " keeps no time to live");
        }
      }
    }
    return Code::kOk;
  }

  void Entered() {
    for (const OwnedKey& key : *keys_) chain_->order().BeginWrite(key);
    if (call_.Has(Call::kIfAbsent)) return LookFor(0);
    Lower();
  }

  // ---- If absent: a full read-through that skips no store; one that cannot answer fails it ----

  void LookFor(size_t at) {
    if (at == chain_->size()) return Lower();
    const Key key = batch_->ops[0].key;
    // What a barred store holds is known to be old.
    if (at < chain_->lowest() && (chain_->order().Barred(key) >> at & 1)) return LookFor(at + 1);
    Call call = call_;
    call.flags &= ~uint32_t{Call::kIfAbsent};
    chain_->link(at).below().Get(key, Read::Stat(), call,
                                 [self = Ref<WriteOp>(this), at](Answer&& answer) {
                                   self->LookedFor(at, std::move(answer));
                                 });
  }

  void LookedFor(size_t at, Answer answer) {
    if (answer.status.Is(Code::kNotFound)) return LookFor(at + 1);
    Receipt receipt(answer.status.ok() ? Status(Code::kExists) : std::move(answer.status));
    receipt.meta = answer.meta;
    out_ = EntriesOf(std::move(receipt));
    End();
  }

  // ---- The lowest store ----

  void Lower() {
    ChainOrder& order = chain_->order();
    // Passed by from before the write can be read below until it was applied above.
    for (const OwnedKey& key : *keys_) {
      barred_here_.push_back(chain_->uppers() & ~order.Barred(key));
      order.Bar(key, chain_->uppers());
    }
    if (call_.Has(Call::kFill) && chain_->link(chain_->lowest()).behind) {
      // A fill from an outer chain stops above the write-behind.
      Entries none;
      none.entries.resize(batch_->ops.size());
      return Lowered(std::move(none));
    }
    Call call = call_;
    const bool sent = call.ack == Ack::kDelivered;
    if (!sent) call.flags &= ~uint32_t{Call::kIfAbsent};  // decided here, for this one writer
    if (chain_->through() && call.ack == Ack::kDefault) call.ack = Ack::kDelivered;
    WriteTo(*chain_->link(chain_->lowest()).store, batch_, call,
            [self = Ref<WriteOp>(this)](Entries&& entries) { self->Lowered(std::move(entries)); });
  }

  void Lowered(Entries entries) {
    out_ = std::move(entries);
    // A store may answer the batch as a whole.
    if (out_.entries.size() != batch_->ops.size()) {
      const Status whole = out_.status;
      out_.entries.resize(batch_->ops.size());
      for (Entry& entry : out_.entries) entry.status = whole;
    }
    outcomes_.assign(keys_->size(), Outcome::kRefused);
    auto applied = MakeRef<Batch>();
    for (size_t at = 0; at < batch_->ops.size(); ++at) {
      Outcome& outcome = outcomes_[IndexOf(batch_->ops[at].key)];
      const Status& status = out_.entries[at].status;
      if (status.ok()) {
        if (outcome == Outcome::kRefused) outcome = Outcome::kApplied;
        applied->Add(batch_->ops[at]);
      } else if (IsAmbiguous(status)) {
        outcome = Outcome::kUnknown;
      }
    }
    applied_ = std::move(applied);
    for (size_t at = 0; at < keys_->size(); ++at) {
      // Nothing happened below: what stands above is as good as it was.
      if (outcomes_[at] == Outcome::kRefused) {
        chain_->order().Unbar((*keys_)[at], barred_here_[at]);
      }
    }
    Upper(chain_->lowest());
  }

  size_t IndexOf(const Key& key) const {
    if (keys_->size() == 1) return 0;
    const auto before = [](const OwnedKey& a, Bytes b) { return a.bytes() < b; };
    const auto found = std::lower_bound(keys_->begin(), keys_->end(), key.bytes, before);
    return static_cast<size_t>(found - keys_->begin());
  }

  // ---- The stores above, from below ----

  // The calls above are the chain's own: accepted below, the write happens above whatever becomes
  // of its caller; only the waiting for it is his.
  Call UpperCall(uint32_t flags) const {
    Call call = call_.Apart(call_.wait);
    call.deadline_ns = call_.deadline_ns;
    call.flags = flags | (call_.flags & Call::kFill);
    return call;
  }

  void Upper(size_t above) {
    if (above == 0) return End();
    const size_t link = above - 1;
    auto batch = MakeRef<Batch>();
    auto keys = ChainOrder::Keys();
    for (const Batch::Op& op : applied_->ops) {
      if (outcomes_[IndexOf(op.key)] != Outcome::kApplied) continue;
      // One that has not come back there could land over this one: it stays barred.
      if (chain_->order().Outstanding(op.key) >> link & 1) continue;
      batch->Add(op);
      keys.emplace_back(Key(op.key));
    }
    if (batch->ops.empty()) return ForgetUnknown(link, 0);
    auto shared = std::make_shared<const ChainOrder::Keys>(std::move(keys));
    CallUpper<Entries>(
        chain_, link, shared, UpperCall(Call::kUpper),
        [&](const Call& call, Done<Entries> done) {
          WriteTo(*chain_->link(link).store, batch, call, std::move(done));
        },
        [self = Ref<WriteOp>(this), link, batch](Entries&& entries) {
          self->Uppered(link, *batch, std::move(entries));
        });
  }

  void Uppered(size_t link, const Batch& batch, Entries entries) {
    const bool whole = entries.entries.size() != batch.ops.size();
    std::vector<bool> failed(keys_->size());
    Status health;
    for (size_t at = 0; at < batch.ops.size(); ++at) {
      const Status& status = whole ? entries.status : entries.entries[at].status;
      if (status.ok()) continue;
      failed[IndexOf(batch.ops[at].key)] = true;
      if (health.ok()) health = status;
    }
    chain_->NoteHealth(link, health);
    for (const Batch::Op& op : batch.ops) {
      const size_t index = IndexOf(op.key);
      if (failed[index]) {
        forget_.push_back(index);
      } else {
        chain_->order().Unbar((*keys_)[index], uint64_t{1} << link);
      }
    }
    ForgetUnknown(link, 0);
  }

  // After an ambiguous failure below the stores above forget the key, too.
  void ForgetUnknown(size_t link, size_t index) {
    for (; index < keys_->size(); ++index) {
      if (outcomes_[index] == Outcome::kUnknown) forget_.push_back(index);
    }
    ForgetNext(link);
  }

  void ForgetNext(size_t link) {
    if (forget_.empty()) return Upper(link);
    const size_t index = forget_.back();
    forget_.pop_back();
    const OwnedKey& key = (*keys_)[index];
    if (chain_->order().Outstanding(key) >> link & 1) return ForgetNext(link);
    // A write-behind above would keep what a mere forgetting leaves below it.
    const uint32_t flags = chain_->link(link).behind ? 0u : uint32_t{Call::kFill};
    auto one = std::make_shared<const ChainOrder::Keys>(ChainOrder::Keys{key});
    CallUpper<Receipt>(
        chain_, link, one, UpperCall(flags),
        [&](const Call& call, Done<Receipt> done) {
          chain_->link(link).below().Del(key, call, std::move(done));
        },
        [self = Ref<WriteOp>(this), link, index](Receipt&& receipt) {
          const OwnedKey& key = (*self->keys_)[index];
          if (receipt.status.ok()) {
            self->chain_->order().Unbar(key, uint64_t{1} << link);
          } else if (!(self->chain_->order().Outstanding(key) >> link & 1)) {
            self->chain_->repairs().Add(key, link);
          }
          self->ForgetNext(link);
        });
  }

  void End() {
    for (const OwnedKey& key : *keys_) chain_->order().EndWrite(key);
    chain_->order().Release(*keys_);
    done_(std::move(out_));
  }

  const Ref<Chain> chain_;
  const GatePass pass_;
  const char* const operation_;
  const Ref<const Batch> batch_;
  const Call call_;
  Done<Entries> done_;
  ChainOrder::SharedKeys keys_;        // sorted, each once
  std::vector<uint64_t> barred_here_;  // by key: the bars that this write set
  std::vector<Outcome> outcomes_;      // by key
  std::vector<size_t> forget_;         // keys that the present link has to forget
  Ref<const Batch> applied_;           // the ops that the lowest store took
  Entries out_;
};

// One put or del as a batch of one.
void WriteOne(Ref<Chain> chain, const char* operation, Batch::Op op, const Call& call,
              Done<Receipt> done) {
  auto batch = MakeRef<Batch>();
  batch->ops.push_back(std::move(op));
  auto answered = [done = std::move(done)](Entries&& entries) mutable {
    Receipt receipt(std::move(entries.entries[0].status));
    receipt.flags = entries.entries[0].flags;
    receipt.meta = entries.entries[0].meta;
    done(std::move(receipt));
  };
  MakeRef<WriteOp>(std::move(chain), operation, std::move(batch), call, std::move(answered))
      ->Start();
}

}  // namespace

void Chain::Put(const Key& key, const Payload& payload, const Call& call,
                Done<Receipt> done) noexcept {
  if (link_count_ == 1 && !closed()) {
    return links_[0].below().Put(key, payload, call, std::move(done));
  }
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  WriteOne(Ref<Chain>(this), "put", {key, payload.Share(), payload.expires_at_ms()}, call,
           std::move(done));
}

void Chain::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  if (link_count_ == 1 && !closed()) return links_[0].below().Del(key, call, std::move(done));
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  WriteOne(Ref<Chain>(this), "del", {key, nullptr, 0}, call, std::move(done));
}

void Chain::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  if (batch->ops.empty()) return done(Entries());
  if (link_count_ == 1 && !closed()) {
    return links_[0].below().Write(std::move(batch), call, std::move(done));
  }
  if (call.wait == Wait::kNever) return done(Entries(Status(Code::kWouldBlock)));
  if (call.Has(Call::kIfAbsent)) {
    return done(Entries(Fail(Code::kInvalid, "write", "if-absent is for a put, not for a batch")));
  }
  MakeRef<WriteOp>(Ref<Chain>(this), "write", std::move(batch), call, std::move(done))->Start();
}

}  // namespace chainstore
