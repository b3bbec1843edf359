#include "managers/lru/slots.h"

#include <new>

namespace chainstore {

uint32_t Slots::Add(Bytes key, uint32_t hash) {
  const bool fresh = free_ == kNoSlot;
  const uint32_t slot = fresh ? end_ : free_;
  if (fresh) {
    if (end_ == UINT32_MAX) throw std::bad_alloc();
    hot_.Reach(slot);
    cold_.Reach(slot);
  }
  const uint32_t key_at = keys_.Add(key);
  Cold& cold = cold_[slot];
  fresh ? void(++end_) : void(free_ = cold.key_at);
  cold = {key_at, static_cast<uint16_t>(key.size() | kUsed), 0, 0};
  Store(hot_[slot].hash, hash);
  ++count_;
  return slot;
}

void Slots::Free(uint32_t slot) noexcept {
  Cold& cold = cold_[slot];
  keys_.Free(cold.key_at, cold.size_and_flags & kSizeMask);
  cold = {free_, 0, 0, 0};
  free_ = slot;
  --count_;
}

void Slots::set_cost(uint32_t slot, uint64_t cost) noexcept {
  cold_[slot].cost_high = static_cast<uint16_t>(cost >> 32);
  cold_[slot].cost_low = static_cast<uint32_t>(cost);
}

void Slots::Set(uint32_t slot, Flag flag, bool on) noexcept {
  uint16_t& flags = cold_[slot].size_and_flags;
  flags = static_cast<uint16_t>(on ? flags | flag : flags & ~flag);
}

}  // namespace chainstore
