// LedgerShard: part of a ledger: the table of keys with what each costs, the lock of each key, and
// the policy that says who goes next.
// Thread safety: any thread. A hit (Touch) takes no lock: it walks a chain of 32-bit hashes, and
// may miss its slot, or stamp another one with the same hash, while the table changes: that costs a
// little recency, never correctness.
// Invariants: a key is locked by at most one holder; a slot exists while its entry is present or
// its key is locked; what a holder was told (Held) stays true until it unlocks.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/function.h"
#include "base/mutex.h"
#include "core/await.h"
#include "core/call.h"
#include "core/runtime.h"
#include "managers/lru/policy.h"

namespace chainstore {

// A locked key: where its slot is, and what the ledger knows of the entry.
struct Held {
  uint32_t shard = 0;
  uint32_t slot = kNoSlot;
  bool present = false;
  uint64_t cost = 0;  // 0 unless present
};

// How the work on a locked key ended.
enum class Outcome : uint8_t {
  kWritten,    // the store holds the entry, at the cost given; it counts as an access
  kPresent,    // the same, but no access
  kAbsent,     // the store does not hold it
  kUnchanged,  // as it was before
};

class LedgerShard {
 public:
  // What each beginning of work adds to Ledger::Work besides the keys.
  static constexpr uint64_t kBegun = uint64_t{1} << 32;

  LedgerShard(uint32_t index, std::unique_ptr<Slots> slots, std::unique_ptr<Policy> policy,
              Ref<Runtime> runtime, std::atomic<uint64_t>* work);

  // False: no such key is known.
  bool Touch(uint64_t hash) noexcept {
    const uint32_t slot = FindHash(static_cast<uint32_t>(hash));
    if (slot == kNoSlot) return false;
    policy_->Touched(slot);
    return true;
  }
  bool MayHold(uint64_t hash) const noexcept {
    return FindHash(static_cast<uint32_t>(hash)) != kNoSlot;
  }
  // The entry is there and nobody works on it.
  bool HoldsIdle(const Key& key) CS_EXCLUDES(mutex_);

  // ---- Key locks; see Ledger ----
  bool TryLock(const Key& key, Held* held) CS_EXCLUDES(mutex_);
  void Lock(const Key& key, const Call& call, Held* held, Done<Status> enter) CS_EXCLUDES(mutex_);
  void Unlock(const Held& held, Outcome outcome, uint64_t cost = 0) CS_EXCLUDES(mutex_);
  // The entry is gone, but its key stays locked.
  void Empty(Held* held) CS_EXCLUDES(mutex_);
  bool TakeVictim(Held* held, std::string* key) CS_EXCLUDES(mutex_);

  // ---- Start ----
  // From here on the keys that go are remembered: a scan that began before may still name them.
  void BeginPage() CS_EXCLUDES(mutex_);
  void EndPages() CS_EXCLUDES(mutex_);
  // False: the key is known, or has gone since BeginPage.
  bool Seed(const Key& key, uint64_t cost, uint64_t order) CS_EXCLUDES(mutex_);

  // ---- What is there ----
  // Calls `visit(order, key)` for the present entries among `count` slots from `begin` on whose
  // order is above `since`. False: there are no slots beyond these. `visit` calls nothing out.
  template <class Visit>
  bool VisitPresent(uint32_t begin, uint32_t count, uint64_t since, Visit&& visit)
      CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const uint32_t end = std::min(slots_->end(), begin + count);
    for (uint32_t slot = std::max(1u, begin); slot < end; ++slot) {
      if (slots_->word(slot) == 0 || !slots_->Is(slot, Slots::kPresent)) continue;
      const uint64_t order = policy_->Order(slot);
      if (order > since) visit(order, slots_->key(slot));
    }
    return end < slots_->end();
  }
  uint32_t count() CS_EXCLUDES(mutex_);

 private:
  // One that waits for a key: its thread (here), or what runs when its turn comes (enter).
  struct Waiting final : RefCounted<Waiting> {
    Call call;
    Held* held;
    Done<Status> enter;
    Ref<Awaited<Status>> here;
  };

  uint32_t FindHash(uint32_t hash) const noexcept;
  uint32_t FindLocked(const Key& key) const CS_REQUIRES(mutex_);
  uint32_t FindOrAddLocked(const Key& key) CS_REQUIRES(mutex_);
  void RemoveLocked(uint32_t slot) CS_REQUIRES(mutex_);
  void GrowLocked() CS_REQUIRES(mutex_);
  bool TryLockLocked(const Key& key, Held* held, uint32_t* slot) CS_REQUIRES(mutex_);
  void FillLocked(uint32_t slot, Held* held) CS_REQUIRES(mutex_);
  // Gives the lock to the first that waits; null: nobody does.
  Ref<Waiting> HandOverLocked(uint32_t slot) CS_REQUIRES(mutex_);
  void Enter(Ref<Waiting> waiting);
  // The buckets of a linear hash table (Litwin, 1980): it grows by one bucket at a time.
  static uint32_t BucketOf(uint32_t hash, uint32_t buckets) noexcept {
    const uint32_t mask = std::bit_ceil(buckets) - 1;
    const uint32_t bucket = hash & mask;
    return bucket < buckets ? bucket : hash & (mask >> 1);
  }

  const uint32_t index_;
  const Ref<Runtime> runtime_;
  std::atomic<uint64_t>& work_;  // see Ledger::Work
  const std::unique_ptr<Slots> slots_;
  const std::unique_ptr<Policy> policy_;
  Segments<uint32_t> heads_;
  std::atomic<uint32_t> buckets_{1};

  Mutex mutex_;
  std::unordered_map<uint32_t, std::deque<Ref<Waiting>>> waiting_ CS_GUARDED_BY(mutex_);
  bool paging_ CS_GUARDED_BY(mutex_) = false;
  std::unordered_set<std::string> gone_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
