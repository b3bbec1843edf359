// How a write gets into the queue. The usual one is admitted under one lock and acknowledged; any
// other becomes an Op, which first takes its key: whatever an Op waits for after that, later writes
// of the key stand in line behind it, and so keep their order.
#include <algorithm>

#include "core/await.h"
#include "core/below.h"
#include "core/limit.h"
#include "managers/write_behind/queue.h"

namespace chainstore::behind {
namespace {

Receipt Accepted(uint64_t size, int64_t expires_at_ms) {
  Receipt receipt;
  receipt.flags = kResultPending;
  receipt.meta.total_size = size;
  receipt.meta.expires_at_ms = expires_at_ms;
  return receipt;
}

const char* NameOf(const Op& op) { return op.value ? "put" : "del"; }
uint64_t SizeOf(const Op& op) { return op.value ? op.value->size() : 0; }

}  // namespace

void Queue::Write(const Key& key, Ref<Value> value, int64_t expires_at_ms, const Call& call,
                  Done<Receipt> done) noexcept {
  const char* operation = value ? "put" : "del";
  if (call.ack != Ack::kDelivered && !call.Has(Call::kIfAbsent) && commits_at_once_) {
    const Receipt accepted = Accepted(value ? value->size() : 0, expires_at_ms);
    Record record{0, expires_at_ms, std::move(value)};
    Outbox out;
    bool admitted, pump = false;
    {
      MutexLock lock(mutex_);
      admitted = TryAdmitLocked(key, &record, &out);
      if (admitted) pump = !pump_scheduled_ && CanSendLocked();
      if (pump) pump_scheduled_ = true;
    }
    if (pump) PostPump();
    if (admitted) return done(Receipt(accepted));
    value = std::move(record.value);
  }
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  const auto start = [&](Done<Receipt> then) {
    Start(
        MakeRef<Op>(Ref<Queue>(this), key, std::move(value), expires_at_ms, call, std::move(then)));
  };
  if (call.wait != Wait::kHere) return start(std::move(done));
  Receipt receipt;
  const Code ended = Await<Receipt>(call, &receipt, start);
  if (ended != Code::kOk) receipt = Receipt(EndedStatus(ended, name_, operation));
  done(std::move(receipt));
}

bool Queue::TryAdmitLocked(const Key& key, Record* record, Outbox* out) {
  if (!room_.empty() || dead_) return false;
  Item* item = pending_.Find(key);
  if (item && item->held()) return false;
  if (!pending_.HasRoom(item, key.bytes.size(), record->size())) return false;
  if (!item) item = pending_.FindOrAdd(key);
  record->sequence = ++sequence_;
  pending_.Publish(item, std::move(*record), &out->trash);
  return true;
}

// ---- The way of an Op ----

void Queue::Start(const Ref<Op>& op) noexcept {
  Outbox out;
  Op::Action action = Op::Action::kNone;
  {
    MutexLock lock(mutex_);
    ++busy_ops_;
    if (dead_) {
      CompleteLocked(op, Receipt(Fail(Code::kClosed, NameOf(*op), "the store is closed")), &out);
    } else {
      op->item = pending_.FindOrAdd(op->key);
      Work& work = op->item->Warm();
      if (work.holder) {
        work.line.push_back(op);
        WaitLocked(op, Op::Stage::kLine);
      } else {
        work.holder = op;
        EnterLocked(op, &out);
      }
      FinishLocked(&out);
    }
    op->starting = false;
    action = op->action;
  }
  out.Send(scheduler_.get());
  if (action != Op::Action::kNone) Act(op, action, op->call.wait);
}

// The op holds its key.
void Queue::EnterLocked(const Ref<Op>& op, Outbox* out) {
  if (op->call.Has(Call::kIfAbsent) && op->value && !op->decided) return DecideLocked(op, out);
  AdmitLocked(op, out);
}

void Queue::DecideLocked(const Ref<Op>& op, Outbox* out) {
  Item* item = op->item;
  Pending::View view;
  if (pending_.Look(*item, scheduler_->WallMs(), &view)) {
    if (view.value) {
      ReleaseLocked(item);
      return CompleteLocked(op, Receipt(Code::kExists), out);
    }
    op->decided = true;
    return AdmitLocked(op, out);
  }
  // With nothing of ours in between the inner store can decide by itself, also among processes.
  const bool directly =
      op->call.ack == Ack::kDelivered && !MustSettleLocked(item, 0, scheduler_->NowNs());
  ActLocked(op, directly ? Op::Action::kSendIfAbsent : Op::Action::kDecide, out);
}

void Queue::AdmitLocked(const Ref<Op>& op, Outbox* out) {
  Item* item = op->item;
  const bool behind_others = !room_.empty() && !op->has_turn;
  if (behind_others || !pending_.HasRoom(item, op->key.bytes().size(), SizeOf(*op))) {
    switch (settings_.overflow) {
      case Overflow::kBlock:
        room_.push_back(op);
        return WaitLocked(op, Op::Stage::kRoom);
      case Overflow::kThrough:
        return ThroughLocked(op, out);
      case Overflow::kFail:
        break;
    }
    ReleaseLocked(item);
    return CompleteLocked(op,
                          Receipt(Fail(Code::kBusy, NameOf(*op), "the queue is full")
                                      .Hint("try again later, raise max_entries or max_bytes, or "
                                            "let writes wait with overflow=block")),
                          out);
  }
  if (commits_at_once_) return PublishLocked(op, out);
  op->sequence = ++sequence_;
  pending_.Reserve(item, SizeOf(*op));
  ActLocked(op, Op::Action::kAppend, out);
}

// Nothing of the key may be under way, or still take effect, when the op is sent below.
void Queue::ThroughLocked(const Ref<Op>& op, Outbox* out) {
  Item* item = op->item;
  Work& work = item->Warm();
  work.holds_delivery = true;
  pending_.TakeOut(item);
  if (item->in_flight) return WaitLocked(op, Op::Stage::kFlight);
  if (MustSettleLocked(item, 0, scheduler_->NowNs())) {
    pending_.Settle(item, work.settle_until_ns);
    want_pump_ = true;  // it sets the timer
    return WaitLocked(op, Op::Stage::kFlight);
  }
  ActLocked(op, Op::Action::kSendThrough, out);
}

void Queue::PublishLocked(const Ref<Op>& op, Outbox* out) {
  Item* item = op->item;
  if (op->sequence == 0) op->sequence = ++sequence_;
  pending_.Publish(item, Record{op->sequence, op->expires_at_ms, op->value}, &out->trash);
  want_pump_ = true;
  ReleaseLocked(item);
  if (op->call.ack != Ack::kDelivered) {
    return CompleteLocked(op, Accepted(SizeOf(*op), op->expires_at_ms), out);
  }
  item->work->waiters.push_back(op);
  WaitLocked(op, Op::Stage::kDelivering);
  --busy_ops_;
}

void Queue::WaitLocked(const Ref<Op>& op, Op::Stage stage) {
  op->stage = stage;
  op->Arm(scheduler_.get(), op->call);
}

void Queue::ActLocked(const Ref<Op>& op, Op::Action action, Outbox* out) {
  op->stage = Op::Stage::kActing;
  op->action = action;
  if (op->starting) return;  // Start goes on with it
  out->Add([this, op, action] { Act(op, action, Wait::kLater); });
}

// Gives the key to the next in line, in FinishLocked.
void Queue::ReleaseLocked(Item* item) {
  Work& work = *item->work;
  work.holder = nullptr;
  if (std::exchange(work.holds_delivery, false) && item->undelivered()) {
    pending_.Enqueue(item);
    want_pump_ = true;
  }
  TouchLocked(item);
}

void Queue::CompleteLocked(const Ref<Op>& op, Receipt receipt, Outbox* out) {
  if (op->stage != Op::Stage::kDelivering) --busy_ops_;
  op->stage = Op::Stage::kEnded;
  op->action = Op::Action::kNone;
  op->item = nullptr;
  op->Disarm();
  out->Add([op, receipt = std::move(receipt)]() mutable { op->done(std::move(receipt)); });
}

void Queue::ServeRoomLocked(Outbox* out) {
  while (!room_.empty()) {
    const Ref<Op> op = room_.front();
    if (!pending_.HasRoom(op->item, op->key.bytes().size(), SizeOf(*op))) return;
    room_.pop_front();
    op->has_turn = true;
    AdmitLocked(op, out);
  }
}

// ---- What an Op does outside the lock ----

void Queue::Act(const Ref<Op>& op, Op::Action action, Wait wait) noexcept {
  switch (action) {
    case Op::Action::kNone:
      return;
    case Op::Action::kDecide: {
      Call call = op->call.With(wait);
      call.ack = Ack::kDefault;
      call.flags = Call::kNoFill;
      return Below(*inner_).Get(op->key, Read::Stat(), call,
                                [this, op](Answer&& answer) { OnDecided(op, answer); });
    }
    case Op::Action::kAppend:
      return journal_->Append({op->key, op->value, op->expires_at_ms, op->sequence},
                              [this, op](Status&& status) { OnCommitted(op, std::move(status)); });
    case Op::Action::kSendIfAbsent:
    case Op::Action::kSendThrough:
      return SendDirectly(op, action, wait);
  }
}

void Queue::SendDirectly(const Ref<Op>& op, Op::Action action, Wait wait) noexcept {
  Call call = op->call.With(wait);
  call.ack = Ack::kDelivered;
  if (action == Op::Action::kSendIfAbsent)
    call.flags = Call::kIfAbsent;
  else
    call.flags = 0;
  Done<Receipt> done = [this, op, action](Receipt&& receipt) {
    OnSentDirectly(op, action, std::move(receipt));
  };
  if (op->value) {
    Below(*inner_).Put(op->key, Payload(op->value, op->expires_at_ms), call, std::move(done));
  } else {
    Below(*inner_).Del(op->key, call, std::move(done));
  }
}

void Queue::OnDecided(const Ref<Op>& op, const Answer& answer) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    if (dead_) {
      CompleteLocked(op, Receipt(Fail(Code::kClosed, "put", "the store is closed")), &out);
    } else if (op->ended != Code::kOk) {
      ReleaseLocked(op->item);
      CompleteLocked(op, Receipt(EndedStatus(op->ended, name_, "put")), &out);
    } else if (answer.status.Is(Code::kNotFound)) {
      op->decided = true;
      AdmitLocked(op, &out);
    } else {
      // Only a store that answers can say that there is nothing: a failure is no miss.
      ReleaseLocked(op->item);
      CompleteLocked(op, answer.status.ok() ? Receipt(Code::kExists) : Receipt(answer.status),
                     &out);
    }
    FinishLocked(&out);
  }
  out.Send(scheduler_.get());
}

void Queue::OnSentDirectly(const Ref<Op>& op, Op::Action action, Receipt receipt) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    if (!dead_) {
      Item* item = op->item;
      const Outcome outcome = OutcomeOf(receipt.status, !op->value);
      if (outcome == Outcome::kDelivered && action == Op::Action::kSendThrough) {
        SupersedeLocked(item, receipt, &out);
      } else if (MayHaveHappened(receipt.status.code())) {
        // Nobody repeats it, and it may land late: for a while nothing else may be sent.
        UnsettleLocked(item, ++sequence_);
      }
      ReleaseLocked(item);
    }
    CompleteLocked(op, std::move(receipt), &out);
    FinishLocked(&out);
  }
  out.Send(scheduler_.get());
}

// What waited is older than what the inner store has now.
void Queue::SupersedeLocked(Item* item, const Receipt& receipt, Outbox* out) {
  Work& work = *item->work;
  const uint64_t old_age = item->age;
  const uint64_t newest = item->newest.sequence;
  last_success_ns_ = scheduler_->NowNs();
  if (work.flight.sequence != 0) pending_.EndFlight(item, &out->trash);
  pending_.Drop(item, &out->trash);
  CompleteWaitersLocked(item, UINT64_MAX, receipt, out);
  if (old_age != 0) AgeChangedLocked(item, old_age, nullptr, out);
  if (newest != 0 && !commits_at_once_) {
    out->Add([this, self = Ref<Queue>(this), key = *item->key, newest] {
      journal_->MarkDone(key.bytes(), newest);
    });
  }
}

void Queue::OnCommitted(const Ref<Op>& op, Status status) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    if (dead_) {
      CompleteLocked(op, Receipt(Fail(Code::kClosed, NameOf(*op), "the store is closed")), &out);
    } else {
      pending_.Unreserve(op->item);
      if (status.ok()) {
        PublishLocked(op, &out);
      } else {
        ReleaseLocked(op->item);
        CompleteLocked(op, Receipt(std::move(status)), &out);
      }
    }
    FinishLocked(&out);
  }
  out.Send(scheduler_.get());
}

void Queue::EndOp(const Ref<Op>& op, Code code) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    Item* item = op->item;
    switch (op->stage) {
      case Op::Stage::kEnded:
        return;
      case Op::Stage::kActing:
        op->ended = code;
        return;
      case Op::Stage::kLine:
        std::erase(item->work->line, op);
        break;
      case Op::Stage::kRoom:
        std::erase(room_, op);
        ReleaseLocked(item);
        break;
      case Op::Stage::kFlight:
        ReleaseLocked(item);
        break;
      // The write itself goes on: it was accepted.
      case Op::Stage::kDelivering:
        std::erase(item->work->waiters, op);
        break;
    }
    CompleteLocked(op, Receipt(EndedStatus(code, name_, NameOf(*op))), &out);
    FinishLocked(&out);
  }
  out.Send(scheduler_.get());
}

}  // namespace chainstore::behind
