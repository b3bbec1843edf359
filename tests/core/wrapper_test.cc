#include "core/wrapper.h"

#include <gtest/gtest.h>

#include "support/event.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

class PlainWrapper final : public Wrapper {
 public:
  explicit PlainWrapper(Ref<Store> inner) : Wrapper("plain", std::move(inner)) {}
};

TEST(WrapperTest, PassesEveryOperationOn) {
  auto inner = ScriptedStore::New("inner");
  auto plain = MakeRef<PlainWrapper>(inner);
  EXPECT_EQ(plain->caps(), inner->caps());
  EXPECT_EQ(plain->inner(0), inner.get());
  EXPECT_EQ(plain->inner(1), nullptr);
  EXPECT_EQ(Put(*plain, "k", "v"), Code::kOk);
  EXPECT_EQ(inner->Peek("k"), "v");
  EXPECT_EQ(GetText(*plain, "k"), "v");
  EXPECT_EQ(ScanText(*plain, {}), "k=v");
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("k")), nullptr, 0});
  EXPECT_TRUE(WriteInto(*plain, batch).status.ok());
  EXPECT_FALSE(inner->Has("k"));
  EXPECT_EQ(Del(*plain, "k"), Code::kOk);
  EXPECT_TRUE(FlushStore(*plain).ok());
  plain->NoteMiss(Key("k"));
  EXPECT_EQ(inner->misses_noted(), 1u);
  EXPECT_TRUE(CloseStore(*plain).ok());
  EXPECT_TRUE(inner->closed());
  EXPECT_EQ(GetText(*plain, "k"), "(CS_CLOSED)");
  EXPECT_EQ(Put(*plain, "k", "v"), Code::kClosed);
}

TEST(WrapperTest, LeavesHitsToGetUnlessItSaysOtherwise) {
  auto inner = ScriptedStore::New("inner", kCapTry);
  inner->Plant("k", "v");
  EXPECT_EQ(HitText(*inner, "k"), "v");
  EXPECT_EQ(HitText(*MakeRef<PlainWrapper>(inner), "k"), "(none)")
      << "what a manager adds to its Get would be passed by";
}

TEST(WrapperTest, CloseWaitsForTheCallsUnderWay) {
  auto inner = ScriptedStore::New("inner");
  auto keeper =
      MakeRef<PlainWrapper>(inner);  // the inner store stays open: its gate is not what waits
  auto plain = MakeRef<PlainWrapper>(inner);
  ScriptedStore::Go held;
  Event asked;
  inner->SetScript([&](ScriptedStore::Op, const std::string&, ScriptedStore::Go go) {
    held = go;
    asked.Set();
  });
  Event answered, closed;
  plain->Get(Key("k"), Read::Whole(), CallOf(Wait::kLater), [&](Answer&&) { answered.Set(); });
  asked.Wait();
  plain->Close(CallOf(Wait::kLater), [&](Status&& status) {
    EXPECT_TRUE(status.ok());
    EXPECT_TRUE(answered.IsSet());
    closed.Set();
  });
  EXPECT_FALSE(closed.IsSet());
  held(Code::kOk);
  closed.Wait();
  EXPECT_FALSE(inner->closed());
  EXPECT_TRUE(CloseStore(*keeper).ok());
}

}  // namespace
}  // namespace chainstore
