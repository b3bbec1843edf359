// KeySlots: at most one writer of a key at a time, first come, first served. What makes "writes of
// one key take effect in the order in which they were started" true.
// Thread safety: any thread. A slot may be released by another thread than the one that took it.
// Cost: an entry exists only while its key is held.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/function.h"
#include "base/mutex.h"
#include "core/await.h"
#include "core/call.h"
#include "core/runtime.h"

namespace chainstore {

class KeySlots {
 public:
  explicit KeySlots(Ref<Runtime> runtime) : runtime_(std::move(runtime)) {}
  ~KeySlots();

  // `enter` runs with kOk once the slot is the caller's, who calls Release then; or with kTimeout
  // or kCancelled, and the slot is not his. It runs inline if the slot is free or the wait is
  // kHere, else on the runtime. kNever with a slot that is held: kWouldBlock.
  void Acquire(const Key& key, const Call& call, Done<Status> enter);
  void Release(const Key& key);

  // The slots of several keys, all or none of them, by the same rules. The keys are taken in one
  // order (sorted, each once), so that two callers never wait for each other. kNever is not for it.
  using Keys = std::vector<OwnedKey>;
  static Keys Sorted(Keys keys);
  void AcquireAll(std::shared_ptr<const Keys> sorted, const Call& call, Done<Status> enter);
  void ReleaseAll(const Keys& sorted) {
    for (const OwnedKey& key : sorted) Release(key);
  }

 private:
  // One writer in the queue of a key.
  struct Waiting final : RefCounted<Waiting> {
    Call call;
    Done<Status> enter;         // kLater: what runs when its turn comes
    Ref<Awaited<Status>> here;  // kHere: where its thread waits
  };
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const Key& key) const noexcept { return key.hash; }
    size_t operator()(const OwnedKey& key) const noexcept { return key.hash(); }
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const noexcept { return a == b; }
  };
  using Queue = std::deque<Ref<Waiting>>;
  struct alignas(64) Shard {
    Mutex mutex;
    std::unordered_map<OwnedKey, Queue, KeyHash, KeyEqual> held CS_GUARDED_BY(mutex);
  };
  Shard& ShardOf(const Key& key) { return shards_[(key.hash >> 48) % kShards]; }

  static constexpr size_t kShards = 64;
  const Ref<Runtime> runtime_;
  Shard shards_[kShards];
};

}  // namespace chainstore
