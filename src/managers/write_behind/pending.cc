#include "managers/write_behind/pending.h"

#include <algorithm>
#include <cassert>

namespace chainstore::behind {

Item* Pending::Find(const Key& key) {
  const auto found = items_.find(key);
  return found == items_.end() ? nullptr : &found->second;
}

Item* Pending::FindOrAdd(const Key& key) {
  if (Item* item = Find(key)) return item;
  const auto added = items_.try_emplace(OwnedKey(key)).first;
  added->second.key = &added->first;
  return &added->second;
}

// ---- Room ----

uint64_t Pending::CostOf(const Item& item) noexcept {
  if (!item.counted) return 0;
  uint64_t cost = item.key->bytes().size() + item.newest.size();
  if (const Work* work = item.work.get()) {
    if (work->flight.sequence != item.newest.sequence) cost += work->flight.size();
    cost += work->reserved_bytes;
  }
  return cost;
}

void Pending::Recharge(Item* item) {
  // A key that has to settle is kept, and so counted: a flapping store must not grow the index.
  const Work* work = item->work.get();
  const bool counts = item->visible() || item->in_flight ||
                      (work && (work->flight.sequence != 0 || work->reserved_bytes != 0)) ||
                      item->place == Item::Place::kSettling;
  if (counts != item->counted) {
    item->counted = counts;
    entries_ += counts ? 1 : uint64_t{0} - 1;
  }
  const uint64_t cost = CostOf(*item);
  bytes_ += cost - item->charged_bytes;
  item->charged_bytes = cost;
}

bool Pending::HasRoom(const Item* item, size_t key_size, uint64_t value_size) const noexcept {
  const bool counted = item && item->counted;
  uint64_t replaced = 0;
  if (counted) {
    replaced = key_size;
    // What is being sent stays until it has been.
    if (!item->work || item->work->flight.sequence != item->newest.sequence) {
      replaced += item->newest.size();
    }
  }
  const uint64_t added = key_size + value_size;
  if (added > replaced && bytes_ + (added - replaced) > settings_.max_bytes) return false;
  return counted || entries_ < settings_.max_entries;
}

void Pending::Reserve(Item* item, uint64_t value_size) {
  // One byte more than the value: a delete is a reservation, too.
  item->Warm().reserved_bytes = value_size + 1;
  Recharge(item);
}

void Pending::Unreserve(Item* item) {
  if (!item->work) return;
  item->work->reserved_bytes = 0;
  Recharge(item);
}

// ---- Records ----

void Pending::SetDelivered(Item* item) {
  if (item->undelivered()) --undelivered_;
}

void Pending::Unconfirm(Item* item) {
  if (!item->confirmed) return;
  item->confirmed = false;
  confirmed_.erase({item->work->confirmed_at, item});
}

void Pending::Publish(Item* item, Record record, Trash* trash) {
  const bool flying = item->work && item->work->flight.sequence != 0;
  if (item->undelivered()) {
    if (!flying || item->work->flight.sequence != item->newest.sequence) ++coalesced_;
  } else {
    ++undelivered_;
  }
  Unconfirm(item);
  if (item->parked) {
    item->parked = false;
    --parked_;
  }
  if (item->work) item->work->refusals = 0;
  if (item->age == 0)
    item->age = record.sequence;
  else if (flying && item->next_age == 0)
    item->next_age = record.sequence;
  trash->Add(std::move(item->newest.value));
  item->newest = std::move(record);
  Recharge(item);
  if (keep_sorted_) SortNewer(item);
  if (item->age != item->newest.sequence) return Enqueue(item);
  if (item->place != Item::Place::kNone || item->in_flight) return;
  if (item->work && item->work->holds_delivery) return;
  // The youngest of all: the end of the list is its place by age.
  item->place = Item::Place::kFresh;
  item->previous = fresh_last_;
  item->next = nullptr;
  (fresh_last_ ? fresh_last_->next : fresh_) = item;
  fresh_last_ = item;
}

void Pending::BeginFlight(Item* item) {
  Work& work = item->Warm();
  if (!work.must_repeat) work.flight = item->newest;
  item->in_flight = true;
  Recharge(item);
}

void Pending::RepeatFlight(Item* item) {
  item->work->must_repeat = true;
  item->in_flight = false;
  Recharge(item);
}

void Pending::EndFlight(Item* item, Trash* trash) {
  trash->Add(std::move(item->work->flight.value));
  item->work->flight = Record();
  item->work->must_repeat = false;
  item->in_flight = false;
  item->next_age = 0;
  Recharge(item);
}

void Pending::Drop(Item* item, Trash* trash) {
  TakeOut(item);
  SetDelivered(item);
  Unconfirm(item);
  if (item->parked) --parked_;
  item->parked = false;
  item->age = 0;
  item->next_age = 0;
  trash->Add(std::move(item->newest.value));
  item->newest = Record();
  Unsort(item);
  Recharge(item);
}

void Pending::Park(Item* item) {
  TakeOut(item);
  SetDelivered(item);
  item->parked = true;
  ++parked_;
  item->age = 0;
}

void Pending::Expire(Item* item, uint64_t sequence, Trash* trash) {
  trash->Add(std::move(item->newest.value));
  item->newest.value = nullptr;
  item->newest.sequence = sequence;
  item->newest.expires_at_ms = 0;
  Recharge(item);
}

void Pending::Confirm(Item* item, Trash* trash) {
  const uint64_t now = readers_.Now();
  // Asked at once, so that reads from now on count as later ones.
  if (readers_.Passed(now)) return Drop(item, trash);
  TakeOut(item);
  SetDelivered(item);
  item->confirmed = true;
  item->age = 0;
  item->Warm().confirmed_at = now;
  confirmed_.insert({item->work->confirmed_at, item});
}

bool Pending::Look(const Item& item, int64_t wall_ms, View* view) const {
  if (!item.visible()) return false;
  if (!item.newest.ExpiredAt(wall_ms)) {
    view->value = item.newest.value;
    view->expires_at_ms = item.newest.expires_at_ms;
  }
  if (item.parked)
    view->flags = kResultParked;
  else if (!item.confirmed)
    view->flags = kResultPending;
  return true;
}

// ---- Order of delivery ----

void Pending::Enqueue(Item* item) {
  if (item->place != Item::Place::kNone || item->in_flight) return;
  if (item->work && item->work->holds_delivery) return;
  item->place = Item::Place::kAgain;
  again_.emplace(item->age, item);
}

void Pending::BackOff(Item* item, int64_t until_ns) {
  TakeOut(item);
  item->place = Item::Place::kBackingOff;
  item->Warm().wake_ns = until_ns;
  backing_off_.insert({until_ns, item});
}

void Pending::Settle(Item* item, int64_t until_ns) {
  TakeOut(item);
  item->place = Item::Place::kSettling;
  item->Warm().wake_ns = until_ns;
  settling_.insert({until_ns, item});
  Recharge(item);
}

void Pending::TakeOut(Item* item) {
  switch (item->place) {
    case Item::Place::kNone:
      return;
    case Item::Place::kFresh:
      (item->previous ? item->previous->next : fresh_) = item->next;
      (item->next ? item->next->previous : fresh_last_) = item->previous;
      item->next = item->previous = nullptr;
      break;
    case Item::Place::kAgain:
      again_.erase(item->age);
      break;
    case Item::Place::kBackingOff:
      backing_off_.erase({item->work->wake_ns, item});
      break;
    case Item::Place::kSettling:
      settling_.erase({item->work->wake_ns, item});
      break;
  }
  item->place = Item::Place::kNone;
  Recharge(item);
}

Item* Pending::PopReady() {
  Item* item = fresh_;
  if (!again_.empty() && (!item || again_.begin()->first < item->age)) {
    item = again_.begin()->second;
  }
  if (item) TakeOut(item);
  return item;
}

Item* Pending::PopBackingOff() {
  if (backing_off_.empty()) return nullptr;
  Item* item = backing_off_.begin()->second;
  TakeOut(item);
  return item;
}

void Pending::WakeBackedOff(int64_t now_ns) {
  while (!backing_off_.empty() && backing_off_.begin()->first <= now_ns) {
    Enqueue(PopBackingOff());
  }
}

Item* Pending::PopSettled(int64_t now_ns) {
  if (settling_.empty() || settling_.begin()->first > now_ns) return nullptr;
  Item* item = settling_.begin()->second;
  TakeOut(item);
  return item;
}

int64_t Pending::NextWakeNs() const noexcept {
  int64_t next = INT64_MAX;
  if (!backing_off_.empty()) next = backing_off_.begin()->first;
  if (!settling_.empty()) next = std::min(next, settling_.begin()->first);
  return next;
}

int64_t Pending::LastSettledNs() const noexcept {
  for (auto at = settling_.rbegin(); at != settling_.rend(); ++at) {
    if (at->second->undelivered()) return at->first;
  }
  return 0;
}

bool Pending::EraseIfIdle(Item* item, Trash* trash) {
  if (item->visible() || item->in_flight || item->place != Item::Place::kNone) return false;
  if (const Work* work = item->work.get()) {
    if (work->holder || !work->line.empty() || work->flight.sequence != 0) return false;
    assert(work->waiters.empty());
  }
  assert(item->charged_bytes == 0 && !item->counted);
  const auto found = items_.find(Key(*item->key));
  trash->Add(items_.extract(found));
  return true;
}

// ---- Readers ----

void Pending::EndRead(uint64_t began, Trash* trash) {
  readers_.End(began);
  if (!confirmed_.empty()) DropConfirmed(trash);
}

void Pending::DropConfirmed(Trash* trash) {
  while (!confirmed_.empty() && readers_.Passed(confirmed_.begin()->first)) {
    Item* item = confirmed_.begin()->second;
    const bool settling = item->place == Item::Place::kSettling;
    const int64_t until_ns = item->work->wake_ns;
    Drop(item, trash);
    if (settling)
      Settle(item, until_ns);
    else
      EraseIfIdle(item, trash);
  }
}

void Pending::Sort(Item* item) {
  if (item->sorted) return;
  item->sorted = true;
  sorted_.insert(item);
}

void Pending::SortNewer(Item* item) {
  if (++puts_since_scan_ <= std::max<uint64_t>(1024, items_.size())) return Sort(item);
  // Nobody has scanned for as many puts as it costs to sort again: not worth keeping.
  keep_sorted_ = false;
  for (Item* each : sorted_) each->sorted = false;
  sorted_.clear();
}

void Pending::Unsort(Item* item) {
  if (!item->sorted) return;
  item->sorted = false;
  sorted_.erase(item);
}

void Pending::SortAll() {
  keep_sorted_ = true;
  for (auto& [key, item] : items_) {
    if (item.visible()) Sort(&item);
  }
}

bool Pending::Collect(const Range& range, size_t limit, int64_t wall_ms, std::vector<View>* out) {
  if (!keep_sorted_) SortAll();
  puts_since_scan_ = 0;
  const auto take = [&](const Item& item) {
    View view;
    view.key = item.key->bytes();
    Look(item, wall_ms, &view);
    out->push_back(std::move(view));
  };
  if (!range.reverse) {
    for (auto at = sorted_.lower_bound(range.First()); at != sorted_.end(); ++at) {
      const Bytes key = (*at)->key->bytes();
      if (!range.Contains(key)) {
        // The only key before the end that may be left out is the one that the page goes on after.
        if (range.has_after && key == range.after) continue;
        break;
      }
      if (out->size() == limit) return false;
      take(**at);
    }
    return true;
  }
  const std::string beyond = range.Beyond();
  auto at = beyond.empty() ? sorted_.end() : sorted_.lower_bound(Bytes(beyond));
  while (at != sorted_.begin()) {
    --at;
    if (!range.Contains((*at)->key->bytes())) break;
    if (out->size() == limit) return false;
    take(**at);
  }
  return true;
}

}  // namespace chainstore::behind
