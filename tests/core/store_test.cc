// What Store itself does for every store: operations made of others, closing, and reports.
#include "core/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "core/error_sink.h"
#include "core/order_domain.h"
#include "support/event.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The names of the stores that were closed, in that order; noted by whichever thread closes.
class Closings {
 public:
  void Add(const std::string& name) {
    MutexLock lock(mutex_);
    names_.push_back(name);
    changed_.NotifyAll();
  }
  std::vector<std::string> names() {
    MutexLock lock(mutex_);
    return names_;
  }
  void Await(size_t count) {
    MutexLock lock(mutex_);
    while (names_.size() < count) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> names_ CS_GUARDED_BY(mutex_);
};

// Passes Get, Put and Del on to the first of what it wraps.
class Outer final : public Store {
 public:
  explicit Outer(std::vector<Ref<Store>> inner, Closings* closed = nullptr,
                 std::string name = "wrapper")
      : Store(std::move(name), RuntimeSlot::Default().Acquire()),
        inner_(std::move(inner)),
        closed_(closed) {
    for (const Ref<Store>& each : inner_) Adopt(*each);
  }
  uint32_t caps() const noexcept override { return 0; }
  Limits limits() const noexcept override { return {}; }
  Store* inner(size_t at) const noexcept override {
    return at < inner_.size() ? inner_[at].get() : nullptr;
  }
  void Get(const Key& key, const Read& read, const Call& call,
           Done<Answer> done) noexcept override {
    GatePass pass(gate());
    if (!pass) return done(Answer(ClosedStatus("get")));
    inner_[0]->Get(key, read, call,
                   [pass = std::move(pass), done = std::move(done)](Answer&& answer) mutable {
                     done(std::move(answer));
                   });
  }
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    inner_[0]->Put(key, payload, call, std::move(done));
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    inner_[0]->Del(key, call, std::move(done));
  }
  Status close_answer;

 protected:
  void CloseSelf(const Call&, Done<Status> done) noexcept override {
    if (closed_) closed_->Add(name());
    done(Status(close_answer));
  }

 private:
  const std::vector<Ref<Store>> inner_;
  Closings* const closed_;
};

Ref<Outer> Wrap(std::vector<Ref<Store>> inner, Closings* closed = nullptr,
                std::string name = "wrapper") {
  return MakeRef<Outer>(std::move(inner), closed, std::move(name));
}

// A store at the bottom that notes its closing.
Ref<Outer> Leaf(Closings* closed, std::string name) { return Wrap({}, closed, std::move(name)); }

// ---- Defaults ----

Store::Keys ManyKeys(int count) {
  Store::Keys keys;
  for (int i = 0; i < count; ++i) keys.emplace_back(Key(std::to_string(i)));
  return keys;
}

Entries GetManyFrom(Store& store, Store::Keys keys, Wait wait = Wait::kHere) {
  Entries entries;
  Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
    store.GetMany(std::move(keys), CallOf(wait), std::move(done));
  });
  return entries;
}

TEST(StoreTest, GetManyIsAGetEachInTheOrderAsked) {
  auto leaf = ScriptedStore::New("leaf");
  auto store = Wrap({leaf});
  leaf->Plant("0", "zero");
  leaf->Plant("2", "two");
  const Entries entries = GetManyFrom(*store, ManyKeys(3));
  EXPECT_TRUE(entries.status.ok());
  ASSERT_EQ(entries.entries.size(), 3u);
  EXPECT_EQ(entries.entries[0].value->bytes(), "zero");
  EXPECT_EQ(entries.entries[1].status.code(), Code::kNotFound);
  EXPECT_EQ(entries.entries[1].key, "1");
  EXPECT_EQ(entries.entries[2].value->bytes(), "two");
}

TEST(StoreTest, GetManyOfVeryManyKeysNeedsNoDeepStack) {
  auto store = Wrap({ScriptedStore::New("leaf")});
  const Entries entries = GetManyFrom(*store, ManyKeys(50'000));
  EXPECT_EQ(entries.entries.size(), 50'000u);
}

TEST(StoreTest, GetManyThatMayNotWaitAnswersAllOrNothing) {
  auto leaf = ScriptedStore::New("leaf");
  auto store = Wrap({leaf});
  leaf->Plant("0", "zero");
  leaf->SetScript([](ScriptedStore::Op, const std::string& key, ScriptedStore::Go go) {
    go(key == "1" ? Code::kWouldBlock : Code::kOk);
  });
  const Entries entries = GetManyFrom(*store, ManyKeys(2), Wait::kLater);
  EXPECT_TRUE(entries.status.ok()) << "an answer per entry otherwise";
}

TEST(StoreTest, AWriteIsAPutOrADelEachAndOneThatFailsIsPartial) {
  auto leaf = ScriptedStore::New("leaf");
  auto store = Wrap({leaf});
  leaf->Plant("gone", "x");
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("a")), Value::Copy("1"), 0});
  batch->ops.push_back({OwnedKey(Key("gone")), nullptr, 0});
  EXPECT_TRUE(WriteInto(*store, batch).status.ok());
  EXPECT_EQ(leaf->Peek("a"), "1");
  EXPECT_FALSE(leaf->Has("gone"));
  leaf->Fail(ScriptedStore::Op::kDel, Code::kIo);
  const Entries entries = WriteInto(*store, batch);
  EXPECT_EQ(entries.status.code(), Code::kPartial);
  EXPECT_TRUE(entries.entries[0].status.ok());
  EXPECT_EQ(entries.entries[1].status.code(), Code::kIo);
}

TEST(StoreTest, WhatAStoreCannotDoItSaysSo) {
  auto store = Leaf(nullptr, "leaf");
  EXPECT_EQ(ScanPage(*store, Range()).status.ToString(),
            "CS_UNSUPPORTED: leaf: scan: this store cannot scan");
  EXPECT_EQ(store->Set("a", "b").code(), Code::kInvalid);
  uint64_t used;
  EXPECT_FALSE(store->UsedBytes(&used));
  EXPECT_EQ(store->EntryCost(3, 4), 7u);
  EXPECT_TRUE(FlushStore(*store).ok());
}

// ---- Closing ----

TEST(StoreTest, AClosedStoreAnswersClosedAndClosesOnce) {
  Closings closed;
  auto store = Wrap({ScriptedStore::New("leaf")}, &closed);
  EXPECT_FALSE(store->closed());
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_TRUE(store->closed());
  EXPECT_EQ(GetFrom(*store, "a").status.ToString(), "CS_CLOSED: wrapper: get: the store is closed");
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_THAT(closed.names(), SizeIs(1));
}

TEST(StoreTest, EveryCloserIsToldHowTheFirstCloseEnded) {
  auto store = Wrap({});
  store->close_answer = Failure(Code::kPartial, "something left");
  EXPECT_EQ(CloseStore(*store).code(), Code::kPartial);
  EXPECT_EQ(CloseStore(*store).code(), Code::kPartial);
}

TEST(StoreTest, ACloseWaitsForTheCallsThatAreUnderWay) {
  auto leaf = ScriptedStore::New("leaf");
  Closings closed;
  auto store = Wrap({leaf}, &closed);
  ScriptedStore::Go go;
  leaf->SetScript([&](ScriptedStore::Op, const std::string&, ScriptedStore::Go given) {
    go = std::move(given);
  });
  bool answered = false;
  store->Get(Key("a"), Read::Whole(), CallOf(Wait::kLater), [&](Answer&&) { answered = true; });
  Event done, also_done;
  store->Close(CallOf(Wait::kLater), [&](Status&&) { done.Set(); });
  store->Close(CallOf(Wait::kLater), [&](Status&&) { also_done.Set(); });
  EXPECT_THAT(closed.names(), IsEmpty());
  EXPECT_FALSE(done.IsSet());
  go(Code::kOk);
  done.Wait();
  also_done.Wait();
  EXPECT_TRUE(answered);
  EXPECT_THAT(closed.names(), SizeIs(1));
}

TEST(StoreTest, ClosesFromTheTopDownAndOnlyWhatNoOtherOpenStoreWraps) {
  Closings closed;
  auto shared = Leaf(&closed, "shared");
  auto own = Leaf(&closed, "own");
  auto first = Wrap({own, shared}, &closed, "first");
  auto second = Wrap({shared}, &closed, "second");
  EXPECT_TRUE(CloseStore(*first).ok());
  EXPECT_THAT(closed.names(), ElementsAre("first", "own"));
  EXPECT_FALSE(shared->closed());
  EXPECT_TRUE(CloseStore(*second).ok());
  EXPECT_THAT(closed.names(), ElementsAre("first", "own", "second", "shared"));
}

TEST(StoreTest, TellsTheFirstFailureOfAClose) {
  auto good = Wrap({}, nullptr, "good");
  auto bad = Wrap({}, nullptr, "bad");
  bad->close_answer = Failure(Code::kIo, "one");
  auto worse = Wrap({}, nullptr, "worse");
  worse->close_answer = Failure(Code::kCorrupt, "two");
  auto store = Wrap({good, bad, worse});
  EXPECT_EQ(CloseStore(*store).code(), Code::kIo);
  EXPECT_TRUE(worse->closed()) << "the others are closed all the same";
}

TEST(StoreTest, AStoreThatIsLetGoIsClosedByAWorkerAndLeavesItsInnerStoresOpen) {
  Closings closed;
  auto leaf = Leaf(&closed, "leaf");
  auto store = Wrap({leaf}, &closed);
  store = nullptr;
  closed.Await(1);
  EXPECT_THAT(closed.names(), ElementsAre("wrapper"));
  EXPECT_FALSE(leaf->closed());
  EXPECT_TRUE(CloseStore(*leaf).ok());
  EXPECT_THAT(closed.names(), ElementsAre("wrapper", "leaf"));
}

// ---- Reports ----

void CountReport(void* count, const Error*) { ++*static_cast<std::atomic<int>*>(count); }

TEST(StoreTest, AReportReachesTheStoreAndEachThatWrapsItOnce) {
  std::vector<Ref<Store>> all;
  all.push_back(Wrap({}));        // 0: reports
  all.push_back(Wrap({all[0]}));  // 1 and 2 wrap it
  all.push_back(Wrap({all[0]}));
  all.push_back(Wrap({all[1], all[2]}));  // 3 is reached on two ways
  auto beside = Wrap({});
  std::atomic<int> heard[5] = {};
  for (size_t at = 0; at < 4; ++at) {
    all[at]->error_sink().Set(&CountReport, &heard[at], nullptr);
  }
  beside->error_sink().Set(&CountReport, &heard[4], nullptr);
  all[0]->Report(Failure(Code::kIo, "x"));
  // Deliveries are posted to the fast lane: when all threads are gone they have been made.
  beside = nullptr;
  for (Ref<Store>& store : all) EXPECT_TRUE(CloseStore(*store).ok());
  all.clear();
  ASSERT_TRUE(RuntimeSlot::Default().WaitGone(Clock::System().DeadlineAfterMs(60'000)));
  for (size_t at = 0; at < 4; ++at) EXPECT_EQ(heard[at], 1) << at;
  EXPECT_EQ(heard[4], 0);
}

TEST(StoreTest, KeepsTheOrderDomainThatCameFirst) {
  auto store = Wrap({});
  EXPECT_FALSE(store->order_domain());
  const auto first = MakeRef<OrderDomain>(store->runtime_ref());
  const auto second = MakeRef<OrderDomain>(store->runtime_ref());
  EXPECT_EQ(store->AttachOrderDomain(first).get(), first.get());
  EXPECT_EQ(store->AttachOrderDomain(second).get(), first.get());
  EXPECT_EQ(store->order_domain().get(), first.get());
}

}  // namespace
}  // namespace chainstore
