#include "core/value.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(ValueTest, HoldsACopyOfItsBytes) {
  std::string bytes = "abc";
  const Ref<Value> value = Value::Copy(bytes);
  bytes = "xyz";
  EXPECT_EQ(value->bytes(), "abc");
  EXPECT_TRUE(value->is_heap());
  EXPECT_TRUE(value->is_keepable());
}

TEST(ValueTest, ReleasesWrappedMemoryOnceWithTheLastReference) {
  int released = 0;
  Ref<Value> value = Value::Wrap(
      "abc", [](void* context) { ++*static_cast<int*>(context); }, &released);
  Ref<Value> second = value;
  EXPECT_FALSE(value->is_heap());
  EXPECT_TRUE(value->is_keepable());
  value = nullptr;
  EXPECT_EQ(released, 0);
  second = nullptr;
  EXPECT_EQ(released, 1);
}

TEST(ValueTest, ASliceKeepsTheWholeAndIsNotKeepable) {
  int released = 0;
  Ref<Value> part;
  {
    Ref<Value> whole = Value::Wrap(
        "abcdef", [](void* context) { ++*static_cast<int*>(context); }, &released);
    part = Value::Slice(std::move(whole), 2, 3);
  }
  EXPECT_EQ(part->bytes(), "cde");
  EXPECT_FALSE(part->is_keepable());
  EXPECT_EQ(released, 0);
  part = nullptr;
  EXPECT_EQ(released, 1);
}

TEST(ValueTest, IsPrivateOnlyWhileNobodyElseCanSeeItsBytes) {
  Ref<Value> value = Value::Copy("abcdef");
  EXPECT_TRUE(value->IsPrivate());
  const Ref<Value> part = Value::Slice(value, 0, 3);
  EXPECT_FALSE(value->IsPrivate());
  EXPECT_FALSE(part->IsPrivate()) << "the whole value has another user";
  EXPECT_FALSE(Value::Wrap("abc", nullptr, nullptr)->IsPrivate());
}

TEST(ValueTest, CostsThirtyTwoBytes) { EXPECT_EQ(sizeof(Value), 32u); }

}  // namespace
}  // namespace chainstore
