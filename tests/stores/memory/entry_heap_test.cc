#include "stores/memory/entry_heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

namespace chainstore {
namespace {

TEST(EntryHeapTest, GivesAlignedBlocksThatDoNotOverlap) {
  const auto heap = MakeRef<EntryHeap>();
  std::map<char*, size_t> blocks;
  for (size_t size = 1; size <= EntryHeap::kLargest; ++size) {
    auto* block = static_cast<char*>(heap->Allocate(size, size << 46));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % EntryHeap::kAlign, 0u);
    memset(block, static_cast<int>(size), size);
    blocks[block] = size;
  }
  const char* end = nullptr;
  for (const auto& [block, size] : blocks) {
    EXPECT_GE(block, end);
    end = block + size;
    for (size_t at = 0; at < size; ++at) ASSERT_EQ(block[at], static_cast<char>(size));
  }
  for (const auto& [block, size] : blocks) EntryHeap::Free(block);
}

TEST(EntryHeapTest, TakesLittleMoreThanItGives) {
  const auto heap = MakeRef<EntryHeap>();
  std::vector<void*> blocks;
  for (size_t at = 0; at < 100'000; ++at) blocks.push_back(heap->Allocate(160, at << 46));
  EXPECT_LE(heap->mapped_bytes(), 100'000u * 160 * 65 / 64 + 2 * kHugePage);
  for (void* block : blocks) EntryHeap::Free(block);
}

TEST(EntryHeapTest, UsesEmptiedSlabsForOtherSizesAndUnmapsEmptiedChunks) {
  const auto heap = MakeRef<EntryHeap>();
  const auto fill = [&](size_t size) {
    std::vector<void*> blocks;
    for (size_t at = 0; at < 20'000'000 / size; ++at) {
      blocks.push_back(heap->Allocate(size, at << 46));
    }
    return blocks;
  };
  std::vector<void*> small = fill(64);
  const size_t full = heap->mapped_bytes();
  for (void* block : small) EntryHeap::Free(block);
  EXPECT_EQ(heap->mapped_bytes(), kHugePage) << "one is kept";
  std::vector<void*> large = fill(1024);
  EXPECT_LE(heap->mapped_bytes(), full + 2 * kHugePage);
  for (void* block : large) EntryHeap::Free(block);
}

TEST(EntryHeapTest, LivesUntilItsLastBlockIsFreed) {
  auto heap = MakeRef<EntryHeap>();
  auto* first = static_cast<char*>(heap->Allocate(100, 0));
  auto* second = static_cast<char*>(heap->Allocate(1000, 0));
  heap = nullptr;
  memset(first, 1, 100);
  memset(second, 2, 1000);
  EntryHeap::Free(first);
  EntryHeap::Free(second);
}

TEST(EntryHeapTest, IsSharedByThreadsThatFreeEachOthersBlocks) {
  const auto heap = MakeRef<EntryHeap>();
  constexpr size_t kSlots = 1000;
  std::vector<std::atomic<char*>> slots(kSlots);
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937_64 random(thread);
      for (int i = 0; i < 20'000; ++i) {
        const size_t size = 16 + random() % 500;
        auto* block = static_cast<char*>(heap->Allocate(size, random()));
        memset(block, static_cast<int>(size), size);
        memcpy(block, &size, sizeof size);
        char* const old = slots[random() % kSlots].exchange(block);
        if (!old) continue;
        size_t old_size;
        memcpy(&old_size, old, sizeof old_size);
        EXPECT_EQ(old[old_size - 1], static_cast<char>(old_size));
        EntryHeap::Free(old);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::atomic<char*>& slot : slots) {
    if (char* block = slot.load()) EntryHeap::Free(block);
  }
  EXPECT_LE(heap->mapped_bytes(), kHugePage);
}

}  // namespace
}  // namespace chainstore
