// Segments: an array of plain numbers that grows without moving: segment k holds kFirst << k items.
// Fresh items are zero, and their memory is resident only once it is written.
// Thread safety: one thread grows (under the owner's lock); items below a size that a reader
// learned from the owner may be read meanwhile, through std::atomic_ref where they change.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>

namespace chainstore {

template <class T, uint64_t kFirst = 64>
class Segments {
  static_assert(std::is_trivially_destructible_v<T> && std::has_single_bit(kFirst));

 public:
  Segments() = default;
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;
  ~Segments() {
    for (std::atomic<T*>& segment : segments_) free(segment.load(std::memory_order_relaxed));
  }

  T& operator[](uint64_t index) const noexcept {
    const int segment = SegmentOf(index);
    T* items = segments_[segment].load(std::memory_order_acquire);
    return items[index + kFirst - (kFirst << segment)];
  }
  // Makes room for `index`. Throws std::bad_alloc.
  void Reach(uint64_t index) {
    std::atomic<T*>& segment = segments_[SegmentOf(index)];
    if (segment.load(std::memory_order_relaxed)) return;
    void* items = calloc(kFirst << SegmentOf(index), sizeof(T));
    if (!items) throw std::bad_alloc();
    segment.store(static_cast<T*>(items), std::memory_order_release);
  }
  // The first index beyond the segment of `index`.
  static constexpr uint64_t SegmentEnd(uint64_t index) noexcept {
    return (kFirst << (SegmentOf(index) + 1)) - kFirst;
  }

 private:
  static constexpr int SegmentOf(uint64_t index) noexcept {
    return std::bit_width(index + kFirst) - std::bit_width(kFirst);
  }
  static constexpr size_t kSegments = 33;
  std::atomic<T*> segments_[kSegments] = {};
};

}  // namespace chainstore
