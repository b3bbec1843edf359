#include "base/function.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace chainstore {
namespace {

TEST(FunctionTest, CallsWhatItHoldsSmallOrLarge) {
  int small = 1;
  UniqueFunction<int(int)> inlined = [&small](int by) { return small += by; };
  EXPECT_EQ(inlined(2), 3);
  std::array<int, 100> large{};
  large[99] = 7;
  UniqueFunction<int(int)> on_heap = [large](int by) { return large[99] + by; };
  EXPECT_EQ(on_heap(1), 8);
}

TEST(FunctionTest, TakesArgumentsThatCanOnlyBeMoved) {
  UniqueFunction<int(std::unique_ptr<int>)> take = [](std::unique_ptr<int> p) { return *p; };
  EXPECT_EQ(take(std::make_unique<int>(5)), 5);
}

// Whatever its size, a callable is destroyed once, wherever it was moved to.
template <size_t kSize>
void ExpectOneOwner() {
  auto watched = std::make_shared<int>(0);
  std::weak_ptr<int> alive = watched;
  std::array<char, kSize> padding{};
  UniqueFunction<void()> first = [watched = std::move(watched), padding] { (void)padding; };
  UniqueFunction<void()> second = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(alive.expired());
  UniqueFunction<void()> third;
  third = std::move(second);
  EXPECT_FALSE(alive.expired());
  third = nullptr;
  EXPECT_TRUE(alive.expired());
  EXPECT_FALSE(third);
}

TEST(FunctionTest, HasOneOwner) {
  ExpectOneOwner<1>();
  ExpectOneOwner<200>();
}

TEST(FunctionTest, ANullFunctionIsEmpty) {
  EXPECT_FALSE((UniqueFunction<void()>()));
  EXPECT_FALSE((UniqueFunction<void()>(nullptr)));
}

TEST(DoneTest, RunsWithTheAnswerAndIsSpentThen) {
  int seen = 0;
  Done<int> done = [&seen](int&& answer) { seen = answer; };
  EXPECT_TRUE(done);
  Done<int> moved = std::move(done);
  EXPECT_FALSE(done);
  moved(42);
  EXPECT_EQ(seen, 42);
  EXPECT_FALSE(moved);
}

TEST(DoneTest, LetsGoOfWhatItHeldWhenItHasRun) {
  auto watched = std::make_shared<int>(0);
  std::weak_ptr<int> alive = watched;
  Done<int> done = [watched = std::move(watched)](int&&) {};
  done(1);
  EXPECT_TRUE(alive.expired());
}

TEST(DoneTest, MayDestroyItsOwnerWhileItRuns) {
  struct Owner {
    Done<int> done;
  };
  auto* owner = new Owner;
  bool ran = false;
  owner->done = Done<int>([owner, &ran](int&&) {
    delete owner;
    ran = true;
  });
  owner->done(1);
  EXPECT_TRUE(ran);
}

struct Plain {
  int* seen;
  void operator()(int&& answer) { *seen = answer; }
};
struct SaysSo : Plain {
  using Brief = void;
};

TEST(DoneTest, IsBriefWhereWhatItHoldsSaysSo) {
  int seen = 0;
  EXPECT_FALSE(Done<int>().is_brief());
  Done<int> other(Plain{&seen});
  EXPECT_FALSE(other.is_brief());
  other(1);
  Done<int> brief(SaysSo{{&seen}});
  Done<int> moved = std::move(brief);
  EXPECT_TRUE(moved.is_brief());
  Done<int> around([done = std::move(moved)](int&& answer) mutable { done(std::move(answer)); });
  EXPECT_FALSE(around.is_brief()) << "what is around it may do more";
  around(42);
  EXPECT_EQ(seen, 42);
}

#ifndef NDEBUG
TEST(DoneDeathTest, NeverRunsTwiceAndIsNeverDropped) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        Done<int> done = [](int&&) {};
        done(1);
        done(2);
      },
      "twice");
  EXPECT_DEATH({ Done<int> done = [](int&&) {}; }, "dropped");
  EXPECT_DEATH(
      {
        Done<int> done = [](int&&) {};
        done = Done<int>([](int&&) {});
      },
      "overwritten");
}
#endif

}  // namespace
}  // namespace chainstore
