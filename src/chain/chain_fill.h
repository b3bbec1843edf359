// Back-fill: copies what a read found below into the stores that missed it. An operation of its
// own: it takes the key's slot (or gives way to a write), checks the fence in it, and is dropped if
// a write of the key was under way or has happened since the read looked below.
#pragma once

#include "chain/chain.h"

namespace chainstore {

struct Fill {
  OwnedKey key;
  Ref<Value> value;
  int64_t expires_at_ms = 0;
  ChainOrder::Tickets tickets;  // noted before the read looked below
  uint64_t links = 0;           // the stores that missed
};

// `done` runs when the fill has landed or was dropped, or (FillMode::kAsync) has been queued.
void StartFill(Ref<Chain> chain, Fill fill, const Call& call, UniqueFunction<void()> done);

}  // namespace chainstore
