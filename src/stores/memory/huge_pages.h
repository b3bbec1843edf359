// Memory by the page for tables and entries: large pieces come from the kernel, which zeroes them
// page by page when they are first touched, and backs them with huge pages where it may. At a
// million entries that is worth as much as a cache miss a lookup.
// Thread safety: any thread; TableArena has its own lock.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace chainstore {

inline constexpr size_t kHugePage = size_t{2} << 20;

// Zeroed, aligned to a huge page. Null: no memory. `bytes` is a multiple of kHugePage.
void* NewHugePages(size_t bytes) noexcept;
void FreeHugePages(void* memory, size_t bytes) noexcept;

// Memory for the parts of a table, which all go together: aligned to a cache line, zeroed.
class TableArena {
 public:
  TableArena() = default;
  ~TableArena();
  TableArena(const TableArena&) = delete;
  TableArena& operator=(const TableArena&) = delete;
  // Null: no memory.
  void* Allocate(size_t bytes) noexcept CS_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  char* rest_ CS_GUARDED_BY(mutex_) = nullptr;  // of the last huge page
  size_t rest_bytes_ CS_GUARDED_BY(mutex_) = 0;
  std::vector<void*> small_ CS_GUARDED_BY(mutex_);
  std::vector<std::pair<void*, size_t>> large_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
