// Value: immutable, refcounted bytes, shared by every layer and by the caller without a copy. It is
// what the C ABI calls cs_value.
// Thread safety: any thread. Invariant: data and size never change after construction.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/ref.h"

namespace chainstore {

class Value {
 public:
  using Release = void (*)(void* context);

  // Bytes of its own. These throw std::bad_alloc.
  static Ref<Value> Copy(Bytes bytes);
  // Bytes of its own, to be written through `*data` before the value is shared.
  static Ref<Value> Allocate(size_t size, char** data);
  // The caller's bytes; `release` (may be null) runs once, when the last reference is gone.
  static Ref<Value> Wrap(Bytes bytes, Release release, void* context);
  // Part of another value, which it keeps alive.
  static Ref<Value> Slice(Ref<Value> whole, size_t offset, size_t size);

  Bytes bytes() const noexcept { return Bytes(data_, size_); }
  const char* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  // Plain heap bytes that pin nothing of an engine.
  bool is_heap() const noexcept { return is_heap_; }
  // Keeping this value for ever keeps just its own bytes: heap bytes that it does not share with
  // another value, or the caller's own memory. A store that keeps values may hold on to such a
  // one; it copies any other (a slice of something larger, a page of an engine).
  bool is_keepable() const noexcept { return is_keepable_; }

  void AddRef() const noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() const noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy_(const_cast<Value*>(this));
  }
  // For stores whose entries are values: takes a reference unless the last one is gone.
  bool TryRef() const noexcept {
    uint32_t seen = refs_.load(std::memory_order_relaxed);
    while (seen != 0) {
      if (refs_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }
  bool IsUnique() const noexcept { return refs_.load(std::memory_order_acquire) == 1; }
  // Heap bytes that nobody else can see: their one user may write to them (CS_RESULT_PRIVATE).
  bool IsPrivate() const noexcept { return is_heap_ && is_keepable_ && IsUnique(); }

 protected:
  // A kind of value says how it is destroyed by a plain function: no vtable, 32 bytes.
  using Destroy = void (*)(Value*) noexcept;
  Value(Bytes bytes, bool is_heap, Destroy destroy, bool is_keepable = false,
        uint16_t room14 = 0) noexcept
      : data_(bytes.data()),
        size_(bytes.size()),
        is_heap_(is_heap),
        is_keepable_(is_keepable),
        room14_(room14 & 0x3fff),
        destroy_(destroy) {}
  ~Value() = default;

  // Room in the header for what a kind of value keeps beside the bytes. Set before it is shared.
  uint32_t room32() const noexcept { return room32_; }
  void set_room32(uint32_t room) noexcept { room32_ = room; }
  uint16_t room14() const noexcept { return room14_; }
  // For a table that counts references itself and settles them here in bulk: see
  // stores/memory/memory_shard.h. The count after the change; at 0 the caller calls Destroy.
  uint32_t ChangeRefs(uint32_t by) noexcept {
    return refs_.fetch_add(by, std::memory_order_acq_rel) + by;
  }
  uint32_t refs() const noexcept { return refs_.load(std::memory_order_acquire); }
  void DestroySelf() noexcept { destroy_(this); }

 private:
  mutable std::atomic<uint32_t> refs_{1};
  uint32_t room32_ = 0;
  const char* const data_;
  const uint64_t size_ : 48;  // 256 TiB
  const uint64_t is_heap_ : 1;
  const uint64_t is_keepable_ : 1;
  const uint64_t room14_ : 14;
  const Destroy destroy_;
};

}  // namespace chainstore
