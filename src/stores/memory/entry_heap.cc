#include "stores/memory/entry_heap.h"

#include <cassert>
#include <new>
#include <utility>

namespace chainstore {
namespace {

// Doubly linked lists without a head node, of slabs and of chunks.
template <class Node>
void Link(Node** head, Node* node) {
  node->previous = nullptr;
  node->next = *head;
  if (*head) (*head)->previous = node;
  *head = node;
}
template <class Node>
void Unlink(Node** head, Node* node) {
  if (node->next) node->next->previous = node->previous;
  (node->previous ? node->previous->next : *head) = node->next;
}

}  // namespace

EntryHeap::~EntryHeap() {
  MutexLock lock(mutex_);
  assert(!with_slabs_ && chunks_ == (spare_ ? 1 : 0));
  if (spare_) FreeHugePages(spare_, kHugePage);
}

EntryHeap::Chunk* EntryHeap::ChunkOf(const void* address) noexcept {
  return reinterpret_cast<Chunk*>(reinterpret_cast<uintptr_t>(address) & ~(kHugePage - 1));
}

char* EntryHeap::BytesOf(Slab* slab) noexcept {
  Chunk* const chunk = ChunkOf(slab);
  return reinterpret_cast<char*>(chunk) + static_cast<size_t>(slab - chunk->slabs) * kSlabBytes;
}

void* EntryHeap::Allocate(size_t bytes, uint64_t hash) noexcept {
  assert(bytes != 0 && bytes <= kLargest);
  const size_t size_class = (bytes - 1) / kAlign;
  const size_t number = hash >> 46 & (kParts - 1);
  Part& part = parts_[number];
  MutexLock lock(part.mutex);
  Slab* slab = part.with_room[size_class];
  if (!slab) {
    slab = TakeSlab();
    if (!slab) return nullptr;
    slab->freed = nullptr;
    slab->fresh = 0;
    slab->live = 0;
    slab->size_class = static_cast<uint16_t>(size_class);
    slab->part = static_cast<uint16_t>(number);
    Link(&part.with_room[size_class], slab);
  }
  void* block = slab->freed;
  if (block)
    slab->freed = slab->freed->next;
  else
    block = BytesOf(slab) + BlockBytes(*slab) * slab->fresh++;
  if (++slab->live == Capacity(*slab)) Unlink(&part.with_room[size_class], slab);
  return block;
}

void EntryHeap::Free(void* block) noexcept {
  Chunk* const chunk = ChunkOf(block);
  EntryHeap* const heap = chunk->heap;
  const size_t offset =
      static_cast<size_t>(static_cast<char*>(block) - reinterpret_cast<char*>(chunk));
  Slab* const slab = &chunk->slabs[offset / kSlabBytes];
  // The slab is this part's and this class's for as long as the block is live.
  Part& part = heap->parts_[slab->part];
  bool chunk_is_unused = false;
  {
    MutexLock lock(part.mutex);
    Slab** const with_room = &part.with_room[slab->size_class];
    if (slab->live == Capacity(*slab)) Link(with_room, slab);
    slab->freed = new (block) FreeBlock{slab->freed};
    if (--slab->live == 0) {
      Unlink(with_room, slab);
      chunk_is_unused = heap->GiveSlabBack(slab);
    }
  }
  if (chunk_is_unused) heap->Unref();
}

EntryHeap::Slab* EntryHeap::TakeSlab() noexcept {
  MutexLock lock(mutex_);
  Chunk* chunk = with_slabs_;
  if (!chunk) {
    chunk = spare_ ? std::exchange(spare_, nullptr) : NewChunkLocked();
    if (!chunk) return nullptr;
    Link(&with_slabs_, chunk);
    AddRef();  // the chunk is in use
  }
  Slab* const slab = chunk->free_slabs;
  chunk->free_slabs = slab->next;
  ++chunk->used_slabs;
  if (!chunk->free_slabs) Unlink(&with_slabs_, chunk);
  return slab;
}

bool EntryHeap::GiveSlabBack(Slab* slab) noexcept {
  Chunk* const chunk = ChunkOf(slab);
  MutexLock lock(mutex_);
  if (!chunk->free_slabs) Link(&with_slabs_, chunk);
  slab->next = chunk->free_slabs;
  chunk->free_slabs = slab;
  if (--chunk->used_slabs != 0) return false;
  Unlink(&with_slabs_, chunk);
  if (spare_) {
    FreeHugePages(chunk, kHugePage);
    --chunks_;
  } else {
    spare_ = chunk;
  }
  return true;
}

EntryHeap::Chunk* EntryHeap::NewChunkLocked() noexcept {
  void* const memory = NewHugePages(kHugePage);
  if (!memory) return nullptr;
  ++chunks_;
  Chunk* const chunk = new (memory) Chunk();
  chunk->heap = this;
  for (size_t at = kSlabs - 1; at > 0; --at) {
    chunk->slabs[at].next = chunk->free_slabs;
    chunk->free_slabs = &chunk->slabs[at];
  }
  return chunk;
}

size_t EntryHeap::mapped_bytes() const noexcept {
  MutexLock lock(mutex_);
  return chunks_ * kHugePage;
}

}  // namespace chainstore
