// MapSpace: keeps room in the map for deletes. A delete writes pages too, before it frees any:
// where puts may fill the map to the last page, deletes and eviction fail with them. So puts are
// refused while what is left, at the end of the file and on its free list, is less than a reserve:
// an eighth of the map, at most 64 MiB. Thread safety: none; the one writer's. Begin is called at
// the start of each write transaction.
#pragma once

#include <lmdb.h>

#include <cstdint>

namespace chainstore::lmdb {

class MapSpace {
 public:
  // What an entry takes among others of its size: its overflow pages, and its part of a leaf page
  // that is as empty as splitting leaves it.
  static uint64_t EntryCost(uint64_t stored_key_size, uint64_t stored_size, uint32_t page_size);
  static uint64_t ReserveBytes(uint64_t map_size);

  void Begin(MDB_env* env) noexcept;
  // Takes `bytes` of what puts may use in this transaction; false: the map is full for them.
  bool Take(uint64_t bytes) noexcept;
  // Whether the free list holds anything, as of the last time it had to be counted.
  bool any_free() const noexcept { return free_pages_ > 0; }

 private:
  void CountFreePages() noexcept;

  MDB_env* env_ = nullptr;
  uint32_t page_size_ = 0;
  uint64_t snapshot_ = 0;       // what the transaction builds on
  int64_t left_ = 0;            // bytes; negative: into the reserve
  bool free_included_ = false;  // in left_
  uint64_t free_pages_ = 0;
  uint64_t counted_snapshot_ = 0;  // when free_pages_ was true
};

}  // namespace chainstore::lmdb
