// The real runtime, real threads, the real memory store below.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "core/await.h"
#include "managers/write_behind/write_behind.h"
#include "stores/memory/memory_store.h"

namespace chainstore::behind {
namespace {

// Forwards to another store, and fails every n-th write for sure.
class Flaky final : public Store {
 public:
  Flaky(Ref<Store> inner, uint64_t every)
      : Store("flaky", inner->runtime_ref()), inner_(std::move(inner)), every_(every) {
    Adopt(*inner_);
  }
  uint32_t caps() const noexcept override { return inner_->caps(); }
  Limits limits() const noexcept override { return inner_->limits(); }
  Store* inner(size_t index) const noexcept override { return index == 0 ? inner_.get() : nullptr; }
  void Get(const Key& key, const Read& read, const Call& call,
           Done<Answer> done) noexcept override {
    inner_->Get(key, read, call, std::move(done));
  }
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    if (++count_ % every_ == 0) return done(Receipt(Busy()));
    // On another thread: nothing here may rely on an answer that comes inline.
    runtime().Post(Lane::kFast, [self = Ref<Flaky>(this), key = OwnedKey(key),
                                 value = payload.Share(), call, done = std::move(done)]() mutable {
      self->inner_->Put(key, Payload(std::move(value)), call, std::move(done));
    });
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    if (++count_ % every_ == 0) return done(Receipt(Busy()));
    inner_->Del(key, call, std::move(done));
  }
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
    inner_->Scan(range, call, std::move(done));
  }

 private:
  Status Busy() const { return Fail(Code::kBusy, "put", "as the test wants it"); }
  const Ref<Store> inner_;
  const uint64_t every_;
  std::atomic<uint64_t> count_{0};
};

Ref<Store> Memory() {
  Result<Ref<Store>> made = NewMemoryStore(uint64_t{64} << 20, nullptr);
  EXPECT_TRUE(made.ok());
  return *made;
}

Ref<Store> Behind(Ref<Store> inner, std::map<std::string, std::string, std::less<>> values) {
  Options options;
  options.values = std::move(values);
  Result<Ref<Store>> made = NewWriteBehind(std::move(inner), &options);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return *made;
}

Code PutHere(Store& store, const std::string& key, const std::string& value, Call call = {}) {
  Code code = Code::kInternal;
  store.Put(Key(key), Payload(Bytes(value)), call,
            [&](Receipt&& receipt) { code = receipt.status.code(); });
  return code;
}

std::string GetHere(Store& store, const std::string& key) {
  std::string out;
  store.Get(Key(key), Read::Whole(), {}, [&](Answer&& answer) {
    out = answer.status.ok() ? std::string(answer.value->bytes()) : CodeName(answer.status.code());
  });
  return out;
}

Status CloseHere(Store& store, Call call = {}) {
  Status status(Code::kInternal);
  EXPECT_EQ(
      Await<Status>({}, &status, [&](Done<Status> done) { store.Close(call, std::move(done)); }),
      Code::kOk);
  return status;
}

// What one of the threads does: everything, on keys of its own, which it knows, and shared ones.
void MixOperations(Store& store, int t) {
  std::mt19937 random(static_cast<unsigned>(t));
  const std::string own = "own" + std::to_string(t) + "/";
  std::vector<std::string> mine(8, "CS_NOT_FOUND");
  for (int i = 0; i < 600; ++i) {
    const size_t slot = random() % 8;
    const std::string key = own + std::to_string(slot);
    const std::string shared = "shared" + std::to_string(random() % 8);
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        mine[slot] = std::to_string(i);
        ASSERT_EQ(PutHere(store, key, mine[slot]), Code::kOk);
        break;
      case 3:
        mine[slot] = "CS_NOT_FOUND";
        store.Del(Key(key), {}, [](Receipt&& receipt) { ASSERT_TRUE(receipt.status.ok()); });
        break;
      case 4: {
        Call call;
        call.flags = random() % 2 ? uint32_t{Call::kIfAbsent} : 0u;
        call.ack = random() % 8 == 0 ? Ack::kDelivered : Ack::kDefault;
        PutHere(store, shared, "s", call);
        break;
      }
      case 5: {
        Range range;
        range.prefix = own;
        store.Scan(range, {}, [&](Page&& page) {
          size_t live = 0;
          for (const std::string& value : mine) live += value != "CS_NOT_FOUND";
          ASSERT_EQ(page.entries.size(), live);
        });
        break;
      }
      case 6:
        if (random() % 16 == 0) {
          store.Flush(own, {}, [](Status&& status) { ASSERT_TRUE(status.ok()); });
        }
        break;
      default:
        store.Del(Key(shared), {}, [](Receipt&&) {});
    }
    ASSERT_EQ(GetHere(store, key), mine[slot]);
  }
  for (size_t slot = 0; slot < mine.size(); ++slot) {
    if (mine[slot] != "CS_NOT_FOUND") PutHere(store, own + std::to_string(slot), "last");
  }
}

TEST(WriteBehindThreadsTest, EightThreadsReadWhatTheyWroteAndNothingIsLost) {
  Ref<Store> memory = Memory();
  Ref<Store> store = Behind(
      MakeRef<Flaky>(memory, 97),
      {{"max_entries", "50"}, {"retry_min", "1ms"}, {"retry_max", "2ms"}, {"settle", "1ms"}});
  memory->AddRef();  // closed with the store: kept to look at what it was given
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&store, t] { MixOperations(*store, t); });
  }
  for (std::thread& thread : threads) thread.join();
  Status flushed(Code::kInternal);
  store->Flush("", {}, [&](Status&& status) { flushed = std::move(status); });
  EXPECT_TRUE(flushed.ok());
  const Counters counters = static_cast<WriteBehind&>(*store).counters();
  EXPECT_EQ(counters.undelivered, 0u);
  EXPECT_GT(counters.failed_attempts, 0u);
  for (int t = 0; t < 8; ++t) {
    for (int slot = 0; slot < 8; ++slot) {
      const std::string key = "own" + std::to_string(t) + "/" + std::to_string(slot);
      EXPECT_EQ(GetHere(*memory, key), GetHere(*store, key));
    }
  }
  EXPECT_TRUE(CloseHere(*store).ok());
  EXPECT_EQ(GetHere(*memory, "own0/0"), "CS_CLOSED");
  memory->Unref();
}

TEST(WriteBehindThreadsTest, ABlockedCallerIsReleasedByRoomByItsTimeAndByItsToken) {
  // Below is a store that takes nothing for now.
  Ref<Store> memory = Memory();
  Ref<Store> store = Behind(MakeRef<Flaky>(memory, 1), {{"max_entries", "1"}});
  ASSERT_EQ(PutHere(*store, "a", "1"), Code::kOk);
  Call limited;
  limited.deadline_ns = Clock::System().DeadlineAfterMs(5);
  EXPECT_EQ(PutHere(*store, "b", "1", limited), Code::kTimeout);
  Call cancelled;
  cancelled.cancel = MakeRef<CancelToken>();
  std::thread firing([&] {
    while (static_cast<WriteBehind&>(*store).counters().waiting_for_room == 0) {
      std::this_thread::yield();
    }
    cancelled.cancel->Fire();
  });
  EXPECT_EQ(PutHere(*store, "b", "1", cancelled), Code::kCancelled);
  firing.join();
  Call brief;
  brief.deadline_ns = Clock::System().DeadlineAfterMs(5);
  EXPECT_EQ(CloseHere(*store, brief).code(), Code::kPartial);
}

TEST(WriteBehindThreadsTest, ACloseBesideWritesLosesNothingThatWasAcknowledged) {
  for (int round = 0; round < 20; ++round) {
    Ref<Store> memory = Memory();
    // Keeps the memory store open when the write-behind closes.
    Ref<Store> beside = MakeRef<Flaky>(memory, UINT64_MAX);
    Ref<Store> store = Behind(memory, {{"max_entries", "20"}});
    std::vector<std::thread> threads;
    std::vector<int> acknowledged(4, 0);
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 1; i <= 10'000; ++i) {
          if (PutHere(*store, "k" + std::to_string(t), std::to_string(i)) != Code::kOk) return;
          acknowledged[t] = i;
        }
      });
    }
    std::this_thread::yield();
    EXPECT_TRUE(CloseHere(*store).ok());
    for (std::thread& thread : threads) thread.join();
    for (size_t t = 0; t < 4; ++t) {
      if (acknowledged[t] == 0) continue;
      EXPECT_EQ(GetHere(*beside, "k" + std::to_string(t)), std::to_string(acknowledged[t]));
    }
    EXPECT_TRUE(CloseHere(*beside).ok());
  }
}

TEST(WriteBehindThreadsTest, NothingIsLeftAfterTheLastUser) {
  auto slot = MakeRef<RuntimeSlot>(RuntimeSettings{});
  for (int round = 0; round < 30; ++round) {
    Options options;
    options.runtime = slot;
    Result<Ref<Store>> memory = NewMemoryStore(uint64_t{1} << 20, &options);
    ASSERT_TRUE(memory.ok());
    Result<Ref<Store>> store = NewWriteBehind(*memory, &options);
    ASSERT_TRUE(store.ok());
    memory = Failure(Code::kClosed, "let go");
    for (int i = 0; i < 10; ++i) PutHere(**store, "k" + std::to_string(i), "v");
    if (round % 2) {
      EXPECT_TRUE(CloseHere(**store).ok());
    }
    store = Failure(Code::kClosed, "let go");
    EXPECT_TRUE(slot->WaitGone(Clock::System().DeadlineAfterMs(30'000)));
  }
}

}  // namespace
}  // namespace chainstore::behind
