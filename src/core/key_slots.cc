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

void KeySlots::Acquire(const Key& key, const Call& call, Done<Status> enter) {
  Shard& shard = ShardOf(key);
  auto waiting = Ref<Waiting>();
  {
    MutexLock lock(shard.mutex);
    const auto found = shard.held.find(key);
    if (found == shard.held.end()) {
      shard.held.emplace(OwnedKey(key), Queue());
    } else if (call.wait != Wait::kNever) {
      waiting = MakeRef<Waiting>();
      waiting->call = call;
      if (call.wait == Wait::kHere) {
        waiting->here = MakeRef<Awaited<Status>>();
      } else {
        waiting->enter = std::move(enter);
      }
      found->second.push_back(waiting);
    } else {
      lock.Unlock();
      return enter(Status(Code::kWouldBlock));
    }
  }
  if (!waiting) return enter(Status());
  if (call.wait != Wait::kHere) return;
  Status turn;
  const Code ended = waiting->here->Wait(call, &turn);
  if (ended == Code::kOk) return enter(Status());
  {
    MutexLock lock(shard.mutex);
    const auto found = shard.held.find(key);
    if (found != shard.held.end()) {
      const size_t left = std::erase(found->second, waiting);
      if (left == 1) {
        lock.Unlock();
        return enter(Status(ended));
      }
    }
  }
  // The turn came just as the wait ended: the slot is ours, so it is passed on.
  Release(key);
  enter(Status(ended));
}

KeySlots::Keys KeySlots::Sorted(Keys keys) {
  const auto before = [](const OwnedKey& a, const OwnedKey& b) { return a.bytes() < b.bytes(); };
  std::sort(keys.begin(), keys.end(), before);
  const auto same = [](const OwnedKey& a, const OwnedKey& b) { return a.bytes() == b.bytes(); };
  keys.erase(std::unique(keys.begin(), keys.end(), same), keys.end());
  return keys;
}

void KeySlots::AcquireAll(std::shared_ptr<const Keys> sorted, const Call& call,
                          Done<Status> enter) {
  struct State final : RefCounted<State> {
    size_t held = 0;
    Status turn;
    Done<Status> enter;
  };
  auto state = MakeRef<State>();
  state->enter = std::move(enter);
  RunSequence(
      sorted->size(),
      [this, sorted, call, state](size_t at, UniqueFunction<void()> next) {
        if (!state->turn.ok()) return next();
        Acquire((*sorted)[at], call, [state, next = std::move(next)](Status&& turn) mutable {
          if (turn.ok()) ++state->held;
          state->turn = std::move(turn);
          next();
        });
      },
      [this, sorted, state] {
        // All or none.
        if (!state->turn.ok()) {
          for (size_t at = 0; at < state->held; ++at) Release((*sorted)[at]);
        }
        state->enter(std::move(state->turn));
      });
}

void KeySlots::Release(const Key& key) {
  Shard& shard = ShardOf(key);
  Ref<Waiting> next;
  {
    MutexLock lock(shard.mutex);
    const auto found = shard.held.find(key);
    assert(found != shard.held.end() && "a slot that nobody holds was released");
    if (found->second.empty()) {
      shard.held.erase(found);
      return;
    }
    next = std::move(found->second.front());
    found->second.pop_front();
  }
  if (next->here) return next->here->Set(Status());
  // Posted, not called: a long queue of one key must not become a deep stack.
  runtime_->Post(Lane::kFast, [this, next, key = OwnedKey(key)] {
    const Code ended = next->call.Check();
    if (ended != Code::kOk) Release(key);
    next->enter(Status(ended));
  });
}

}  // namespace chainstore
