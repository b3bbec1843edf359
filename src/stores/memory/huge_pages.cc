#include "stores/memory/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace chainstore {
namespace {

constexpr size_t kLine = 64;
// From here on a part of a huge page. A store that needs it has tens of thousands of entries.
constexpr size_t kLargeAtLeast = 64 * 1024;

void* Map(size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

constexpr size_t RoundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

void* NewHugePages(size_t bytes) noexcept {
  // With room to spare, of which all but an aligned part is given back.
  char* memory = static_cast<char*>(Map(bytes + kHugePage));
  if (!memory) return nullptr;
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(memory) % kHugePage) % kHugePage;
  if (before != 0) munmap(memory, before);
  char* aligned = memory + before;
  munmap(aligned + bytes, kHugePage - before);
  madvise(aligned, bytes, MADV_HUGEPAGE);  // advice: without it the pages are small ones
  return aligned;
}

void FreeHugePages(void* memory, size_t bytes) noexcept { munmap(memory, bytes); }

TableArena::~TableArena() {
  MutexLock lock(mutex_);
  for (void* memory : small_) ::operator delete(memory, std::align_val_t{kLine});
  for (const auto& [memory, bytes] : large_) FreeHugePages(memory, bytes);
}

void* TableArena::Allocate(size_t bytes) noexcept {
  bytes = RoundUp(bytes, kLine);
  MutexLock lock(mutex_);
  try {
    if (bytes < kLargeAtLeast) {
      small_.reserve(small_.size() + 1);
      void* memory = ::operator new(bytes, std::align_val_t{kLine});
      small_.push_back(memory);
      return memset(memory, 0, bytes);
    }
    if (bytes > rest_bytes_) {
      large_.reserve(large_.size() + 1);
      const size_t mapped = RoundUp(bytes, kHugePage);
      void* memory = NewHugePages(mapped);
      if (!memory) return nullptr;
      large_.emplace_back(memory, mapped);
      rest_ = static_cast<char*>(memory);
      rest_bytes_ = mapped;
    }
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  rest_bytes_ -= bytes;
  return std::exchange(rest_, rest_ + bytes);
}

}  // namespace chainstore
