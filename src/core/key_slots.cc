#include "core/key_slots.h"

#include <algorithm>
#include <cassert>

#include "core/sequence.h"

namespace chainstore {

KeySlots::~KeySlots() {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    assert(shard.held.empty() && "a key's slot was never released");
  }
}

void KeySlots::AcquireId(Id id, const Call& call, Done<Status> enter) {
  Shard& shard = ShardOf(id);
  auto waiting = Ref<Waiting>();
  {
    MutexLock lock(shard.mutex);
    std::unique_ptr<Table::Queue>* const queue = shard.held.Take(id);
    if (queue && call.wait == Wait::kNever) {
      lock.Unlock();
      return enter(Status(Code::kWouldBlock));
    }
    if (queue) {
      waiting = MakeRef<Waiting>();
      waiting->call = call;
      if (call.wait == Wait::kHere) {
        waiting->here = MakeRef<Awaited<Status>>();
      } else {
        waiting->enter = std::move(enter);
      }
      if (!*queue) *queue = std::make_unique<Table::Queue>();
      (*queue)->push_back(waiting);
    }
  }
  if (!waiting) return enter(Status());
  if (call.wait != Wait::kHere) return;
  Status turn;
  const Code ended = waiting->here->Wait(call, &turn);
  if (ended == Code::kOk) return enter(Status());
  bool withdrawn = false;
  {
    MutexLock lock(shard.mutex);
    std::unique_ptr<Table::Queue>* const queue = shard.held.Find(id);
    withdrawn = queue && *queue && std::erase(**queue, waiting) == 1;
  }
  // Else the turn came just as the wait ended: the slot is ours, so it is passed on.
  if (!withdrawn) ReleaseIds({&id, 1});
  enter(Status(ended));
}

KeySlots::Keys KeySlots::Sorted(Keys keys) {
  std::vector<Id>& ids = keys.ids_;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return keys;
}

size_t KeySlots::TakeFree(std::span<const Id> sorted) {
  for (size_t at = 0; at < sorted.size();) {
    Shard& shard = ShardOf(sorted[at]);
    MutexLock lock(shard.mutex);
    for (; at < sorted.size() && &ShardOf(sorted[at]) == &shard; ++at) {
      if (shard.held.Take(sorted[at])) return at;
    }
  }
  return sorted.size();
}

void KeySlots::AcquireAll(std::shared_ptr<const Keys> sorted, const Call& call,
                          Done<Status> enter) {
  const size_t taken = TakeFree(sorted->ids_);
  if (taken == sorted->size()) return enter(Status());
  // From the first that is held, one by one.
  struct State final : RefCounted<State> {
    size_t held = 0;
    Status turn;
    Done<Status> enter;
  };
  auto state = MakeRef<State>();
  state->held = taken;
  state->enter = std::move(enter);
  RunSequence(
      sorted->size() - taken,
      [this, sorted, call, taken, state](size_t at, UniqueFunction<void()> next) {
        if (!state->turn.ok()) return next();
        AcquireId(sorted->ids_[taken + at], call,
                  [state, next = std::move(next)](Status&& turn) mutable {
                    if (turn.ok()) ++state->held;
                    state->turn = std::move(turn);
                    next();
                  });
      },
      [this, sorted, state] {
        // All or none.
        if (!state->turn.ok()) ReleaseIds(std::span(sorted->ids_).first(state->held));
        state->enter(std::move(state->turn));
      });
}

void KeySlots::ReleaseIds(std::span<const Id> sorted) {
  for (size_t at = 0; at < sorted.size();) {
    Shard& shard = ShardOf(sorted[at]);
    Id id = 0;
    Ref<Waiting> next;
    {
      MutexLock lock(shard.mutex);
      while (!next && at < sorted.size() && &ShardOf(sorted[at]) == &shard) {
        id = sorted[at++];
        next = NextOf(id, &shard.held);
      }
    }
    if (next) HandOver(id, std::move(next));
  }
}

Ref<KeySlots::Waiting> KeySlots::NextOf(Id id, Table* held) {
  std::unique_ptr<Table::Queue>* const queue = held->Find(id);
  assert(queue && "a slot that nobody holds was released");
  if (!*queue || (*queue)->empty()) {
    held->Erase(id);
    return nullptr;
  }
  Ref<Waiting> next = std::move((*queue)->front());
  (*queue)->pop_front();
  return next;
}

void KeySlots::HandOver(Id id, Ref<Waiting> next) {
  if (next->here) return next->here->Set(Status());
  // Posted, not called: a long queue of one key must not become a deep stack.
  runtime_->Post(Lane::kFast, [this, next = std::move(next), id] {
    const Code ended = next->call.Check();
    if (ended != Code::kOk) ReleaseIds({&id, 1});
    next->enter(Status(ended));
  });
}

}  // namespace chainstore
