// How a write gets out of the queue: the pump sends what is due, oldest first, as long as there are
// free places; what comes back is marked, repeated, delayed or parked. The pump runs as one task at
// a time; it ends when nothing can be sent, and whatever changes that posts it again.
#include <algorithm>

#include "core/one_attempt.h"
#include "managers/write_behind/backoff.h"
#include "managers/write_behind/drain.h"
#include "managers/write_behind/queue.h"

namespace chainstore::behind {
namespace {

// So often the same permanent refusal is believed.
constexpr uint32_t kMaxRefusals = 3;
// After so many operations the pump lets other tasks have its worker.
constexpr int kOperationsPerTurn = 64;

std::string CauseOf(const Status& status) {
  return status.error() ? status.error()->message() : CodeName(status.code());
}

}  // namespace

// ---- Sending ----

bool Queue::CanSendLocked() {
  return counters_.in_flight < settings_.concurrency &&
         (breaker_.state() == Breaker::State::kClosed || breaker_.Allows(scheduler_->NowNs()));
}

void Queue::Pump() noexcept {
  for (int sent = 0; sent < kOperationsPerTurn; ++sent) {
    Outbox out;
    Item* item;
    Record record;
    bool ended = false;
    {
      MutexLock lock(mutex_);
      want_pump_ = false;
      item = PickLocked(&out);
      if (item) record = item->work->flight;
      FinishLocked(&out);
      if (!item && !want_pump_) {
        pump_scheduled_ = false;
        ArmTimerLocked(scheduler_->NowNs());
        ended = true;
      }
    }
    out.Send(scheduler_.get());
    if (ended) return;
    if (item) Send(item, record);
  }
  PostPump();
}

Item* Queue::PickLocked(Outbox* out) {
  if (dead_) return nullptr;
  const int64_t now_ns = scheduler_->NowNs();
  pending_.WakeBackedOff(now_ns);
  WakeSettledLocked(now_ns, out);
  if (counters_.in_flight >= settings_.concurrency || !breaker_.Allows(now_ns)) return nullptr;
  for (;;) {
    Item* item = pending_.PopReady();
    // A probe is due even if every key has failed lately.
    if (!item && breaker_.state() != Breaker::State::kClosed) item = pending_.PopBackingOff();
    if (!item) return nullptr;
    if (!PrepareLocked(item, now_ns, out)) continue;
    pending_.BeginFlight(item);
    item->work->was_probe = breaker_.Sent();
    ++counters_.in_flight;
    ++counters_.attempts;
    return item;
  }
}

// Whether the item's record may be sent now.
bool Queue::PrepareLocked(Item* item, int64_t now_ns, Outbox* out) {
  Work& work = item->Warm();
  const int64_t wall_ms = scheduler_->WallMs();
  if (work.must_repeat && work.flight.ExpiredAt(wall_ms)) pending_.EndFlight(item, &out->trash);
  // What expires before it was delivered must not leave an older value behind.
  if (!work.must_repeat && item->newest.ExpiredAt(wall_ms)) {
    pending_.Expire(item, ++sequence_, &out->trash);
  }
  const uint64_t sequence = work.must_repeat ? work.flight.sequence : item->newest.sequence;
  if (!MustSettleLocked(item, sequence, now_ns)) return true;
  pending_.Settle(item, work.settle_until_ns);
  return false;
}

void Queue::WakeSettledLocked(int64_t now_ns, Outbox* out) {
  while (Item* item = pending_.PopSettled(now_ns)) {
    if (item->work->holds_delivery)
      ThroughLocked(item->work->holder, out);
    else if (item->undelivered())
      pending_.Enqueue(item);
    else
      TouchLocked(item);
  }
}

void Queue::ArmTimerLocked(int64_t now_ns) {
  if (dead_) return;
  int64_t next_ns = pending_.NextWakeNs();
  // Also with nothing to send yet: a put that finds the breaker open relies on this timer.
  if (breaker_.state() != Breaker::State::kClosed && breaker_.next_probe_ns() > now_ns) {
    next_ns = std::min(next_ns, breaker_.next_probe_ns());
  }
  if (next_ns == INT64_MAX || next_ns >= timer_ns_) return;
  if (timer_ != 0) scheduler_->Cancel(timer_, timer_ns_);
  timer_ns_ = std::max(next_ns, now_ns);
  timer_ = scheduler_->At(timer_ns_, [self = Ref<Queue>(this)] {
    Outbox out;
    MutexLock lock(self->mutex_);
    self->timer_ = 0;
    self->timer_ns_ = INT64_MAX;
    self->want_pump_ = true;
    self->FinishLocked(&out);
    lock.Unlock();
    out.Send(self->scheduler_.get());
  });
}

void Queue::Send(Item* item, const Record& record) noexcept {
  // The delivery's own call: no caller's token, no caller's deadline.
  Call call;
  call.wait = Wait::kLater;
  call.ack = Ack::kDelivered;
  call.flags = kOneAttempt;
  call.deadline_ns = scheduler_->NowNs() + settings_.attempt_timeout_ms * kNsPerMs;
  // An item in flight is not erased, so its key and address are good until the answer.
  Done<Receipt> done = [self = Ref<Queue>(this), item](Receipt&& receipt) {
    self->OnSent(item, std::move(receipt));
  };
  const Key key = *item->key;
  if (record.is_delete()) return inner_->Del(key, call, std::move(done));
  inner_->Put(key, Payload(record.value, record.expires_at_ms), call, std::move(done));
}

// ---- What comes back ----

void Queue::OnSent(Item* item, Receipt receipt) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    --counters_.in_flight;
    if (dead_) return;
    const Outcome outcome = OutcomeOf(receipt.status, item->work->flight.is_delete());
    if (outcome == Outcome::kDelivered)
      OnDeliveredLocked(item, receipt, &out);
    else
      OnFailedLocked(item, outcome, receipt.status, &out);
    AfterFlightLocked(item, &out);
    want_pump_ = true;
    FinishLocked(&out);
  }
  out.Send(scheduler_.get());
}

void Queue::AfterFlightLocked(Item* item, Outbox* out) {
  if (item->work->holds_delivery)
    ThroughLocked(item->work->holder, out);
  else if (item->undelivered())
    pending_.Enqueue(item);
  TouchLocked(item);
}

void Queue::StoreAnswersLocked() {
  // The outage is over for everybody: what backed off because of it need not wait longer.
  if (breaker_.Alive()) pending_.WakeBackedOff(INT64_MAX);
}

void Queue::OnDeliveredLocked(Item* item, const Receipt& receipt, Outbox* out) {
  Work& work = *item->work;
  const uint64_t sequence = work.flight.sequence;
  const uint64_t old_age = item->age, next_age = item->next_age;
  ++counters_.delivered;
  last_success_ns_ = scheduler_->NowNs();
  StoreAnswersLocked();
  work.attempts = work.refusals = 0;
  work.told_retrying = false;
  CompleteWaitersLocked(item, sequence, receipt, out);
  pending_.EndFlight(item, &out->trash);
  if (item->newest.sequence != sequence)
    item->age = next_age;
  else if (item->newest.is_delete())
    pending_.Confirm(item, &out->trash);
  else
    pending_.Drop(item, &out->trash);
  AgeChangedLocked(item, old_age, nullptr, out);
  if (commits_at_once_) return;
  out->Add([this, self = Ref<Queue>(this), key = *item->key, sequence] {
    journal_->MarkDone(key.bytes(), sequence);
  });
}

void Queue::OnFailedLocked(Item* item, Outcome outcome, const Status& status, Outbox* out) {
  Work& work = *item->work;
  const uint64_t sequence = work.flight.sequence;
  const int64_t now_ns = scheduler_->NowNs();
  ++counters_.failed_attempts;
  ++work.attempts;
  work.failure = status;
  const bool unclear = MayHaveHappened(status.code());
  if (unclear) UnsettleLocked(item, sequence);
  bool changed = false;
  if (outcome == Outcome::kPoison || outcome == Outcome::kRefused) {
    StoreAnswersLocked();  // it says no to this record, and so it works
  } else {
    changed = breaker_.Failed(outcome == Outcome::kWholeStore, work.was_probe, now_ns,
                              scheduler_->Random());
  }
  if (IsPoisonLocked(item, outcome, status)) {
    pending_.EndFlight(item, &out->trash);
    if (item->newest.sequence == sequence) return ParkLocked(item, status, out);
    work.attempts = 0;  // a newer write has replaced the bad one: it is tried instead
    return;
  }
  int64_t delay_ms = BackoffMs(work.attempts, settings_.retry_min_ms, settings_.retry_max_ms,
                               scheduler_->Random());
  if (breaker_.state() != Breaker::State::kClosed) {
    // Another key's turn to be the probe: the trouble may be this one's alone.
    const int64_t probe_ms = (breaker_.next_probe_ns() - now_ns) / kNsPerMs + 1;
    delay_ms = std::max(delay_ms, probe_ms);
  }
  ReportFailureLocked(item, status, changed, delay_ms, out);
  if (unclear)
    pending_.RepeatFlight(item);
  else
    pending_.EndFlight(item, &out->trash);
  pending_.BackOff(item, now_ns + delay_ms * kNsPerMs);
}

bool Queue::IsPoisonLocked(Item* item, Outcome outcome, const Status& status) {
  Work& work = *item->work;
  if (outcome == Outcome::kPoison) return true;
  if (outcome != Outcome::kRefused && outcome != Outcome::kWholeStore) {
    work.refusals = 0;
    return false;
  }
  if (work.refusals == 0 || work.refusal != status.code()) {
    work.refusal = status.code();
    work.refusals = 1;
  } else if (outcome == Outcome::kRefused || work.refused_at_success != counters_.delivered) {
    // That the whole store refuses is held against a key only if others got through meanwhile.
    ++work.refusals;
  }
  work.refused_at_success = counters_.delivered;
  return work.refusals >= kMaxRefusals;
}

void Queue::ParkLocked(Item* item, const Status& status, Outbox* out) {
  Work& work = *item->work;
  const uint64_t old_age = item->age;
  const uint64_t sequence = item->newest.sequence;
  const char* operation = item->newest.is_delete() ? "del" : "put";
  pending_.Park(item);
  const Status parked =
      Fail(status.code(), operation,
           "the store below refuses this write, which is put aside with its value: " +
               CauseOf(status))
          .KeyIs(item->key->bytes())
          .Detail("state", "parked")
          .Detail("attempt", std::to_string(work.attempts))
          .Hint("a newer write of the key takes its place")
          .Retryable(false)
          .Cause(status);
  work.failure = parked;
  work.attempts = 0;
  work.told_retrying = false;
  CompleteWaitersLocked(item, UINT64_MAX, Receipt(parked), out);
  AgeChangedLocked(item, old_age, &parked, out);
  ReportLocked(parked, out);
  if (commits_at_once_) return;
  out->Add([this, self = Ref<Queue>(this), key = *item->key, sequence] {
    journal_->MarkParked(key.bytes(), sequence);
  });
}

// Once per change of state: of the store (the breaker changed), else of the key, which is not told
// while the store's state explains it.
void Queue::ReportFailureLocked(Item* item, const Status& status, bool changed, int64_t delay_ms,
                                Outbox* out) {
  Work& work = *item->work;
  const Breaker::State state = breaker_.state();
  if (!changed && (state != Breaker::State::kClosed || work.told_retrying)) return;
  work.told_retrying = true;
  std::string what = "attempt " + std::to_string(work.attempts) + " failed: " + CauseOf(status);
  const char* state_name = "retrying";
  if (changed) {
    delay_ms = std::max<int64_t>(0, breaker_.next_probe_ns() - scheduler_->NowNs()) / kNsPerMs;
    const bool paused = state == Breaker::State::kPaused;
    state_name = paused ? "paused" : "outage";
    what = (paused ? "the store below refuses all writes; the queue waits: "
                   : "the store below does not take writes; one at a time is tried: ") +
           CauseOf(status);
  }
  ReportLocked(Fail(status.code(), work.flight.is_delete() ? "del" : "put", std::move(what))
                   .KeyIs(item->key->bytes())
                   .Detail("state", state_name)
                   .Detail("attempt", std::to_string(work.attempts))
                   .Detail("next_retry_ms", std::to_string(delay_ms))
                   .Retryable()
                   .Cause(status),
               out);
}

void Queue::CompleteWaitersLocked(Item* item, uint64_t up_to, const Receipt& receipt, Outbox* out) {
  std::vector<Ref<Op>>& waiters = item->work->waiters;
  size_t done = 0;
  while (done < waiters.size() && waiters[done]->sequence <= up_to) {
    CompleteLocked(waiters[done++], receipt, out);
  }
  waiters.erase(waiters.begin(), waiters.begin() + static_cast<ptrdiff_t>(done));
}

void Queue::UnsettleLocked(Item* item, uint64_t sequence) {
  Work& work = item->Warm();
  work.unsettled_sequence = sequence;
  work.settle_until_ns = scheduler_->NowNs() + settings_.settle_ms * kNsPerMs;
}

bool Queue::MustSettleLocked(const Item* item, uint64_t sequence, int64_t now_ns) const {
  const Work* work = item->work.get();
  return work && work->unsettled_sequence != 0 && work->unsettled_sequence != sequence &&
         now_ns < work->settle_until_ns;
}

// ---- The end of a step ----

void Queue::TouchLocked(Item* item) {
  if (std::exchange(item->touched, true)) return;
  touched_.push_back(item);
}

void Queue::ServeTouchedLocked(Item* item, Outbox* out) {
  Work* work = item->work.get();
  if (work && !work->holder && !work->line.empty()) {
    const Ref<Op> next = std::move(work->line.front());
    work->line.pop_front();
    work->holder = next;
    return EnterLocked(next, out);
  }
  // A key that may still change by itself is remembered until it cannot.
  if (!item->undelivered() && !item->in_flight && item->place == Item::Place::kNone &&
      MustSettleLocked(item, 0, scheduler_->NowNs())) {
    want_pump_ = true;
    return pending_.Settle(item, item->work->settle_until_ns);
  }
  pending_.EraseIfIdle(item, &out->trash);
}

void Queue::FinishLocked(Outbox* out) {
  do {
    while (!touched_.empty() && !dead_) {
      Item* item = touched_.back();
      touched_.pop_back();
      item->touched = false;
      ServeTouchedLocked(item, out);
    }
    ServeRoomLocked(out);
  } while (!touched_.empty() && !dead_);
  if (closing_ && !dead_ && DrainedLocked()) EndCloseLocked(out);
  if (!want_pump_ || pump_scheduled_ || dead_) return;
  want_pump_ = false;
  pump_scheduled_ = true;
  PostPump();
}

}  // namespace chainstore::behind
