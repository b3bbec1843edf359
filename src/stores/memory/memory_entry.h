// MemoryEntry: a key and its value in one allocation, which is itself the Value that a get answers.
//
//   Value (32 bytes) | key, padded to 8 | expiry (8, if it has one)
//                    | held value (8, if it has one), else the bytes of the value
//
// Bytes are copied in, except those of a Value that may be kept (Value::is_keepable) and is the
// caller's own memory, or large: the entry holds on to that one and shows its bytes.
// Thread safety: immutable once it is in a shard.
#pragma once

#include <cstring>

#include "core/request.h"
#include "core/value.h"
#include "stores/memory/entry_heap.h"

namespace chainstore {

class MemoryEntry final : public Value {
 public:
  // Null: no memory. Born with one reference. A small one goes into `heap` (null: none does).
  static MemoryEntry* New(const Key& key, const Payload& payload,
                          EntryHeap* heap = nullptr) noexcept;

  // What an entry of these sizes takes: its allocation, its share of the table, and for large ones
  // the header of a value that it may hold. A function of the sizes alone, so that what is
  // reserved for an entry is what is given back for it.
  static uint64_t Cost(size_t key_size, uint64_t value_size) noexcept;
  uint64_t cost() const noexcept { return Cost(key_size(), size()); }

  Bytes key() const noexcept { return Bytes(Tail(), key_size()); }
  // Word by word: a call of memcmp takes longer than comparing the usual key.
  bool KeyIs(Bytes other) const noexcept {
    const size_t size = key_size();
    if (size != other.size()) return false;
    const char* mine = Tail();
    const char* theirs = other.data();
    uint64_t different = 0;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) different |= WordAt(mine + at) ^ WordAt(theirs + at);
    for (; at < size; ++at) different |= static_cast<unsigned char>(mine[at] ^ theirs[at]);
    return different == 0;
  }
  // Gets the lines with header and key on their way: an entry begins anywhere in its first line.
  static void Prefetch(const MemoryEntry* entry) noexcept {
    const auto address = reinterpret_cast<uintptr_t>(entry);  // may be null
    __builtin_prefetch(entry);
    __builtin_prefetch(reinterpret_cast<const void*>(address + 64));
  }
  bool has_expiry() const noexcept { return (room14() & kHasExpiry) != 0; }
  // 0: never.
  int64_t expires_at_ms() const noexcept { return has_expiry() ? StoredExpiry() : 0; }
  bool IsExpired(int64_t now_ms) const noexcept {
    return has_expiry() && expires_at_ms() <= now_ms;
  }
  // Counts up with every write of the shard; set before the entry is shared.
  uint32_t version() const noexcept { return room32(); }
  void set_version(uint32_t version) noexcept { set_room32(version); }

  // The shard's part of the reference count: see memory_shard.h.
  using Value::ChangeRefs;
  using Value::DestroySelf;
  using Value::refs;

 private:
  // room14: the key's size in 11 bits, then three flags.
  static constexpr uint16_t kKeySizeMask = 0x7ff;
  static constexpr uint16_t kHasExpiry = 0x800;
  static constexpr uint16_t kHasHeld = 0x1000;
  static constexpr uint16_t kInHeap = 0x2000;

  MemoryEntry(Bytes bytes, bool is_heap, bool is_keepable, uint16_t room14) noexcept
      : Value(bytes, is_heap, &Destroy, is_keepable, room14) {}
  ~MemoryEntry() = default;
  static void Destroy(Value* value) noexcept;
  int64_t StoredExpiry() const noexcept;

  static uint64_t WordAt(const char* bytes) noexcept {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
  }
  size_t key_size() const noexcept { return room14() & kKeySizeMask; }
  static size_t PaddedKey(size_t key_size) noexcept { return (key_size + 7) / 8 * 8; }
  const char* Tail() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  char* Tail() noexcept { return reinterpret_cast<char*>(this + 1); }
};

}  // namespace chainstore
