#include "managers/write_behind/drain.h"

#include <algorithm>

#include "core/await.h"
#include "core/limit.h"

namespace chainstore::behind {
namespace {

// An error with a cause for each of a million keys helps nobody.
constexpr size_t kMaxCauses = 16;

}  // namespace

void FlushWait::OnEnded(Code code) noexcept {
  queue->EndFlush(Ref<FlushWait>(this), chainstore::EndedStatus(code, queue->name_, "flush"));
}

// ---- Flush ----

Status Queue::FlushedStatus(const FlushWait& flush) const {
  if (flush.parked == 0) return Code::kOk;
  Failure partial = Fail(
      Code::kPartial, "flush",
      std::to_string(flush.parked) + " writes were refused by the store below and are put aside");
  for (const Status& cause : flush.causes) partial.Cause(cause);
  return partial;
}

void Queue::CountParkedLocked(FlushWait* flush, const Status& cause) {
  ++flush->parked;
  if (flush->causes.size() < kMaxCauses) flush->causes.push_back(cause);
}

void Queue::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  auto flush = MakeRef<FlushWait>(Ref<Queue>(this), prefix, call);
  const auto begin = [&](Done<Status> then) {
    enum { kWaits, kReady, kClosed } now;
    {
      MutexLock lock(mutex_);
      flush->done = std::move(then);
      BeginFlushLocked(flush);
      now = dead_ ? kClosed : flush->remaining == 0 ? kReady : kWaits;
      if (now == kWaits && call.wait != Wait::kNever) {
        flushes_.push_back(flush);
        flush->Arm(scheduler_.get(), call);
      }
    }
    if (now == kReady) return FlushInner(flush, call);
    if (now == kClosed) return flush->done(Fail(Code::kClosed, "flush", "the store is closed"));
    if (call.wait == Wait::kNever) flush->done(Status(Code::kWouldBlock));
  };
  if (call.wait != Wait::kHere) return begin(std::move(done));
  Status status;
  const Code ended = Await<Status>(call, &status, begin);
  if (ended != Code::kOk) status = chainstore::EndedStatus(ended, name_, "flush");
  done(std::move(status));
}

void Queue::BeginFlushLocked(const Ref<FlushWait>& flush) {
  flush->sequence = sequence_;
  const bool all = flush->prefix.empty();
  flush->remaining = all ? pending_.undelivered() : 0;
  if (all && pending_.parked() == 0) return;
  pending_.ForEach([&](const Item& item) {
    if (!item.key->bytes().starts_with(flush->prefix)) return;
    if (item.parked)
      CountParkedLocked(flush.get(), item.work->failure);
    else if (item.undelivered() && !all)
      ++flush->remaining;
  });
}

void Queue::FlushInner(const Ref<FlushWait>& flush, const Call& call) noexcept {
  inner_->Flush(flush->prefix, call, [this, flush](Status&& below) {
    Status status = FlushedStatus(*flush);
    flush->done(status.ok() ? std::move(below) : std::move(status));
  });
}

void Queue::EndFlush(const Ref<FlushWait>& flush, Status status) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    if (!flush->ended) FinishFlushLocked(flush, std::move(status), &out);
  }
  out.Send(scheduler_.get());
}

// OK: all is delivered, and the inner store's turn has come.
void Queue::FinishFlushLocked(const Ref<FlushWait>& flush, Status status, Outbox* out) {
  flush->ended = true;
  flush->Disarm();
  flushes_.remove(flush);
  out->Add([this, flush = Ref<FlushWait>(flush), status = std::move(status)]() mutable {
    if (status.failed()) return flush->done(std::move(status));
    FlushInner(flush, flush->call.With(Wait::kLater));
  });
}

void Queue::AgeChangedLocked(Item* item, uint64_t old_age, const Status* cause, Outbox* out) {
  for (auto at = flushes_.begin(); at != flushes_.end();) {
    const Ref<FlushWait> flush = *at++;
    const bool waited =
        old_age != 0 && old_age <= flush->sequence && item->key->bytes().starts_with(flush->prefix);
    if (!waited || (item->age != 0 && item->age <= flush->sequence)) continue;
    if (cause) CountParkedLocked(flush.get(), *cause);
    if (--flush->remaining == 0) FinishFlushLocked(flush, Status(), out);
  }
}

// ---- Close ----

bool Queue::DrainedLocked() const { return pending_.undelivered() == 0 && busy_ops_ == 0; }

void Queue::Close(const Call& call, Done<Status> done) noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    closing_ = MakeRef<CloseWait>(Ref<Queue>(this), std::move(done));
    if (call.Has(Call::kKeep) || inner_->closed()) {
      EndCloseLocked(&out);
    } else {
      // The last chance: nothing waits for its next attempt because of what was.
      breaker_.ProbeNow();
      pending_.WakeBackedOff(INT64_MAX);
      last_success_ns_ = scheduler_->NowNs();
      want_pump_ = true;
      closing_->Arm(scheduler_.get(), call);
      if (call.deadline_ns == kForeverNs) ArmDrainTimerLocked();
      FinishLocked(&out);
    }
  }
  out.Send(scheduler_.get());
}

void Queue::ArmDrainTimerLocked() {
  // A key that has to settle is not what a broken store looks like.
  const int64_t base_ns = std::max(last_success_ns_, pending_.LastSettledNs());
  drain_timer_ns_ = base_ns + settings_.drain_idle_ms * kNsPerMs;
  drain_timer_ =
      scheduler_->At(drain_timer_ns_, [self = Ref<Queue>(this)] { self->OnDrainIdle(); });
}

void Queue::OnDrainIdle() noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    drain_timer_ = 0;
    if (dead_) return;
    const int64_t base_ns = std::max(last_success_ns_, pending_.LastSettledNs());
    if (base_ns + settings_.drain_idle_ms * kNsPerMs > scheduler_->NowNs()) {
      ArmDrainTimerLocked();
    } else {
      EndCloseLocked(&out);
    }
  }
  out.Send(scheduler_.get());
}

void Queue::EndClose() noexcept {
  Outbox out;
  {
    MutexLock lock(mutex_);
    if (!dead_) EndCloseLocked(&out);
  }
  out.Send(scheduler_.get());
}

// Everything is delivered, or the queue gives up what is left.
void Queue::EndCloseLocked(Outbox* out) {
  Status status = LoseAllLocked(out);
  dead_ = true;
  owner_ = nullptr;
  if (timer_ != 0) scheduler_->Cancel(std::exchange(timer_, 0), timer_ns_);
  if (drain_timer_ != 0) scheduler_->Cancel(std::exchange(drain_timer_, 0), drain_timer_ns_);
  closing_->Disarm();
  out->Add([closing = std::move(closing_), status = std::move(status)]() mutable {
    closing->done(std::move(status));
  });
  closing_ = nullptr;
}

Status Queue::LoseAllLocked(Outbox* out) {
  uint64_t lost = 0;
  std::vector<Status> causes;
  std::vector<Item*> items;
  pending_.ForEach([&](Item& item) { items.push_back(&item); });
  for (Item* item : items) {
    if (item->work) LoseOpsLocked(item, out);
    if (item->undelivered() || item->parked) {
      ++lost;
      const Status status = LostStatus(*item);
      if (causes.size() < kMaxCauses) causes.push_back(status);
      ReportLocked(status, out);
    }
    pending_.Drop(item, &out->trash);
  }
  room_.clear();
  touched_.clear();
  while (!flushes_.empty()) {
    const Ref<FlushWait> flush = flushes_.front();
    FinishFlushLocked(
        flush, Fail(Code::kClosed, "flush", "the store was closed before all was delivered"), out);
  }
  if (lost == 0) return Code::kOk;
  Failure partial = Fail(Code::kPartial, "close",
                         std::to_string(lost) +
                             " writes were not delivered and are lost, because "
                             "the queue is kept in memory only");
  for (const Status& cause : causes) partial.Cause(cause);
  return partial.Hint("flush before closing, or close with a longer time limit");
}

Status Queue::LostStatus(const Item& item) const {
  Code code = Code::kClosed;
  std::string what = "the store was closed before this write was delivered: it is lost";
  if (item.in_flight) what += ", unless the attempt that is under way succeeds";
  if (item.work && item.work->failure.failed()) code = item.work->failure.code();
  Failure failure = Fail(code, item.newest.is_delete() ? "del" : "put", std::move(what));
  failure.KeyIs(item.key->bytes()).Detail("state", "lost").Retryable(false);
  if (item.work) {
    failure.Detail("attempt", std::to_string(item.work->attempts)).Cause(item.work->failure);
  }
  return failure;
}

void Queue::LoseOpsLocked(Item* item, Outbox* out) {
  Work& work = *item->work;
  if (work.holder) LoseOpLocked(work.holder, out);
  for (const Ref<Op>& op : work.line) LoseOpLocked(op, out);
  for (const Ref<Op>& op : work.waiters) LoseOpLocked(op, out);
  work.holder = nullptr;
  work.holds_delivery = false;
  work.line.clear();
  work.waiters.clear();
}

// What is being asked below, or committed, ends by itself when its answer comes.
void Queue::LoseOpLocked(const Ref<Op>& op, Outbox* out) {
  if (op->stage == Op::Stage::kActing) return;
  const char* operation = op->value ? "put" : "del";
  CompleteLocked(op,
                 Receipt(Fail(Code::kClosed, operation,
                              "the store was closed before this write was delivered")),
                 out);
}

}  // namespace chainstore::behind
