#include "core/key_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
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

std::shared_ptr<const KeySlots::Keys> SlotsOf(const std::vector<std::string>& names) {
  KeySlots::Keys keys;
  for (const std::string& name : names) keys.push_back(Key(name));
  return std::make_shared<const KeySlots::Keys>(KeySlots::Sorted(std::move(keys)));
}

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

bool IsFree(KeySlots& slots, const std::string& name) {
  bool free = false;
  slots.Acquire(Key(name), Waiting(Wait::kNever), [&](Status&& turn) { free = turn.ok(); });
  if (free) slots.Release(Key(name));
  return free;
}

TEST(KeySlotsTest, TakesTheSlotsOfALargeBatchWithoutADeepStack) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto keys = SlotsOf(Names(50'000));
  bool entered = false;
  slots.AcquireAll(keys, Waiting(Wait::kHere), [&](Status&& turn) { entered = turn.ok(); });
  ASSERT_TRUE(entered);
  EXPECT_FALSE(IsFree(slots, "49999"));
  slots.ReleaseAll(*keys);
  for (const std::string& name : Names(50'000)) ASSERT_TRUE(IsFree(slots, name)) << name;
}

TEST(KeySlotsTest, AKeyThatComesTwiceInABatchIsTakenOnce) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto keys = SlotsOf({"a", "b", "a"});
  EXPECT_EQ(keys->size(), 2u);
  bool entered = false;
  slots.AcquireAll(keys, Waiting(Wait::kHere), [&](Status&& turn) { entered = turn.ok(); });
  EXPECT_TRUE(entered);
  slots.ReleaseAll(*keys);
  EXPECT_TRUE(IsFree(slots, "a"));
}

// Wherever in the batch's order the key stands that it has to wait for.
TEST(KeySlotsTest, TakesAllSlotsOrNone) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto names = Names(100);
  const auto keys = SlotsOf(names);
  for (const std::string& held : names) {
    slots.Acquire(Key(held), Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
    Call late = Waiting(Wait::kHere);
    late.deadline_ns = Clock::System().SteadyNs();
    bool ran = false;
    slots.AcquireAll(keys, late, [&](Status&& turn) {
      EXPECT_EQ(turn.code(), Code::kTimeout);
      ran = true;
    });
    EXPECT_TRUE(ran);
    for (const std::string& name : names) EXPECT_EQ(IsFree(slots, name), name != held) << name;
    slots.Release(Key(held));
  }
}

TEST(KeySlotsTest, ABatchGivesEachOfItsSlotsToWhoWaitsForIt) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto names = Names(200);
  const auto keys = SlotsOf(names);
  slots.AcquireAll(keys, Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  std::atomic<size_t> entered{0};
  for (const std::string& name : names) {
    slots.Acquire(Key(name), Waiting(Wait::kLater), [&](Status&& turn) {
      EXPECT_TRUE(turn.ok());
      slots.Release(Key(name));
      ++entered;
    });
  }
  EXPECT_EQ(entered.load(), 0u);
  slots.ReleaseAll(*keys);
  while (entered.load() < names.size()) std::this_thread::yield();
}

TEST(KeySlotsTest, ABatchThatWaitsTakesItsTurnAndThoseAfterItWaitForIt) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto keys = SlotsOf({"a", "b", "c"});
  slots.Acquire(Key("b"), Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  Mutex mutex;
  std::string order;
  std::atomic<int> ended{0};
  const auto note = [&](const char* who) {
    MutexLock lock(mutex);
    order += who;
  };
  slots.AcquireAll(keys, Waiting(Wait::kLater), [&](Status&& turn) {
    EXPECT_TRUE(turn.ok());
    note("batch ");
    slots.ReleaseAll(*keys);
    ++ended;
  });
  slots.Acquire(Key("b"), Waiting(Wait::kLater), [&](Status&& turn) {
    EXPECT_TRUE(turn.ok());
    note("single");
    slots.Release(Key("b"));
    ++ended;
  });
  slots.Release(Key("b"));
  while (ended.load() < 2) std::this_thread::yield();
  EXPECT_EQ(order, "batch single");
}

// Two threads with batches of the same keys in other orders, and one with single keys.
TEST(KeySlotsTest, NeverHasTwoWritersOfAKey) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const auto names = Names(8);
  std::atomic<int> writers[8] = {};
  const auto write = [&](const std::vector<size_t>& which) {
    for (const size_t at : which) EXPECT_EQ(writers[at].fetch_add(1), 0);
    for (const size_t at : which) writers[at].fetch_sub(1);
  };
  const auto batches = [&](bool backwards) {
    for (size_t round = 0; round < 2000; ++round) {
      std::vector<size_t> which;
      for (size_t at = 0; at < 8; ++at) {
        if ((round * 7 + at * 3) % 8 < 5) which.push_back(backwards ? 7 - at : at);
      }
      std::vector<std::string> mine;
      for (const size_t at : which) mine.push_back(names[at]);
      const auto keys = SlotsOf(mine);
      slots.AcquireAll(keys, Waiting(Wait::kHere), [&](Status&& turn) {
        EXPECT_TRUE(turn.ok());
        write(which);
        slots.ReleaseAll(*keys);
      });
    }
  };
  std::thread forward(batches, false), backward(batches, true);
  for (size_t round = 0; round < 4000; ++round) {
    const size_t at = round % 8;
    slots.Acquire(Key(names[at]), Waiting(Wait::kHere), [&](Status&& turn) {
      EXPECT_TRUE(turn.ok());
      write({at});
      slots.Release(Key(names[at]));
    });
  }
  forward.join();
  backward.join();
}

// Nobody is harmed by keys of one hash: they wait for each other, a batch has one slot for them.
TEST(KeySlotsTest, KeysOfOneHashShareASlot) {
  KeySlots slots(RuntimeSlot::Default().Acquire());
  const Key one("one", 42), other("other", 42);
  KeySlots::Keys both;
  both.push_back(one);
  both.push_back(other);
  const auto keys = std::make_shared<const KeySlots::Keys>(KeySlots::Sorted(std::move(both)));
  slots.AcquireAll(keys, Waiting(Wait::kHere), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  slots.Acquire(other, Waiting(Wait::kNever),
                [](Status&& turn) { EXPECT_EQ(turn.code(), Code::kWouldBlock); });
  slots.ReleaseAll(*keys);
  slots.Acquire(other, Waiting(Wait::kNever), [](Status&& turn) { EXPECT_TRUE(turn.ok()); });
  slots.Release(other);
}

}  // namespace
}  // namespace chainstore
