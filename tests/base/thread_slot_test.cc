#include "base/thread_slot.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace chainstore {
namespace {

// So many threads alive at once, each with its number.
std::multiset<size_t> SlotsOf(size_t threads) {
  Mutex mutex;
  CondVar changed;
  std::multiset<size_t> slots;
  std::vector<std::thread> running;
  for (size_t at = 0; at < threads; ++at) {
    running.emplace_back([&] {
      const size_t slot = ThreadSlot::Get();
      EXPECT_EQ(ThreadSlot::Get(), slot);
      MutexLock lock(mutex);
      slots.insert(slot);
      changed.NotifyAll();
      while (slots.size() < threads) changed.Wait(mutex);
    });
  }
  for (std::thread& thread : running) thread.join();
  return slots;
}

TEST(ThreadSlotTest, EveryLivingThreadHasANumberOfItsOwn) {
  const std::multiset<size_t> slots = SlotsOf(20);
  EXPECT_EQ(std::set<size_t>(slots.begin(), slots.end()).size(), 20u);
  EXPECT_EQ(slots.count(ThreadSlot::kShared), 0u);
}

TEST(ThreadSlotTest, NumbersComeBack) {
  for (int round = 0; round < 2 * static_cast<int>(ThreadSlot::kSlots); ++round) {
    std::thread([] { EXPECT_LT(ThreadSlot::Get(), ThreadSlot::kShared); }).join();
  }
}

TEST(ThreadSlotTest, ThreadsBeyondTheLastNumberShareOne) {
  const std::multiset<size_t> slots = SlotsOf(ThreadSlot::kSlots + 10);
  EXPECT_GE(slots.count(ThreadSlot::kShared), 10u);
}

}  // namespace
}  // namespace chainstore
