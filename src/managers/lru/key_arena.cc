#include "managers/lru/key_arena.h"

#include <cassert>
#include <cstring>

namespace chainstore {

uint32_t KeyArena::Add(Bytes key) {
  const uint32_t units = Units(key.size());
  assert(units >= 1 && units <= kMaxUnits);
  uint32_t place;
  if (!TakeFree(units, &place)) {
    const uint64_t segment_end = units_.SegmentEnd(end_);
    uint64_t at = end_;
    if (segment_end - at < units) at = segment_end;
    // 32 GiB of keys in one shard.
    if (at + units > UINT32_MAX) throw std::bad_alloc();
    units_.Reach(at);
    // What is left of the segment is fewer units than a key has at most: one block.
    if (at != end_) PutFree(static_cast<uint32_t>(end_), static_cast<uint32_t>(at - end_));
    place = static_cast<uint32_t>(at);
    end_ = at + units;
  }
  memcpy(&units_[place], key.data(), key.size());
  return place;
}

Bytes KeyArena::At(uint32_t place, size_t size) const noexcept {
  return Bytes(reinterpret_cast<const char*>(&units_[place]), size);
}

void KeyArena::Free(uint32_t place, size_t size) noexcept { PutFree(place, Units(size)); }

bool KeyArena::TakeFree(uint32_t units, uint32_t* place) noexcept {
  if (free_blocks_ == 0) return false;
  for (uint32_t size = units; size <= kMaxUnits; ++size) {
    if (free_[size] == 0) continue;
    *place = free_[size];
    free_[size] = static_cast<uint32_t>(units_[*place]);
    --free_blocks_;
    if (size > units) PutFree(*place + units, size - units);
    return true;
  }
  return false;
}

void KeyArena::PutFree(uint32_t place, uint32_t units) noexcept {
  units_[place] = free_[units];
  free_[units] = place;
  ++free_blocks_;
}

}  // namespace chainstore
