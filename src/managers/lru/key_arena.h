// KeyArena: the bytes of a ledger's keys, packed: a key takes its size, rounded up to 8, and a
// 32-bit place names it (an allocation each would cost 16 to 24 bytes more). Thread safety: none;
// its shard's lock. Invariant: memory is reused, never given back, so it is bounded by the most
// that was ever in it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "managers/lru/segments.h"

namespace chainstore {

class KeyArena {
 public:
  // Where the copy lies. Throws std::bad_alloc.
  uint32_t Add(Bytes key);
  Bytes At(uint32_t place, size_t size) const noexcept;
  void Free(uint32_t place, size_t size) noexcept;

 private:
  static constexpr uint32_t kUnit = 8;
  static constexpr uint32_t kMaxUnits = kMaxKeySize / kUnit;
  static uint32_t Units(size_t size) noexcept {
    return static_cast<uint32_t>((size + kUnit - 1) / kUnit);
  }
  // Takes a free block of exactly or at least so many units; false: there is none.
  bool TakeFree(uint32_t units, uint32_t* place) noexcept;
  void PutFree(uint32_t place, uint32_t units) noexcept;

  // The first segment holds the longest key, so that no key needs two.
  Segments<uint64_t, kMaxUnits * 2> units_;
  uint64_t end_ = 1;  // place 0 is none
  uint32_t free_[kMaxUnits + 1] =
      {};  // per size: the first free block, whose first unit names the next
  uint64_t free_blocks_ = 0;
};

}  // namespace chainstore
