#include "base/ref.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace chainstore {
namespace {

struct Counted : RefCounted<Counted> {
  explicit Counted(int* gone) : gone(gone) {}
  ~Counted() { ++*gone; }
  int* const gone;
};
struct Derived final : Counted {
  using Counted::Counted;
};

TEST(RefTest, TheLastReferenceTakesTheObjectWithIt) {
  int gone = 0;
  {
    Ref<Counted> first = MakeRef<Counted>(&gone);
    EXPECT_TRUE(first->IsUnique());
    Ref<Counted> second = first;
    EXPECT_FALSE(first->IsUnique());
    EXPECT_EQ(first, second);
    Ref<Counted> third = std::move(second);
    EXPECT_FALSE(second);
    first = nullptr;
    EXPECT_EQ(gone, 0);
    const Ref<Counted>& itself = third;
    third = itself;
    EXPECT_EQ(gone, 0);
  }
  EXPECT_EQ(gone, 1);
}

TEST(RefTest, GivesAReferenceAwayAndTakesOneOver) {
  int gone = 0;
  Counted* raw = MakeRef<Counted>(&gone).Release();
  EXPECT_EQ(gone, 0);
  {
    const Ref<Counted> shared(raw);
    EXPECT_FALSE(raw->IsUnique());
  }
  { const Ref<Counted> adopted = Ref<Counted>::Adopt(raw); }
  EXPECT_EQ(gone, 1);
}

TEST(RefTest, TheLastReferenceIsNotGivenUpUnlessAsked) {
  int gone = 0;
  Counted* raw = MakeRef<Counted>(&gone).Release();
  raw->AddRef();
  EXPECT_TRUE(raw->UnrefUnlessLast());
  EXPECT_FALSE(raw->UnrefUnlessLast());
  EXPECT_EQ(gone, 0);
  raw->Unref();
  EXPECT_EQ(gone, 1);
}

TEST(RefTest, ConvertsToABase) {
  int gone = 0;
  Ref<Counted> base = MakeRef<Derived>(&gone);
  const Ref<Derived> derived = MakeRef<Derived>(&gone);
  base = derived;
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(base.get(), derived.get());
}

struct Kept : RefCounted<Kept> {
  void OnLastUnref() noexcept { last_refused = !TryRef(); }
  bool last_refused = false;
};

TEST(RefTest, NoReferenceIsTakenOfWhatIsOnItsWayOut) {
  Kept kept;
  EXPECT_TRUE(kept.TryRef());
  kept.Unref();
  kept.Unref();
  EXPECT_TRUE(kept.last_refused);
}

TEST(RefTest, CountsAcrossThreads) {
  int gone = 0;
  {
    const Ref<Counted> shared = MakeRef<Counted>(&gone);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([shared] {
        for (int j = 0; j < 10'000; ++j) Ref<Counted> copy = shared;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(gone, 0);
  }
  EXPECT_EQ(gone, 1);
}

}  // namespace
}  // namespace chainstore
