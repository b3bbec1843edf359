// The reference of figure 1: the least that a lookup with a pin can do. Open addressing over slots
// of hash and pointer at half load, entries of count, key and bytes; a get probes, compares the
// key, and takes and gives back a reference with one atomic operation each. It cannot delete, and
// so needs nothing that protects a reader: faster than anything that has to.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <memory>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "harness.h"

namespace bench {

class LookupTable {
 public:
  explicit LookupTable(size_t keys) : size_(std::bit_ceil(keys * 2)), bytes_(size_ * sizeof(Slot)) {
    constexpr size_t kHugePage = size_t{2} << 20;
    memory_ = aligned_alloc(kHugePage, (bytes_ + kHugePage - 1) / kHugePage * kHugePage);
    madvise(memory_, bytes_, MADV_HUGEPAGE);
    slots_ = new (memory_) Slot[size_]();
  }
  ~LookupTable() {
    for (size_t at = 0; at < size_; ++at) free(slots_[at].entry.load());
    free(memory_);
  }

  void Insert(std::string_view key, std::string_view value) {
    auto* entry = new (malloc(sizeof(Entry) + key.size() + value.size())) Entry;
    entry->key_size = static_cast<uint32_t>(key.size());
    memcpy(entry->bytes(), key.data(), key.size());
    memcpy(entry->bytes() + key.size(), value.data(), value.size());
    const uint64_t hash = XXH3_64bits(key.data(), key.size());
    size_t at = hash & (size_ - 1);
    while (slots_[at].entry.load()) at = (at + 1) & (size_ - 1);
    slots_[at].hash.store(hash);
    slots_[at].entry.store(entry);
  }

  // As bench::GetHit.
  void GetHit(const char* key, size_t key_size) {
    const uint64_t hash = XXH3_64bits(key, key_size);
    for (size_t at = hash & (size_ - 1);; at = (at + 1) & (size_ - 1)) {
      Entry* const entry = slots_[at].entry.load(std::memory_order_acquire);
      if (!entry) Die("a lookup missed");
      if (slots_[at].hash.load(std::memory_order_relaxed) != hash) continue;
      entry->refs.fetch_add(1, std::memory_order_relaxed);
      if (entry->key_size == key_size && memcmp(entry->bytes(), key, key_size) == 0) {
        Keep(entry->bytes()[key_size]);
        entry->refs.fetch_sub(1, std::memory_order_acq_rel);
        return;
      }
      entry->refs.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

 private:
  struct Entry {
    std::atomic<uint32_t> refs{1};
    uint32_t key_size;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  struct Slot {
    std::atomic<uint64_t> hash;
    std::atomic<Entry*> entry;
  };
  const size_t size_;
  const size_t bytes_;
  void* memory_;
  Slot* slots_;
};

}  // namespace bench
