#include "managers/lru/ledger_shard.h"

#include <cassert>

namespace chainstore {

LedgerShard::LedgerShard(uint32_t index, std::unique_ptr<Slots> slots,
                         std::unique_ptr<Policy> policy, Ref<Runtime> runtime,
                         std::atomic<uint64_t>* work)
    : index_(index),
      runtime_(std::move(runtime)),
      work_(*work),
      slots_(std::move(slots)),
      policy_(std::move(policy)) {
  heads_.Reach(0);
}

// ---- The table ----

uint32_t LedgerShard::FindHash(uint32_t hash) const noexcept {
  const uint32_t bucket = BucketOf(hash, buckets_.load(std::memory_order_acquire));
  uint32_t slot = std::atomic_ref(heads_[bucket]).load(std::memory_order_acquire);
  // A chain that is being changed may lead into another one: never further than any chain is long.
  for (int steps = 0; slot != kNoSlot && steps < 64; ++steps) {
    if (slots_->hash(slot) == hash) return slot;
    slot = slots_->next(slot);
  }
  return kNoSlot;
}

uint32_t LedgerShard::FindLocked(const Key& key) const {
  const auto hash = static_cast<uint32_t>(key.hash);
  uint32_t slot = heads_[BucketOf(hash, buckets_.load(std::memory_order_relaxed))];
  while (slot != kNoSlot && (slots_->hash(slot) != hash || slots_->key(slot) != key.bytes)) {
    slot = slots_->next(slot);
  }
  return slot;
}

uint32_t LedgerShard::FindOrAddLocked(const Key& key) {
  const uint32_t found = FindLocked(key);
  if (found != kNoSlot) return found;
  const auto hash = static_cast<uint32_t>(key.hash);
  const uint32_t slot = slots_->Add(key.bytes, hash);
  uint32_t& head = heads_[BucketOf(hash, buckets_.load(std::memory_order_relaxed))];
  slots_->set_next(slot, head);
  std::atomic_ref(head).store(slot, std::memory_order_release);
  if (slots_->count() > buckets_.load(std::memory_order_relaxed)) GrowLocked();
  return slot;
}

void LedgerShard::GrowLocked() {
  const uint32_t buckets = buckets_.load(std::memory_order_relaxed);
  if (buckets == UINT32_MAX) return;
  heads_.Reach(buckets);
  // The bucket that shares its keys with the new one, which differs in its highest bit.
  const uint32_t from = buckets - std::bit_floor(buckets);
  uint32_t kept = kNoSlot, moved = kNoSlot;
  for (uint32_t slot = heads_[from]; slot != kNoSlot;) {
    const uint32_t next = slots_->next(slot);
    uint32_t& chain = BucketOf(slots_->hash(slot), buckets + 1) == buckets ? moved : kept;
    slots_->set_next(slot, chain);
    chain = slot;
    slot = next;
  }
  std::atomic_ref(heads_[buckets]).store(moved, std::memory_order_release);
  std::atomic_ref(heads_[from]).store(kept, std::memory_order_release);
  buckets_.store(buckets + 1, std::memory_order_release);
}

void LedgerShard::RemoveLocked(uint32_t slot) {
  uint32_t& head = heads_[BucketOf(slots_->hash(slot), buckets_.load(std::memory_order_relaxed))];
  if (head == slot) {
    std::atomic_ref(head).store(slots_->next(slot), std::memory_order_release);
  } else {
    uint32_t before = head;
    while (slots_->next(before) != slot) before = slots_->next(before);
    slots_->set_next(before, slots_->next(slot));
  }
  slots_->Free(slot);
}

bool LedgerShard::HoldsIdle(const Key& key) {
  MutexLock lock(mutex_);
  const uint32_t slot = FindLocked(key);
  return slot != kNoSlot && slots_->Evictable(slot);
}

uint32_t LedgerShard::count() {
  MutexLock lock(mutex_);
  return slots_->count();
}

// ---- Key locks ----

void LedgerShard::FillLocked(uint32_t slot, Held* held) {
  work_.fetch_add(kBegun + 1, std::memory_order_seq_cst);
  const bool present = slots_->Is(slot, Slots::kPresent);
  *held = {index_, slot, present, present ? slots_->cost(slot) : 0};
}

bool LedgerShard::TryLockLocked(const Key& key, Held* held, uint32_t* slot) {
  *slot = FindOrAddLocked(key);
  if (slots_->Is(*slot, Slots::kBusy)) return false;
  slots_->Set(*slot, Slots::kBusy, true);
  FillLocked(*slot, held);
  return true;
}

bool LedgerShard::TryLock(const Key& key, Held* held) {
  MutexLock lock(mutex_);
  uint32_t slot;
  return TryLockLocked(key, held, &slot);
}

void LedgerShard::Lock(const Key& key, const Call& call, Held* held, Done<Status> enter) {
  Ref<Waiting> waiting;
  uint32_t slot;
  {
    MutexLock lock(mutex_);
    if (TryLockLocked(key, held, &slot)) {
      lock.Unlock();
      return enter(Status());
    }
    if (call.wait == Wait::kNever) {
      lock.Unlock();
      return enter(Status(Code::kWouldBlock));
    }
    waiting = MakeRef<Waiting>();
    waiting->call = call;
    waiting->held = held;
    if (call.wait == Wait::kHere) {
      waiting->here = MakeRef<Awaited<Status>>();
    } else {
      waiting->enter = std::move(enter);
    }
    waiting_[slot].push_back(waiting);
  }
  if (call.wait != Wait::kHere) return;
  Status turn;
  const Code ended = waiting->here->Wait(call, &turn);
  if (ended == Code::kOk) return enter(Status());
  bool left = false;
  {
    MutexLock lock(mutex_);
    const auto found = waiting_.find(slot);
    left = found != waiting_.end() && std::erase(found->second, waiting) == 1;
    if (left && found->second.empty()) waiting_.erase(found);
  }
  // The turn came just as the wait ended: it is passed on, the entry left as it is.
  if (!left) Unlock(*held, Outcome::kUnchanged);
  enter(Status(ended));
}

Ref<LedgerShard::Waiting> LedgerShard::HandOverLocked(uint32_t slot) {
  const auto found = waiting_.find(slot);
  if (found == waiting_.end()) return nullptr;
  Ref<Waiting> next = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) waiting_.erase(found);
  FillLocked(slot, next->held);
  return next;
}

void LedgerShard::Enter(Ref<Waiting> waiting) {
  if (waiting->here) return waiting->here->Set(Status());
  // Posted, not called: a long queue of one key must not become a deep stack.
  runtime_->Post(Lane::kFast, [this, waiting] {
    const Code ended = waiting->call.Check();
    if (ended != Code::kOk) Unlock(*waiting->held, Outcome::kUnchanged);
    waiting->enter(Status(ended));
  });
}

void LedgerShard::Unlock(const Held& held, Outcome outcome, uint64_t cost) {
  Ref<Waiting> next;
  const bool unchanged = outcome == Outcome::kUnchanged;
  const bool present = unchanged ? held.present : outcome != Outcome::kAbsent;
  {
    MutexLock lock(mutex_);
    const uint32_t slot = held.slot;
    assert(slots_->Is(slot, Slots::kBusy) && "a key that nobody holds was unlocked");
    if (!unchanged) {
      slots_->Set(slot, Slots::kPresent, present);
      slots_->set_cost(slot, present ? cost : 0);
      if (present && !held.present) {
        policy_->Inserted(slot);
      } else if (outcome == Outcome::kWritten) {
        policy_->Touched(slot);
      } else if (!present && held.present) {
        policy_->Removed(slot);
      }
      if (!present && paging_) gone_.emplace(slots_->key(slot));
    }
    next = HandOverLocked(slot);
    work_.fetch_sub(1, std::memory_order_seq_cst);
    if (!next) {
      slots_->Set(slot, Slots::kBusy, false);
      if (!present) RemoveLocked(slot);
    }
  }
  if (next) Enter(std::move(next));
}

void LedgerShard::Empty(Held* held) {
  MutexLock lock(mutex_);
  slots_->Set(held->slot, Slots::kPresent, false);
  slots_->set_cost(held->slot, 0);
  policy_->Removed(held->slot);
  if (paging_) gone_.emplace(slots_->key(held->slot));
  held->present = false;
  held->cost = 0;
}

bool LedgerShard::TakeVictim(Held* held, std::string* key) {
  MutexLock lock(mutex_);
  const uint32_t slot = policy_->Victim();
  if (slot == kNoSlot) return false;
  slots_->Set(slot, Slots::kBusy, true);
  FillLocked(slot, held);
  key->assign(slots_->key(slot));
  return true;
}

// ---- Start ----

void LedgerShard::BeginPage() {
  MutexLock lock(mutex_);
  paging_ = true;
  gone_.clear();
}

void LedgerShard::EndPages() {
  MutexLock lock(mutex_);
  paging_ = false;
  gone_.clear();
}

bool LedgerShard::Seed(const Key& key, uint64_t cost, uint64_t order) {
  MutexLock lock(mutex_);
  if (!gone_.empty() && gone_.contains(std::string(key.bytes))) return false;
  const uint32_t before = slots_->count();
  const uint32_t slot = FindOrAddLocked(key);
  // Known already, or a write of the key is under way, which will say what became of it.
  if (slots_->count() == before) return false;
  slots_->Set(slot, Slots::kPresent, true);
  slots_->set_cost(slot, cost);
  policy_->Seeded(slot, order);
  return true;
}

}  // namespace chainstore
