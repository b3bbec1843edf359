// Evictor: frees an LRU's cushion in the background, so that not every put has to evict.
// EvictSome: one round of evictions, by whoever needs room.
// Thread safety: EvictSome from any thread; Evictor as Steps, at most one per LRU at a time.
#pragma once

#include "core/steps.h"
#include "managers/lru/lru_store.h"

namespace chainstore {

// Deletes what should go next, by the wait and the limits of `call`: one entry; around a store with
// atomic batches as many as it takes to free about `bytes`, up to 64, in one batch (and one
// commit). `then` gets the first failure. False: there is nothing that could go, and `then` is
// dropped.
bool EvictSome(LruStore& store, const Call& call, uint64_t bytes,
               UniqueFunction<void(Status&&)> then);

class Evictor final : public Steps {
 public:
  explicit Evictor(LruStore& store) : store_(&store) {}

 private:
  bool Step() override;
  bool Finish();

  const Ref<LruStore> store_;
  GatePass pass_;
  uint32_t failures_ = 0;
};

}  // namespace chainstore
