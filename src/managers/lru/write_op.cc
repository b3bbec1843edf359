#include "managers/lru/write_op.h"

#include <algorithm>

#include "managers/lru/evictor.h"

namespace chainstore {
namespace {

// A put gives up after so many evictions that failed: the store cannot delete.
constexpr uint32_t kMaxFailedEvictions = 8;

Call EvictionCall(const Call& call) {
  Call eviction;
  eviction.wait = call.wait;
  eviction.deadline_ns = call.deadline_ns;
  eviction.cancel = call.cancel;
  return eviction;
}

bool IsCopy(const Call& call) { return call.Has(Call::kFill) || call.Has(Call::kUpper); }

}  // namespace

bool LeftNothing(Code code) noexcept {
  switch (code) {
    case Code::kNotFound:
    case Code::kWouldBlock:
    case Code::kExists:
    case Code::kInvalid:
    case Code::kBusy:
    case Code::kClosed:
    case Code::kUnsupported:
    case Code::kDenied:
    case Code::kTooLarge:
    case Code::kDeadlock:
    case Code::kForked:
      return true;
    default:
      return false;
  }
}

// ---- Beginnings ----

void WriteOp::Put(LruStore& store, GatePass pass, const Key& key, const Payload& payload,
                  const Call& call, const Held* held, Done<Receipt> done) {
  auto op = MakeRef<WriteOp>(store, std::move(pass), call, "put");
  op->key_ = OwnedKey(key);
  op->items_.push_back({op->key_, {}});
  op->receipt_done_ = std::move(done);
  if (held) {
    op->items_[0].held = *held;
    op->locked_ = 1;
  }
  const bool oversize = store.Oversize(key.bytes.size(), payload.size());
  op->kind_ = oversize ? Kind::kDrop : Kind::kPut;
  if (!oversize) {
    op->cost_ = store.CostOf(key.bytes.size(), payload.size());
    op->payload_ =
        call.wait == Wait::kLater ? Payload(payload.Share(), payload.expires_at_ms()) : payload;
  }
  op->Run();
}

void WriteOp::Del(LruStore& store, GatePass pass, const Key& key, const Call& call,
                  Done<Receipt> done) {
  auto op = MakeRef<WriteOp>(store, std::move(pass), call, "del");
  op->key_ = OwnedKey(key);
  op->items_.push_back({op->key_, {}});
  op->receipt_done_ = std::move(done);
  op->kind_ = Kind::kDel;
  op->Run();
}

void WriteOp::Write(LruStore& store, GatePass pass, Ref<const Batch> batch, const Call& call,
                    Done<Entries> done) {
  auto op = MakeRef<WriteOp>(store, std::move(pass), call, "write");
  op->kind_ = Kind::kWrite;
  op->entries_done_ = std::move(done);
  // What a copy is too large for is deleted instead; a batch that is a user's own is refused whole.
  const bool passes_by = IsCopy(call) && store.bypass();
  const auto is_oversize = [&store](const Batch::Op& each) {
    return each.value && store.Oversize(each.key.bytes().size(), each.value->size());
  };
  bool too_large = false;
  for (const Batch::Op& each : batch->ops) {
    const bool oversize = is_oversize(each);
    if (each.value && !oversize) {
      op->cost_ += store.CostOf(each.key.bytes().size(), each.value->size());
    }
    too_large = too_large || oversize;
  }
  const bool all_too_large = op->cost_ > store.budget().max_bytes();
  too_large = too_large || all_too_large;
  if (all_too_large && passes_by) op->cost_ = 0;
  if (too_large && !passes_by) {
    op->End(store.Failed(Code::kTooLarge, "write",
                         "the batch takes more than the capacity of " +
                             std::to_string(store.budget().max_bytes()) + " bytes"));
    return;
  }
  if (too_large) {
    auto fitting = MakeRef<Batch>();
    for (const Batch::Op& each : batch->ops) {
      all_too_large || is_oversize(each) ? fitting->AddDel(each.key) : fitting->Add(each);
    }
    batch = std::move(fitting);
  }
  op->batch_ = std::move(batch);
  // In one order, each key once: two batches cannot wait for each other.
  for (const Batch::Op& each : op->batch_->ops) op->items_.push_back({each.key, {}});
  std::sort(op->items_.begin(), op->items_.end(),
            [](const Item& a, const Item& b) { return a.key.bytes < b.key.bytes; });
  const auto same = [](const Item& a, const Item& b) { return a.key == b.key; };
  op->items_.erase(std::unique(op->items_.begin(), op->items_.end(), same), op->items_.end());
  op->Run();
}

// ---- Steps ----

bool WriteOp::Step() {
  switch (phase_) {
    case Phase::kLock:
      return LockNext();
    case Phase::kRoom:
      return MakeRoom();
    case Phase::kApply:
      return Apply();
    case Phase::kSettle:
      return Settle();
  }
  return false;
}

bool WriteOp::LockNext() {
  if (lock_status_.code() == Code::kWouldBlock) return End(Code::kWouldBlock);
  if (!lock_status_.ok()) return End(store_->Ended(lock_status_.code(), operation_));
  if (locked_ == items_.size()) {
    phase_ = Phase::kRoom;
    Resume();
    return true;
  }
  Item& item = items_[locked_];
  // Whoever waits for room must not count on what we hold while we wait for a key.
  store_->ledger().Idle(locked_);
  store_->ledger().Lock(item.key, call_, &item.held, [self = Ref<WriteOp>(this)](Status&& turn) {
    self->store_->ledger().Busy(self->locked_);
    if (turn.ok()) {
      ++self->locked_;
    } else {
      self->store_->budget().Notify();  // the key was perhaps its own for a moment
    }
    self->lock_status_ = std::move(turn);
    self->Resume();
  });
  return true;
}

bool WriteOp::MakeRoom() {
  Budget& budget = store_->budget();
  // Read first: what happens from here on ends the wait below.
  const uint64_t epoch = budget.Epoch();
  const uint64_t work = store_->ledger().Work();
  const bool announced = wanting_;
  if (cost_ > budget.max_bytes() && kind_ == Kind::kPut) kind_ = Kind::kDrop;
  if (cost_ == 0 || kind_ == Kind::kDrop || budget.TryReserve(cost_, wanting_)) {
    reserved_ = cost_ != 0 && kind_ != Kind::kDrop;
    StopWanting();
    phase_ = Phase::kApply;
    Resume();
    return true;
  }
  if (const Code ended = call_.Check(); ended != Code::kOk) {
    return End(store_->Ended(ended, operation_));
  }
  if (cost_ > budget.max_bytes() || failures_ >= kMaxFailedEvictions) return End(NoRoom());
  if (!wanting_) {
    wanting_ = true;
    budget.Want(cost_);
    store_->StartEvictor();
  }
  const uint64_t missing = std::max<uint64_t>(1, budget.Excess(budget.max_bytes() - cost_));
  const bool evicting = EvictSome(*store_, EvictionCall(call_), missing,
                                  [this, self = Ref<WriteOp>(this)](Status&& status) {
                                    if (status.failed()) {
                                      ++failures_;
                                      last_failure_ = std::move(status);
                                    } else if (status.Is(Code::kWouldBlock)) {
                                      failures_ = kMaxFailedEvictions;
                                      last_failure_ = std::move(status);
                                    }
                                    Resume();
                                  });
  if (evicting || EvictOwn()) return true;
  // Until it has announced its cost, a write leaves room for those that have: it looks once more.
  if (!announced) {
    Resume();
    return true;
  }
  return WaitForRoom(epoch, work);
}

bool WriteOp::EvictOwn() {
  if (call_.Has(Call::kIfAbsent)) return false;
  const auto found = std::find_if(items_.begin(), items_.end(),
                                  [](const Item& item) { return item.held.present; });
  if (found == items_.end()) return false;
  Item* item = &*found;
  store_->below().Del(item->key, EvictionCall(call_),
                      [this, self = Ref<WriteOp>(this), item](Receipt&& receipt) {
                        if (receipt.status.ok()) {
                          store_->ledger().Empty(&item->held);
                        } else {
                          failures_ = receipt.status.failed() ? failures_ + 1 : kMaxFailedEvictions;
                          last_failure_ = std::move(receipt.status);
                        }
                        Resume();
                      });
  return true;
}

bool WriteOp::WaitForRoom(uint64_t epoch, uint64_t work) {
  Ledger& ledger = store_->ledger();
  if (call_.wait == Wait::kNever) return End(Code::kWouldBlock);
  if (const uint64_t now = ledger.Work(); Ledger::Working(now) <= locked_ && !store_->counting()) {
    // Nobody is at work who could leave us something. But somebody may have been when we looked:
    // then what there is to evict was not yet to be seen.
    if (now == work && store_->budget().Epoch() == epoch) return End(NoRoom());
    Resume();
    return true;
  }
  ledger.Idle(locked_);
  // The last that goes to sleep wakes the others, one of which then learns that it is hopeless.
  if (Ledger::Working(ledger.Work()) == 0 && !store_->counting()) store_->budget().Notify();
  store_->budget().Wait(epoch, call_, [this, self = Ref<WriteOp>(this)](Status&&) {
    store_->ledger().Busy(locked_);
    Resume();
  });
  return true;
}

bool WriteOp::Apply() {
  phase_ = Phase::kSettle;
  const Below below(store_->below());
  const auto take = [this, self = Ref<WriteOp>(this)](Receipt&& receipt) {
    receipt_ = std::move(receipt);
    Resume();
  };
  switch (kind_) {
    case Kind::kPut:
      below.Put(key_, payload_, call_, take);
      break;
    case Kind::kDel:
      below.Del(key_, call_, take);
      break;
    case Kind::kDrop:
      if (call_.Has(Call::kIfAbsent)) {
        phase_ = Phase::kSettle;
        Resume();
      } else {
        below.Del(key_, call_, take);
      }
      break;
    case Kind::kWrite:
      below.Write(batch_, call_, [this, self = Ref<WriteOp>(this)](Entries&& entries) {
        entries_ = std::move(entries);
        Resume();
      });
      break;
  }
  return true;
}

bool WriteOp::Settle() {
  if (kind_ == Kind::kWrite) {
    SettleBatch();
    entries_done_(std::move(entries_));
    return false;
  }
  const Held held = items_[0].held;
  if (kind_ == Kind::kPut) {
    store_->SettlePut(key_, held, cost_, receipt_.status);
  } else if (kind_ == Kind::kDrop && call_.Has(Call::kIfAbsent)) {
    store_->SettleDel(key_, held, Code::kWouldBlock);
  } else {
    store_->SettleDel(key_, held, receipt_.status);
  }
  if (kind_ == Kind::kDrop && receipt_.status.ok() && !(IsCopy(call_) && store_->bypass())) {
    receipt_.status = store_->Failed(Code::kTooLarge, "put",
                                     "the entry takes more than the capacity of " +
                                         std::to_string(store_->budget().max_bytes()) + " bytes");
  }
  receipt_done_(std::move(receipt_));
  return false;
}

void WriteOp::SettleBatch() {
  struct End {
    Outcome outcome = Outcome::kUnchanged;
    uint64_t cost = 0;
    bool unsure = false;
  };
  std::vector<End> ends(items_.size());
  for (size_t at = 0; at < ends.size(); ++at) ends[at].cost = items_[at].held.cost;
  for (size_t at = 0; at < batch_->ops.size(); ++at) {
    const Batch::Op& op = batch_->ops[at];
    const auto item = std::lower_bound(items_.begin(), items_.end(), op.key.bytes(),
                                       [](const Item& a, Bytes key) { return a.key.bytes < key; });
    End& end = ends[static_cast<size_t>(item - items_.begin())];
    const bool each = entries_.entries.size() == batch_->ops.size();
    const Status& status = each ? entries_.entries[at].status : entries_.status;
    const uint64_t cost = op.value ? store_->CostOf(op.key.bytes().size(), op.value->size()) : 0;
    if (status.ok()) {
      end = {op.value ? Outcome::kWritten : Outcome::kAbsent, cost, false};
    } else if (!LeftNothing(status.code())) {
      // It may be there or not: it counts as the larger of what it was and what it would be.
      end.unsure = true;
      end.cost = std::max(end.cost, cost);
      if (op.value) end.outcome = Outcome::kPresent;
    }
  }
  Ledger& ledger = store_->ledger();
  for (size_t at = 0; at < items_.size(); ++at) {
    ledger.Count(items_[at].held, ends[at].outcome, ends[at].cost);
  }
  if (reserved_) store_->budget().Release(cost_);
  for (size_t at = 0; at < items_.size(); ++at) {
    ledger.Free(items_[at].held, ends[at].outcome, ends[at].cost);
    if (ends[at].unsure) store_->Check(items_[at].key);
  }
  store_->budget().Notify();
}

// ---- Endings ----

void WriteOp::StopWanting() {
  if (!wanting_) return;
  wanting_ = false;
  store_->budget().Unwant(cost_);
}

bool WriteOp::End(Status status) {
  StopWanting();
  for (size_t at = 0; at < locked_; ++at) {
    store_->SettleDel(items_[at].key, items_[at].held, Code::kWouldBlock);
  }
  if (entries_done_) {
    entries_done_(Entries(std::move(status)));
  } else {
    receipt_done_(Receipt(std::move(status)));
  }
  return false;
}

Status WriteOp::NoRoom() const {
  if (last_failure_.Is(Code::kWouldBlock)) return Code::kWouldBlock;
  if (store_->closed()) return store_->Closed(operation_);  // nobody counts or evicts any more
  const uint64_t max = store_->budget().max_bytes();
  Failure failure = store_->Failed(
      Code::kNoSpace, operation_,
      "cannot make room for " + std::to_string(cost_) + " of " + std::to_string(max) + " bytes: " +
          (failures_ != 0      ? "the inner store fails to delete what should go"
           : store_->loading() ? "what is in the inner store is not counted, and counts as used"
                               : "there is nothing left that could go"));
  if (last_failure_.failed()) {
    failure.Cause(last_failure_);
  } else {
    failure.Hint("give the LRU a larger max_bytes");
  }
  return failure;
}

}  // namespace chainstore
