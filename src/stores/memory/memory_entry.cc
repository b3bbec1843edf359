#include "stores/memory/memory_entry.h"

#include <cassert>
#include <cstring>
#include <new>

namespace chainstore {
namespace {

// Below it a copy is cheaper than the second cache line that a held value costs every reader.
constexpr size_t kHoldAtLeast = 4096;
// A bucket is 64 bytes and is split at 5 entries, so that it has 2.5 to 5.
constexpr uint64_t kTableShare = 16;
// What the allocator adds: its own header and rounding, or an EntryHeap's share of slabs and chunks
// that cannot be used, at most a 64th of a block.
constexpr uint64_t kBlockAlign = EntryHeap::kAlign;
constexpr uint64_t kBlockHeader = 8;
constexpr uint64_t kHeldHeader = sizeof(Value) + kBlockHeader + kBlockAlign;

bool Holds(const Payload& payload) {
  const Value* value = payload.value().get();
  if (!value || !value->is_keepable()) return false;
  // The caller's memory is shared at any size: that is what wrapping it asked for.
  return !value->is_heap() || value->size() >= kHoldAtLeast;
}

}  // namespace

uint64_t MemoryEntry::Cost(size_t key_size, uint64_t value_size) noexcept {
  uint64_t cost = sizeof(MemoryEntry) + PaddedKey(key_size) + 8 + kBlockHeader + kTableShare;
  if (value_size <= EntryHeap::kLargest) cost += value_size / 64;
  if (value_size >= kHoldAtLeast) cost += kHeldHeader;
  if (__builtin_add_overflow(cost + kBlockAlign - 1, value_size, &cost)) return UINT64_MAX;
  return cost / kBlockAlign * kBlockAlign;
}

MemoryEntry* MemoryEntry::New(const Key& key, const Payload& payload, EntryHeap* heap) noexcept {
  assert(key.bytes.size() <= kMaxKeySize);
  const bool holds = Holds(payload);
  const bool expires = payload.expires_at_ms() != 0;
  const size_t expiry_offset = PaddedKey(key.bytes.size());
  const size_t data_offset = expiry_offset + (expires ? 8 : 0);
  size_t size;
  if (__builtin_add_overflow(sizeof(MemoryEntry) + data_offset,
                             holds ? sizeof(Value*) : payload.size(), &size)) {
    return nullptr;
  }
  if (size > EntryHeap::kLargest) heap = nullptr;
  void* memory = heap ? heap->Allocate(size, key.hash) : ::operator new(size, std::nothrow);
  if (!memory) return nullptr;
  char* tail = static_cast<char*>(memory) + sizeof(MemoryEntry);
  const uint16_t room = static_cast<uint16_t>(key.bytes.size() | (expires ? kHasExpiry : 0) |
                                              (holds ? kHasHeld : 0) | (heap ? kInHeap : 0));
  if (expires) {
    const int64_t expiry = payload.expires_at_ms();
    memcpy(tail + expiry_offset, &expiry, sizeof expiry);
  }
  memcpy(tail, key.bytes.data(), key.bytes.size());
  if (holds) {
    Value* held = Ref<Value>(payload.value()).Release();
    memcpy(tail + data_offset, &held, sizeof held);
    return new (memory) MemoryEntry(held->bytes(), held->is_heap(), false, room);
  }
  if (payload.size() != 0) memcpy(tail + data_offset, payload.bytes().data(), payload.size());
  return new (memory) MemoryEntry(Bytes(tail + data_offset, payload.size()), true, true, room);
}

int64_t MemoryEntry::StoredExpiry() const noexcept {
  int64_t expiry;
  memcpy(&expiry, Tail() + PaddedKey(key_size()), sizeof expiry);
  return expiry;
}

void MemoryEntry::Destroy(Value* value) noexcept {
  auto* self = static_cast<MemoryEntry*>(value);
  Value* held = nullptr;
  if ((self->room14() & kHasHeld) != 0) {
    memcpy(&held, self->Tail() + PaddedKey(self->key_size()) + (self->has_expiry() ? 8 : 0),
           sizeof held);
  }
  const bool in_heap = (self->room14() & kInHeap) != 0;
  self->~MemoryEntry();
  if (in_heap)
    EntryHeap::Free(self);
  else
    ::operator delete(static_cast<void*>(self));
  if (held) held->Unref();
}

}  // namespace chainstore
