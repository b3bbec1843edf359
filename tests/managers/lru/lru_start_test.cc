// What an LRU learns of a store that was there before it.
#include "managers/lru/lru_testing.h"
#include "stores/memory/memory_store.h"
#include "support/event.h"

namespace chainstore {
namespace {

using Op = ScriptedStore::Op;

const std::string kEight(8, 'v');

std::string StartKey(int i) { return "k" + std::to_string(i); }

TEST(LruStartTest, OriginalFault10WhatWasThereBeforeCountsAndIsEvicted) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 0; i < 5; ++i) inner->Plant(StartKey(i), kEight);
  auto lru = LruAround(inner, 50);
  WaitLoaded(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 50u);
  ASSERT_EQ(Put(*lru, "k5", kEight), Code::kOk);
  EXPECT_FALSE(inner->Has("k0")) << "the oldest by version: there is no log";
  EXPECT_EQ(lru->ledger().bytes(), 50u);
}

TEST(LruStartTest, AStoreLargerThanTheCapacityIsMadeSmaller) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 0; i < 9; ++i) inner->Plant(StartKey(i), kEight);
  auto lru = LruAround(inner, 40);
  WaitLoaded(*lru);
  WaitUntil([&] { return lru->ledger().bytes() == 40; });
  EXPECT_TRUE(inner->Has("k8"));
  EXPECT_FALSE(inner->Has("k4"));
}

TEST(LruStartTest, ManyPagesAreCounted) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 10000; i < 20000; ++i) inner->Plant(std::to_string(i), "");
  auto lru = LruAround(inner, 1000000);
  WaitLoaded(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 50000u);
  EXPECT_EQ(lru->ledger().count(), 10000u);
  EXPECT_GE(inner->Count(Op::kScan), 3u);
}

TEST(LruStartTest, AMemoryStoreIsCountedWhenTheConstructorReturns) {
  Ref<Store> memory = *NewMemoryStore(1 << 20, nullptr);
  ASSERT_EQ(Put(*memory, "k0", kEight), Code::kOk);
  auto lru = LruAround(memory, 1 << 20);
  EXPECT_FALSE(lru->counting());
  EXPECT_EQ(lru->ledger().count(), 1u);
}

// A scan that is held up until told to go on.
struct HeldScan {
  explicit HeldScan(ScriptedStore& inner) {
    inner.SetScript([this](Op op, const std::string&, const ScriptedStore::Go& go) {
      if (op != Op::kScan) return go(Code::kOk);
      held = go;
      begun.Set();
    });
  }
  Event begun;
  ScriptedStore::Go held;
};

TEST(LruStartTest, WhatIsNotYetCountedCountsAsUsed) {
  auto inner = ScriptedStore::New("inner");
  inner->Plant("k0", kEight);
  HeldScan scan(*inner);
  auto lru = LruAround(inner, 50);
  scan.begun.Wait();
  EXPECT_EQ(PutInto(*lru, "k1", kEight, 0, Wait::kNever).status.code(), Code::kWouldBlock);
  Event done;
  Receipt receipt;
  lru->Put(Key("k1"), Payload(kEight), CallOf(Wait::kLater), [&](Receipt&& answer) {
    receipt = std::move(answer);
    done.Set();
  });
  EXPECT_FALSE(inner->Has("k1"));
  EXPECT_EQ(GetText(*lru, "k0"), kEight) << "reads do not wait";
  scan.held(Code::kOk);
  done.Wait();
  EXPECT_TRUE(receipt.status.ok()) << receipt.status.ToString();
  EXPECT_TRUE(inner->Has("k0"));
  WaitLoaded(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 20u);
}

TEST(LruStartTest, AnEntryDeletedDuringItsPageIsNotCounted) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 0; i < 3; ++i) inner->Plant(StartKey(i), kEight);
  // The page is collected, then held up on its way: it still names the entry.
  class Slow final : public Store {
   public:
    Slow(Ref<Store> inner) : Store("slow", inner->runtime_ref()), inner_(inner) { Adopt(*inner); }
    uint32_t caps() const noexcept override { return inner_->caps(); }
    Limits limits() const noexcept override { return inner_->limits(); }
    void Get(const Key& key, const Read& read, const Call& call,
             Done<Answer> done) noexcept override {
      inner_->Get(key, read, call, std::move(done));
    }
    void Put(const Key& key, const Payload& payload, const Call& call,
             Done<Receipt> done) noexcept override {
      inner_->Put(key, payload, call, std::move(done));
    }
    void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
      inner_->Del(key, call, std::move(done));
    }
    void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
      inner_->Scan(range, call, [this, done = std::move(done)](Page&& page) mutable {
        page_ = std::move(page);
        done_ = std::move(done);
        begun.Set();
      });
    }
    void Go() { done_(std::move(page_)); }
    Event begun;

   private:
    const Ref<Store> inner_;
    Page page_;
    Done<Page> done_;
  };
  auto slow = MakeRef<Slow>(inner);
  auto lru = LruAround(slow, 50);
  slow->begun.Wait();
  EXPECT_EQ(Del(*lru, "k0"), Code::kOk);
  inner->Fail(Op::kDel, Code::kBusy);
  EXPECT_EQ(Del(*lru, "k1"), Code::kBusy);
  slow->Go();
  WaitLoaded(*lru);
  WaitIdle(*lru);
  EXPECT_EQ(lru->ledger().bytes(), 20u);
  EXPECT_FALSE(lru->ledger().HoldsIdle(Key("k0")));
  EXPECT_TRUE(lru->ledger().HoldsIdle(Key("k1"))) << "the delete failed: it is still there";
}

TEST(LruStartTest, AHitWhileCountingIsRememberedForTheOrder) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 0; i < 3; ++i) inner->Plant(StartKey(i), kEight);
  HeldScan scan(*inner);
  auto lru = LruAround(inner, 30);
  scan.begun.Wait();
  EXPECT_EQ(GetText(*lru, "k0"), kEight);
  scan.held(Code::kOk);
  WaitLoaded(*lru);
  ASSERT_EQ(Put(*lru, "k3", kEight), Code::kOk);
  EXPECT_TRUE(inner->Has("k0"));
  EXPECT_FALSE(inner->Has("k1"));
}

TEST(LruStartTest, AScanThatFailsIsReportedOnceAndTriedAgain) {
  auto inner = ScriptedStore::New("inner");
  inner->Plant("k0", kEight);
  inner->Fail(Op::kScan, Code::kIo);
  auto lru = LruAround(inner, 50);
  Reported reported(*lru);
  WaitUntil([&] { return inner->Count(Op::kScan) >= 2; });
  WaitUntil([&] { return reported.count() == 1; });
  const Receipt receipt = PutInto(*lru, "k1", kEight);
  EXPECT_EQ(receipt.status.code(), Code::kNoSpace) << "what is in it is not known";
  inner->Fail(Op::kScan, Code::kOk);
  WaitUntil([&] { return lru->ledger().bytes() == 10; });
  WaitUntil([&] { return Put(*lru, "k1", kEight) == Code::kOk; });
  EXPECT_EQ(reported.count(), 1u);
}

TEST(LruStartTest, AStoreThatCannotBeScannedStartsFromNothing) {
  auto inner = ScriptedStore::New("inner", 0);
  inner->Plant("k0", kEight);
  auto lru = LruAround(inner, 20);
  EXPECT_FALSE(lru->counting());
  EXPECT_EQ(Put(*lru, "k1", kEight), Code::kOk);
  EXPECT_EQ(GetText(*lru, "k0"), kEight) << "known from now on";
  WaitUntil([&] { return lru->ledger().bytes() == 20; });
}

TEST(LruStartTest, ACloseWhileCountingEndsIt) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 10000; i < 20000; ++i) inner->Plant(std::to_string(i), "");
  HeldScan scan(*inner);
  auto lru = LruAround(inner, 1000000);
  scan.begun.Wait();
  Event closed;
  lru->Close(CallOf(Wait::kLater), [&](Status&& status) {
    EXPECT_TRUE(status.ok());
    closed.Set();
  });
  scan.held(Code::kOk);
  closed.Wait();
  WaitUntil([&] { return lru->IsUnique(); });
  EXPECT_EQ(inner->Count(Op::kScan), 1u);
}

TEST(LruStartTest, ACloseWhileCountingEndsThePutsThatWaitForIt) {
  auto inner = ScriptedStore::New("inner");
  inner->Plant("k0", kEight);
  HeldScan scan(*inner);
  auto lru = LruAround(inner, 50);
  scan.begun.Wait();
  Event done;
  lru->Put(Key("k1"), Payload(kEight), CallOf(Wait::kLater), [&](Receipt&& receipt) {
    EXPECT_EQ(receipt.status.code(), Code::kClosed) << receipt.status.ToString();
    done.Set();
  });
  Event closed;
  lru->Close(CallOf(Wait::kLater), [&](Status&&) { closed.Set(); });
  inner->SetScript(nullptr);
  std::exchange(scan.held, nullptr)(Code::kBusy);  // tried again later, and then given up
  done.Wait();
  closed.Wait();
}

TEST(LruStartTest, LettingGoWhileCountingEndsIt) {
  auto inner = ScriptedStore::New("inner");
  for (int i = 10000; i < 30000; ++i) inner->Plant(std::to_string(i), "");
  HeldScan scan(*inner);
  auto lru = LruAround(inner, 1000000);
  scan.begun.Wait();
  lru = nullptr;
  inner->SetScript(nullptr);
  std::exchange(scan.held, nullptr)(Code::kOk);
  WaitUntil([&] { return inner->IsUnique(); });
  EXPECT_LE(inner->Count(Op::kScan), 2u);
}

}  // namespace
}  // namespace chainstore
