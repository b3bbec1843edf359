#include "core/batch.h"

#include <gtest/gtest.h>

#include "core/request.h"

namespace chainstore {
namespace {

// "a=1 b" of ops in their order; `~` before a value of its own, not the batch's.
std::string TextOf(const Batch& batch) {
  std::string text;
  for (const Batch::Op& op : batch.ops) {
    EXPECT_EQ(op.key.hash(), Key(op.key.bytes()).hash);
    if (!text.empty()) text += " ";
    text += op.key.bytes();
    if (op.value) text += (op.value.shared() ? "~" : "=") + std::string(op.value->bytes());
  }
  return text;
}

TEST(BatchTest, KeepsCopiesOfWhatItIsGiven) {
  auto batch = MakeRef<Batch>();
  std::string key = "key", value = "value";
  batch->AddPut(Key(key), value, 7);
  batch->AddDel(Key(key));
  batch->AddPut(Key("empty"), "");
  key = "xxx";
  value = "xxxxx";
  EXPECT_EQ(TextOf(*batch), "key=value key empty=");
  EXPECT_EQ(batch->ops[0].expires_at_ms, 7);
  EXPECT_EQ(batch->ops[1].value.Share(), nullptr);
  EXPECT_EQ(batch->ops[2].value.Share()->size(), 0u);
}

TEST(BatchTest, HoldsManyOpsOfEverySize) {
  auto batch = MakeRef<Batch>();
  std::string expected;
  for (size_t size = 0; size <= Batch::kMaxArenaValue + 1; size += 7) {
    batch->AddPut(Key(std::to_string(size)), std::string(size, static_cast<char>('a' + size % 26)));
  }
  size_t size = 0;
  for (const Batch::Op& op : batch->ops) {
    EXPECT_EQ(op.key.bytes(), std::to_string(size));
    EXPECT_EQ(op.value.bytes(), std::string(size, static_cast<char>('a' + size % 26)));
    size += 7;
  }
}

TEST(BatchTest, AnOpsCopyOutlivesTheBatch) {
  auto batch = MakeRef<Batch>();
  batch->AddPut(Key("key"), "value");
  batch->AddDel(Key("gone"));
  auto copies = MakeRef<Batch>();
  copies->ops.push_back(batch->ops[0]);
  copies->Add(batch->ops[0]);
  copies->Add(batch->ops[1]);
  batch = nullptr;
  EXPECT_EQ(TextOf(*copies), "key~value key=value gone");
}

// What is large, or somebody's value already, is shared and not copied again.
TEST(BatchTest, SharesWhatIsAValue) {
  auto batch = MakeRef<Batch>();
  const Ref<Value> value = Value::Copy("value");
  batch->ops.push_back({OwnedKey(Key("key")), value, 9});
  batch->AddPut(Key("large"), std::string(Batch::kMaxArenaValue + 1, 'v'));
  EXPECT_EQ(batch->ops[0].value.shared(), value);
  ASSERT_TRUE(batch->ops[1].value.shared());
  EXPECT_TRUE(batch->ops[1].value.shared()->is_keepable());
  auto copies = MakeRef<Batch>();
  copies->Add(batch->ops[0]);
  EXPECT_EQ(copies->ops[0].value.shared(), value);
  EXPECT_EQ(copies->ops[0].expires_at_ms, 9);
}

TEST(BatchTest, AnOpsPayloadBorrowsFromTheBatchAndIsCopiedByWhoKeepsIt) {
  auto batch = MakeRef<Batch>();
  batch->AddPut(Key("key"), "value");
  const Payload payload(batch->ops[0].value, 5);
  EXPECT_EQ(payload.expires_at_ms(), 5);
  EXPECT_EQ(payload.value(), nullptr);
  const Ref<Value> kept = payload.Share();
  batch = nullptr;
  EXPECT_EQ(kept->bytes(), "value");
}

}  // namespace
}  // namespace chainstore
