#include "core/blocking_store.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <vector>

#include "support/event.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

// A map behind the ...Here functions, each of which can be held up.
class MapStore final : public BlockingStore {
 public:
  explicit MapStore(Ref<Runtime> runtime) : BlockingStore("map", std::move(runtime)) {}
  uint32_t caps() const noexcept override { return 0; }
  Limits limits() const noexcept override { return {}; }

  std::function<void(const std::string& operation)> before = [](const std::string&) {};
  std::atomic<bool> closed_here{false};
  std::vector<std::string> Log() const {
    MutexLock lock(mutex_);
    return log_;
  }

 protected:
  Answer GetHere(const Key& key, const Read&, const Call&) noexcept override {
    before("get");
    MutexLock lock(mutex_);
    const auto found = map_.find(std::string(key.bytes));
    if (found == map_.end()) return Code::kNotFound;
    Answer answer;
    answer.value = Value::Copy(found->second);
    return answer;
  }
  Receipt PutHere(const Key& key, const Payload& payload, const Call&) noexcept override {
    before("put");
    MutexLock lock(mutex_);
    map_[std::string(key.bytes)] = payload.bytes();
    log_.push_back(std::string(key.bytes) + "=" + std::string(payload.bytes()));
    return Receipt();
  }
  Receipt DelHere(const Key& key, const Call&) noexcept override {
    before("del");
    MutexLock lock(mutex_);
    map_.erase(std::string(key.bytes));
    log_.push_back(std::string(key.bytes) + "-");
    return Receipt();
  }
  Status CloseHere(const Call&) noexcept override {
    closed_here = true;
    EXPECT_TRUE(Runtime::OnLibraryThread());
    return Code::kOk;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::string> map_ CS_GUARDED_BY(mutex_);
  std::vector<std::string> log_ CS_GUARDED_BY(mutex_);
};

class BlockingStoreTest : public ::testing::Test {
 protected:
  const Ref<RuntimeSlot> slot_ = MakeRef<RuntimeSlot>(RuntimeSettings{});
  const Ref<MapStore> store_ = MakeRef<MapStore>(slot_->Acquire());
};

Ref<Batch> MakeBatch(const std::vector<std::pair<std::string, const char*>>& ops) {
  auto batch = MakeRef<Batch>();
  for (const auto& [key, value] : ops) {
    batch->ops.push_back({OwnedKey(Key(key)), value ? Value::Copy(value) : nullptr, 0});
  }
  return batch;
}

TEST_F(BlockingStoreTest, WorksWhereTheCallSays) {
  const auto caller = std::this_thread::get_id();
  std::thread::id worked;
  bool library = false;
  store_->before = [&](const std::string&) {
    worked = std::this_thread::get_id();
    library = Runtime::OnLibraryThread();
  };
  EXPECT_EQ(Put(*store_, "a", "1"), Code::kOk);
  EXPECT_EQ(worked, caller);
  EXPECT_EQ(TextOf(GetFrom(*store_, "a", 0, Wait::kLater)), "1");
  EXPECT_NE(worked, caller);
  EXPECT_TRUE(library);
  worked = {};
  EXPECT_EQ(GetFrom(*store_, "a", 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_EQ(PutInto(*store_, "a", "2", 0, Wait::kNever).status.code(), Code::kWouldBlock);
  EXPECT_EQ(worked, std::thread::id()) << "the engine was not asked";
}

TEST_F(BlockingStoreTest, KeepsWhatALaterPutBorrowed) {
  Event go, done;
  store_->before = [&](const std::string&) { go.Wait(); };
  {
    std::string key = "key", value = "value";
    store_->Put(Key(key), Payload(Bytes(value)), CallOf(Wait::kLater), [&](Receipt&& receipt) {
      EXPECT_TRUE(receipt.status.ok());
      done.Set();
    });
    key = "xxx";
    value = "yyyyy";
  }
  go.Set();
  done.Wait();
  EXPECT_EQ(GetText(*store_, "key"), "value");
}

TEST_F(BlockingStoreTest, WritesOfOneKeyTakeEffectInTheOrderInWhichTheyWereStarted) {
  constexpr int kWrites = 200;
  std::atomic<int> left{kWrites};
  Event all;
  std::vector<std::string> expected;
  for (int i = 0; i < kWrites; ++i) {
    const auto done = [&](Receipt&&) {
      if (--left == 0) all.Set();
    };
    if (i % 5 == 4) {
      store_->Del(Key("k"), CallOf(Wait::kLater), done);
      expected.push_back("k-");
    } else {
      store_->Put(Key("k"), Payload(Bytes(std::to_string(i))), CallOf(Wait::kLater), done);
      expected.push_back("k=" + std::to_string(i));
    }
  }
  all.Wait();
  EXPECT_EQ(store_->Log(), expected);
}

TEST_F(BlockingStoreTest, ABatchWaitsForTheWritesOfItsKeysAndTheyForIt) {
  Event in, go, all;
  std::atomic<int> left{3};
  const auto count = [&] {
    if (--left == 0) all.Set();
  };
  store_->before = [&](const std::string&) {
    in.Set();
    go.Wait();
  };
  store_->Put(Key("b"), Payload(Bytes("first")), CallOf(Wait::kLater), [&](Receipt&&) { count(); });
  in.Wait();
  store_->Write(MakeBatch({{"a", "batch"}, {"b", "batch"}, {"b", nullptr}, {"b", "last"}}),
                CallOf(Wait::kLater), [&](Entries&& entries) {
                  EXPECT_TRUE(entries.status.ok());
                  count();
                });
  store_->Put(Key("b"), Payload(Bytes("later")), CallOf(Wait::kLater), [&](Receipt&&) { count(); });
  go.Set();
  all.Wait();
  EXPECT_EQ(store_->Log(),
            (std::vector<std::string>{"b=first", "a=batch", "b=batch", "b-", "b=last", "b=later"}));
}

TEST_F(BlockingStoreTest, BatchesThatShareKeysInAnyOrderDoNotWaitForEachOther) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 100; ++i) {
        const Wait wait = i % 2 ? Wait::kHere : Wait::kLater;
        auto batch = thread % 2 ? MakeBatch({{"a", "1"}, {"b", "2"}, {"c", "3"}})
                                : MakeBatch({{"c", "4"}, {"b", "5"}, {"a", "6"}});
        Entries entries;
        Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
          store_->Write(batch, CallOf(wait), std::move(done));
        });
        EXPECT_TRUE(entries.status.ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(BlockingStoreTest, GetManyAnswersEachKeyAndHeedsTheLimitBetween) {
  ASSERT_EQ(Put(*store_, "a", "1"), Code::kOk);
  Call call;
  call.cancel = MakeRef<CancelToken>();
  int gets = 0;
  store_->before = [&](const std::string&) {
    if (++gets == 2) call.cancel->Fire();
  };
  Store::Keys keys;
  for (const char* key : {"a", "b", "a"}) keys.emplace_back(Key(key));
  Entries entries;
  store_->GetMany(std::move(keys), call, [&](Entries&& answer) { entries = std::move(answer); });
  ASSERT_EQ(entries.entries.size(), 3u);
  EXPECT_EQ(entries.entries[0].value->bytes(), "1");
  EXPECT_EQ(entries.entries[1].status.code(), Code::kNotFound);
  EXPECT_EQ(entries.entries[2].status.code(), Code::kCancelled);
  EXPECT_EQ(entries.status.code(), Code::kPartial);
}

TEST_F(BlockingStoreTest, AnEndedCallDoesNotReachTheEngine) {
  store_->before = [](const std::string&) { ADD_FAILURE(); };
  Call call;
  call.deadline_ns = 1;
  Receipt receipt;
  store_->Put(Key("a"), Payload(Bytes("1")), call, [&](Receipt&& r) { receipt = std::move(r); });
  EXPECT_EQ(receipt.status.ToString(), "CS_TIMEOUT: map: put: the call's time is up");
}

TEST_F(BlockingStoreTest, ClosesOnAWorkerAfterTheLastCall) {
  Event in, go, got, closed;
  store_->before = [&](const std::string&) {
    in.Set();
    go.Wait();
  };
  store_->Get(Key("a"), Read::Whole(), CallOf(Wait::kLater), [&](Answer&& answer) {
    EXPECT_EQ(answer.status.code(), Code::kNotFound);
    EXPECT_FALSE(store_->closed_here);
    got.Set();
  });
  in.Wait();
  store_->Close(CallOf(Wait::kLater), [&](Status&&) { closed.Set(); });
  EXPECT_EQ(GetFrom(*store_, "a").status.code(), Code::kClosed);
  EXPECT_FALSE(store_->closed_here);
  go.Set();
  got.Wait();
  closed.Wait();
  EXPECT_TRUE(store_->closed_here);
  EXPECT_EQ(Put(*store_, "a", "1"), Code::kClosed);
}

}  // namespace
}  // namespace chainstore
