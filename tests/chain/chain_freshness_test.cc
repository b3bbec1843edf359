// Freshness: the fence, single flight, and a random run that checks what the model promises.
#include <atomic>
#include <random>
#include <thread>

#include "chain/chain_fixture.h"

namespace chainstore {
namespace {

// A store whose gets are held until the test lets them go.
struct Held {
  Mutex mutex;
  CondVar changed;
  std::vector<ScriptedStore::Go> gets CS_GUARDED_BY(mutex);

  ScriptedStore::Script Script() {
    return [this](ScriptedStore::Op op, const std::string&, ScriptedStore::Go go) {
      if (op != ScriptedStore::Op::kGet) return go(Code::kOk);
      MutexLock lock(mutex);
      gets.push_back(std::move(go));
      changed.NotifyAll();
    };
  }
  // Waits until `count` gets have arrived.
  void Arrived(size_t count) {
    MutexLock lock(mutex);
    while (gets.size() < count) changed.Wait(mutex);
  }
  ScriptedStore::Go Take(size_t at) {
    MutexLock lock(mutex);
    return gets[at];
  }
  size_t Count() {
    MutexLock lock(mutex);
    return gets.size();
  }
};

struct Pending {
  Event done;
  Answer answer;
};

void StartGet(Store& store, Bytes key, Pending* pending, const Call& call = CallOf(Wait::kLater)) {
  store.Get(Key(key), Read::Whole(), call, [pending](Answer&& answer) {
    pending->answer = std::move(answer);
    pending->done.Set();
  });
}

// The lowest store answers the old value, but the get comes back only after a write.
TEST_F(ChainTest, AFillThatAWriteOvertookIsDropped) {
  for (const bool deletes : {false, true}) {
    auto top = ScriptedStore::New("top");
    auto low = ScriptedStore::New("low");
    auto chain = Make({top, low});
    low->Plant("k", "old");
    Pending pending;
    Held held;
    low->SetScript(held.Script());
    StartGet(*chain, "k", &pending);
    held.Arrived(1);
    low->SetScript(nullptr);
    EXPECT_EQ(deletes ? Del(*chain, "k") : Put(*chain, "k", "new"), Code::kOk);
    top->Evict("k");
    low->Plant("k", "old");  // what the trip had read before the write
    held.Take(0)(Code::kOk);
    pending.done.Wait();
    EXPECT_EQ(TextOf(pending.answer), "old") << "it began before the write: either is right";
    EXPECT_FALSE(top->Has("k")) << "but nothing old is filled in";
  }
}

TEST_F(ChainTest, AFillIsDroppedWhileAWriteIsUnderWay) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  low->Plant("k", "old");
  Event writing;
  ScriptedStore::Go held_put;
  low->SetScript([&](Op op, const std::string&, ScriptedStore::Go go) {
    if (op != Op::kPut) return go(Code::kOk);
    held_put = go;
    writing.Set();
  });
  Event written;
  chain->Put(Key("k"), Payload(Bytes("new")), CallOf(Wait::kLater),
             [&](Receipt&&) { written.Set(); });
  writing.Wait();
  EXPECT_EQ(GetText(*chain, "k"), "old");
  EXPECT_FALSE(top->Has("k"));
  held_put(Code::kOk);
  written.Wait();
  EXPECT_EQ(GetText(*chain, "k"), "new");
}

TEST_F(ChainTest, MissesOfOneKeyShareOneTripOutOfTheProcess) {
  auto top = ScriptedStore::New("top", kMemory);
  auto far = ScriptedStore::New("far", kFar);
  auto chain = Make({top, far});
  far->Plant("k", "v");
  Held held;
  far->SetScript(held.Script());
  std::vector<Pending> pending(100);
  for (Pending& each : pending) StartGet(*chain, "k", &each);
  held.Arrived(1);
  EXPECT_EQ(far->Count(Op::kGet), 1u) << "a hundred misses, one trip";
  held.Take(0)(Code::kOk);
  for (Pending& each : pending) {
    each.done.Wait();
    EXPECT_EQ(TextOf(each.answer), "v");
    EXPECT_EQ(each.answer.tier, 2u);
  }
  EXPECT_EQ(far->Count(Op::kGet), 1u);
  EXPECT_EQ(top->Peek("k"), "v");
}

// Nothing shows when a thread that waits has joined: one that is slow makes a trip of its own. So
// it is tried with one key after the other until all of them were quick enough.
TEST_F(ChainTest, BlockingMissesShareATripThatIsUnderWay) {
  auto top = ScriptedStore::New("top", kMemory);
  auto far = ScriptedStore::New("far", kFar);
  auto chain = Make({top, far});
  constexpr size_t kThreads = 4;
  size_t trips = 0;
  for (int round = 0; round < 1000 && trips != 1; ++round) {
    const std::string key = "k" + std::to_string(round);
    far->Plant(key, "v");
    Held held;
    far->SetScript(held.Script());
    const size_t before = top->Count(Op::kGet);
    std::atomic<size_t> answered{0};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        EXPECT_EQ(GetText(*chain, key), "v");
        ++answered;
      });
    }
    held.Arrived(1);
    while (top->Count(Op::kGet) < before + kThreads) std::this_thread::yield();
    for (trips = 0; answered.load() < kThreads;) {
      if (held.Count() > trips) held.Take(trips++)(Code::kOk);
      std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(trips, kThreads);
    EXPECT_EQ(top->Peek(key), "v");
    far->SetScript(nullptr);
  }
  EXPECT_EQ(trips, 1u) << "never in all rounds did they share one";
}

TEST_F(ChainTest, AGetAfterAWriteDoesNotJoinATripFromBeforeIt) {
  auto top = ScriptedStore::New("top", kMemory);
  auto far = ScriptedStore::New("far", kFar);
  auto chain = Make({top, far});
  Held held;
  far->SetScript(held.Script());
  Pending before, after;
  StartGet(*chain, "k", &before);
  held.Arrived(1);
  EXPECT_EQ(Put(*chain, "k", "new"), Code::kOk);
  top->Evict("k");
  StartGet(*chain, "k", &after);
  held.Arrived(2);
  held.Take(1)(Code::kOk);
  after.done.Wait();
  EXPECT_EQ(TextOf(after.answer), "new");
  held.Take(0)(Code::kOk);
  before.done.Wait();
}

TEST_F(ChainTest, EachWaiterKeepsItsOwnDeadlineAndTheLastOneToLeaveCancelsTheTrip) {
  auto top = ScriptedStore::New("top", kMemory);
  auto far = ScriptedStore::New("far", kFar);
  auto chain = Make({top, far});
  Held held;
  far->SetScript(held.Script());
  auto token = MakeRef<CancelToken>();
  Call cancelled = CallOf(Wait::kLater);
  cancelled.cancel = token;
  Call brief = CallOf(Wait::kLater);
  brief.deadline_ns = Clock::System().DeadlineAfterMs(10);
  Pending first, second;
  StartGet(*chain, "k", &first, cancelled);
  StartGet(*chain, "k", &second, brief);
  second.done.Wait();
  EXPECT_EQ(second.answer.status.code(), Code::kTimeout);
  EXPECT_NE(second.answer.status.error(), nullptr) << "a failure always says what failed";
  EXPECT_FALSE(first.done.IsSet());
  token->Fire();
  first.done.Wait();
  EXPECT_EQ(first.answer.status.code(), Code::kCancelled);
  EXPECT_EQ(far->Count(Op::kGet), 1u);
  Pending third;
  StartGet(*chain, "k", &third);
  held.Arrived(2);  // nobody joins a trip that is being cancelled
  held.Take(0)(Code::kOk);
  held.Take(1)(Code::kOk);
  third.done.Wait();
}

// One writer a key, so that "older" is a comparison of numbers; readers, evictions, failures and
// delays at random. A get must return nothing older than what was acknowledged, or returned by
// another get, before it began (the model's property (a)).
TEST_F(ChainTest, NoGetReturnsAnythingOlderThanWasAcknowledgedOrReadBefore) {
  constexpr int kKeys = 4;
  constexpr int kWrites = 400;
  auto top = ScriptedStore::New("top", kMemory);
  auto middle = ScriptedStore::New("middle");
  auto far = ScriptedStore::New("far", kFar);
  auto chain = Make({top, middle, far}, With({{"writes", "through"}}));
  auto runtime = RuntimeSlot::Default().Acquire();
  std::atomic<uint32_t> dice{1};
  const auto roll = [&dice] {
    std::minstd_rand random(dice.fetch_add(7919));
    random.discard(3);
    return random() >> 8;
  };
  // Late answers, from the effect on: what was read, or written, is seen only a while after.
  for (const auto& store : {middle, far}) {
    const bool may_fail = store == middle;
    store->SetScript([&, may_fail](Op op, const std::string&, ScriptedStore::Go go) {
      const uint32_t random = roll();
      if (op != Op::kGet && may_fail && random % 16 == 0) return go(Code::kNoSpace);
      if (random % 4 == 0) return runtime->Post(Lane::kFast, [go] { go(Code::kOk); });
      if (random % 16 == 1) {
        runtime->At(Clock::System().SteadyNs() + 200'000, [go] { go(Code::kOk); });
        return;
      }
      go(Code::kOk);
    });
  }
  std::atomic<int> floor[kKeys] = {};
  std::atomic<bool> stop{false};
  std::atomic<int> stale{0};
  const auto raise = [&floor](int key, int version) {
    int seen = floor[key].load();
    while (seen < version && !floor[key].compare_exchange_weak(seen, version)) {
    }
  };
  std::vector<std::thread> threads;
  for (int key = 0; key < kKeys; ++key) {
    threads.emplace_back([&, key] {
      for (int version = 1; version <= kWrites; ++version) {
        ASSERT_EQ(Put(*chain, std::to_string(key), std::to_string(version)), Code::kOk);
        raise(key, version);
      }
    });
  }
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&, i] {
      std::minstd_rand random(static_cast<uint32_t>(i + 1));
      while (!stop.load()) {
        const int key = static_cast<int>(random() % kKeys);
        const int at_least = floor[key].load();
        const Answer answer = GetFrom(*chain, std::to_string(key));
        const int version = answer.status.ok() ? std::stoi(std::string(answer.value->bytes())) : 0;
        if (answer.status.failed() || version < at_least) ++stale;
        raise(key, version);
        if (random() % 8 == 0) top->Evict(std::to_string(random() % kKeys));
        if (random() % 8 == 0) middle->Evict(std::to_string(random() % kKeys));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  for (std::thread& thread : readers) thread.join();
  EXPECT_TRUE(CloseStore(*chain).ok());  // fills still use the script
  EXPECT_EQ(stale.load(), 0);
  for (int key = 0; key < kKeys; ++key) {
    EXPECT_EQ(far->Peek(std::to_string(key)), std::to_string(kWrites));
  }
}

}  // namespace
}  // namespace chainstore
