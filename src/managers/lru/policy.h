// Policy: which entry of a shard goes next. The seam between the ledger, which knows what there is,
// and an eviction algorithm, which has one 64-bit word per slot for what it wants to remember.
// Thread safety: Touched from any thread without a lock; all else under the shard's lock.
#pragma once

#include <cstdint>

#include "managers/lru/slots.h"

namespace chainstore {

enum class PolicyKind : uint8_t { kLru, kS3Fifo };

class Policy {
 public:
  virtual ~Policy() = default;
  // A hit. The slot may have been freed or given to another key meanwhile.
  virtual void Touched(uint32_t slot) noexcept = 0;
  // The entry is there now, as the most recent one.
  virtual void Inserted(uint32_t slot) noexcept = 0;
  // The entry was there before this process; `order` grows with recency, below Ticker::kFirst.
  virtual void Seeded(uint32_t slot, uint64_t order) noexcept = 0;
  virtual void Removed(uint32_t slot) noexcept = 0;
  // The evictable slot (Slots::Evictable) that should go next; kNoSlot: there is none.
  virtual uint32_t Victim() = 0;
  // What the recency log keeps of a present slot: grows with recency.
  virtual uint64_t Order(uint32_t slot) const noexcept = 0;
};

}  // namespace chainstore
