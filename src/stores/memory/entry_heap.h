// EntryHeap: memory for the entries of a memory store, in classes of 16 bytes, on huge pages. The
// usual allocator adds 8 to 23 bytes to an entry and spreads them over small pages.
//
// Chunks of one huge page are cut into slabs of 16 KiB; a slab holds blocks of one class. What an
// address belongs to is found by rounding it down to its chunk. A slab whose last block is freed
// goes back to its chunk and may serve any class; a chunk without slabs in use is unmapped, but for
// one that is kept. The part of the heap that serves an entry is chosen by its hash: writers of
// different keys seldom meet.
//
// Thread safety: any thread; a block may be freed by another thread than the one that got it, also
// after the store has gone: each chunk that is in use keeps the heap alive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mutex.h"
#include "base/ref.h"
#include "stores/memory/huge_pages.h"

namespace chainstore {

class EntryHeap final : public RefCounted<EntryHeap> {
 public:
  static constexpr size_t kAlign = 16;
  static constexpr size_t kLargest = 2048;

  EntryHeap() = default;
  // At most kLargest bytes. Null: no memory.
  void* Allocate(size_t bytes, uint64_t hash) noexcept;
  static void Free(void* block) noexcept;

  // What is mapped now; for tests.
  size_t mapped_bytes() const noexcept CS_EXCLUDES(mutex_);

 private:
  friend class RefCounted<EntryHeap>;
  static constexpr size_t kSlabBytes = 16 * 1024;
  static constexpr size_t kSlabs = kHugePage / kSlabBytes;  // the first holds the chunk's header
  static constexpr size_t kClasses = kLargest / kAlign;
  static constexpr size_t kParts = 4;

  struct FreeBlock {
    FreeBlock* next;
  };
  struct Slab {
    Slab* next;  // in its part's list of slabs with room, or in its chunk's list of free slabs
    Slab* previous;
    FreeBlock* freed;  // blocks that were given back
    uint16_t fresh;    // blocks from here on were never given out
    uint16_t live;
    uint16_t size_class;
    uint16_t part;
  };
  struct Chunk {
    EntryHeap* heap;
    Chunk* next;  // in the heap's list of chunks with free slabs
    Chunk* previous;
    Slab* free_slabs;
    size_t used_slabs;
    Slab slabs[kSlabs];
  };
  static_assert(sizeof(Chunk) <= kSlabBytes);
  struct alignas(64) Part {
    Mutex mutex;
    Slab* with_room[kClasses] CS_GUARDED_BY(mutex) = {};
  };

  ~EntryHeap();
  static size_t BlockBytes(const Slab& slab) noexcept { return (slab.size_class + 1u) * kAlign; }
  static size_t Capacity(const Slab& slab) noexcept { return kSlabBytes / BlockBytes(slab); }
  static Chunk* ChunkOf(const void* address) noexcept;
  static char* BytesOf(Slab* slab) noexcept;
  Slab* TakeSlab() noexcept CS_EXCLUDES(mutex_);
  // Returns the reference that the chunk held, if it is not in use any more.
  bool GiveSlabBack(Slab* slab) noexcept CS_EXCLUDES(mutex_);
  Chunk* NewChunkLocked() noexcept CS_REQUIRES(mutex_);

  Part parts_[kParts];
  // Taken after a part's lock, never before one.
  mutable Mutex mutex_;
  Chunk* with_slabs_ CS_GUARDED_BY(mutex_) = nullptr;
  Chunk* spare_ CS_GUARDED_BY(mutex_) = nullptr;
  size_t chunks_ CS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chainstore
