#include "managers/write_behind/queue.h"

#include "managers/write_behind/drain.h"

namespace chainstore::behind {

Queue::Queue(Store* owner, Ref<Store> inner, const Settings& settings,
             std::unique_ptr<Journal> journal, std::unique_ptr<Scheduler> scheduler)
    : name_(owner->name()),
      inner_(std::move(inner)),
      settings_(settings),
      journal_(std::move(journal)),
      commits_at_once_(journal_->commits_at_once()),
      scheduler_(std::move(scheduler)),
      owner_(owner),
      pending_(settings_) {}

Queue::~Queue() = default;

bool Queue::Look(const Key& key, Pending::View* view, uint64_t* began) {
  MutexLock lock(mutex_);
  const Item* item = pending_.Find(key);
  if (item && pending_.Look(*item, scheduler_->WallMs(), view)) return true;
  *began = pending_.BeginRead();
  return false;
}

uint64_t Queue::BeginRead() {
  MutexLock lock(mutex_);
  return pending_.BeginRead();
}

void Queue::EndRead(uint64_t began) {
  Outbox out;
  {
    MutexLock lock(mutex_);
    pending_.EndRead(began, &out.trash);
    // A tombstone that went has made room.
    if (!room_.empty()) FinishLocked(&out);
  }
  out.Send(scheduler_.get());
}

bool Queue::Pin(const Range& range, size_t limit, std::vector<Pending::View>* pins,
                uint64_t* began) {
  MutexLock lock(mutex_);
  *began = pending_.BeginRead();
  return pending_.Collect(range, limit, scheduler_->WallMs(), pins);
}

Counters Queue::counters() {
  MutexLock lock(mutex_);
  Counters out = counters_;
  out.entries = pending_.entries();
  out.bytes = pending_.bytes();
  out.undelivered = pending_.undelivered();
  out.parked = pending_.parked();
  out.coalesced = pending_.coalesced();
  out.keys_known = pending_.items();
  out.waiting_for_room = room_.size();
  out.breaker = breaker_.state();
  return out;
}

KeyState Queue::StateOf(const Key& key) {
  MutexLock lock(mutex_);
  const Item* item = pending_.Find(key);
  if (!item) return KeyState::kNone;
  if (item->parked) return KeyState::kParked;
  if (item->in_flight) return KeyState::kInFlight;
  return item->undelivered() ? KeyState::kQueued : KeyState::kNone;
}

Failure Queue::Fail(Code code, std::string_view operation, std::string what) const {
  Failure failure(code, std::move(what));
  failure.Store(name_).Op(operation);
  return failure;
}

void Queue::ReportLocked(Status status, Outbox* out) {
  // A store whose last user has just gone is about to close, and reports what is lost then.
  if (!owner_ || !owner_->TryRef()) return;
  out->Add(
      [owner = Ref<Store>::Adopt(owner_), status = std::move(status)] { owner->Report(status); });
}

void Queue::PostPump() noexcept {
  scheduler_->Post([self = Ref<Queue>(this)] { self->Pump(); });
}

}  // namespace chainstore::behind
