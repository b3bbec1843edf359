#include "core/key_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace chainstore {
namespace {

Call Waiting(Wait wait) {
  Call call;
  call.wait = wait;
  return call;
}

TEST(KeySlotsTest, LetsWaitersInInTheOrderInWhichTheyCame) {
  auto runtime = RuntimeSlot::Default().Acquire();
  KeySlots slots(runtime);
  const Key key("k");
  slots.Acquire(key, Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  Mutex mutex;
  std::vector<int> order;
  std::atomic<int> entered{0};
  for (int i = 0; i < 100; ++i) {
    slots.Acquire(key, Waiting(Wait::kLater), [&, i](Status&& turn) {
      EXPECT_TRUE(turn.ok());
      {
        MutexLock lock(mutex);
        order.push_back(i);
      }
      slots.Release(key);
      ++entered;
    });
  }
  EXPECT_EQ(entered.load(), 0);
  slots.Release(key);
  while (entered.load() < 100) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(KeySlotsTest, AWaitThatTimesOutLeavesTheQueueToTheOthers) {
  auto runtime = RuntimeSlot::Default().Acquire();
  KeySlots slots(runtime);
  const Key key("k");
  slots.Acquire(key, Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  Call brief = Waiting(Wait::kHere);
  brief.deadline_ns = Clock::System().DeadlineAfterMs(1);
  slots.Acquire(key, brief, [](Status&& turn) { EXPECT_EQ(turn.code(), Code::kTimeout); });
  slots.Acquire(key, Waiting(Wait::kNever),
                [](Status&& turn) { EXPECT_EQ(turn.code(), Code::kWouldBlock); });
  slots.Release(key);
  bool again = false;
  slots.Acquire(key, Waiting(Wait::kNever), [&](Status&& turn) { again = turn.ok(); });
  EXPECT_TRUE(again);
  slots.Release(key);
}

std::shared_ptr<const KeySlots::Keys> ManyKeys(int count) {
  KeySlots::Keys keys;
  for (int i = 0; i < count; ++i) keys.emplace_back(Key(std::to_string(i)));
  return std::make_shared<const KeySlots::Keys>(KeySlots::Sorted(std::move(keys)));
}

TEST(KeySlotsTest, TakesTheSlotsOfALargeBatchWithoutADeepStack) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto keys = ManyKeys(50'000);
  bool entered = false;
  slots.AcquireAll(keys, Waiting(Wait::kHere), [&](Status&& turn) { entered = turn.ok(); });
  ASSERT_TRUE(entered);
  slots.ReleaseAll(*keys);
}

TEST(KeySlotsTest, TakesAllSlotsOrNone) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto keys = ManyKeys(10);
  const Key middle((*keys)[5]);
  slots.Acquire(middle, Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  Call brief = Waiting(Wait::kHere);
  brief.deadline_ns = Clock::System().DeadlineAfterMs(1);
  bool ran = false;
  slots.AcquireAll(keys, brief, [&](Status&& turn) {
    EXPECT_EQ(turn.code(), Code::kTimeout);
    ran = true;
  });
  EXPECT_TRUE(ran);
  for (const OwnedKey& key : *keys) {
    if (key.bytes() == middle.bytes) continue;
    slots.Acquire(key, Waiting(Wait::kNever), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
    slots.Release(key);
  }
  slots.Release(middle);
}

}  // namespace
}  // namespace chainstore
