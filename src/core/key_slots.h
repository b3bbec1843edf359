// KeySlots: at most one writer of a key at a time, first come, first served. What makes "writes of
// one key take effect in the order in which they were started" true.
// Thread safety: any thread. A slot may be released by another thread than the one that took it.
// Cost: nothing is allocated for a key that nobody waits for; see slot_table.h.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/function.h"
#include "base/mutex.h"
#include "core/await.h"
#include "core/call.h"
#include "core/runtime.h"
#include "core/slot_table.h"

namespace chainstore {

class KeySlots {
 public:
  explicit KeySlots(Ref<Runtime> runtime) : runtime_(std::move(runtime)) {}
  ~KeySlots();

  // `enter` runs with kOk once the slot is the caller's, who calls Release then; or with kTimeout
  // or kCancelled, and the slot is not his. It runs inline if the slot is free or the wait is
  // kHere, else on the runtime. kNever with a slot that is held: kWouldBlock.
  void Acquire(const Key& key, const Call& call, Done<Status> enter) {
    AcquireId(IdOf(key), call, std::move(enter));
  }
  void Release(const Key& key) {
    const Id id = IdOf(key);
    ReleaseIds({&id, 1});
  }

  // Which slots several keys have. Needs the keys no longer than they are being added.
  class Keys {
   public:
    void reserve(size_t count) { ids_.reserve(count); }
    void push_back(const Key& key) { ids_.push_back(IdOf(key)); }
    size_t size() const noexcept { return ids_.size(); }

   private:
    friend class KeySlots;
    std::vector<uint64_t> ids_;
  };
  static Keys Sorted(Keys keys);
  // All of them or none, by the same rules. They are taken in one order (sorted, each once), so
  // that two callers never wait for each other. kNever is not for it.
  void AcquireAll(std::shared_ptr<const Keys> sorted, const Call& call, Done<Status> enter);
  void ReleaseAll(const Keys& sorted) { ReleaseIds(sorted.ids_); }

 private:
  // One writer in the queue of a key.
  struct Waiting final : RefCounted<Waiting> {
    Call call;
    Done<Status> enter;         // kLater: what runs when its turn comes
    Ref<Awaited<Status>> here;  // kHere: where its thread waits
  };
  using Table = SlotTable<Ref<Waiting>>;
  using Id = Table::Id;
  struct alignas(64) Shard {
    Mutex mutex;
    Table held CS_GUARDED_BY(mutex);
  };

  static Id IdOf(const Key& key) noexcept { return key.hash | 1; }
  // By the upper bits: of sorted slots, those of one shard stand together.
  Shard& ShardOf(Id id) noexcept { return shards_[id >> (64 - kShardBits)]; }
  void AcquireId(Id id, const Call& call, Done<Status> enter);
  // Takes slots up to the first that is held; returns how many.
  size_t TakeFree(std::span<const Id> sorted);
  void ReleaseIds(std::span<const Id> sorted);
  // Null: nobody waits, and the slot is free.
  static Ref<Waiting> NextOf(Id id, Table* held);
  void HandOver(Id id, Ref<Waiting> next);

  // A batch takes each shard's lock once, a single write just one: few, but not too few.
  static constexpr int kShardBits = 4;
  const Ref<Runtime> runtime_;
  Shard shards_[1 << kShardBits];
};

}  // namespace chainstore
