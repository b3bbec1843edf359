// Random runs against the promises, in the simulation: an inner store that delays, refuses, fails
// without a clear answer, and lets such operations take effect late. One seed is one run.
#include <gtest/gtest.h>

#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

class ModelTest : public SimTest {
 protected:
  // All writes of a key, in the order in which they were started; the index is the version. Values
  // name their version; a delete is a null.
  struct History {
    std::vector<bool> is_put = {false};  // version 0: nothing was ever there
    size_t applied = 0;                  // newest version that took effect below
  };

  struct Started {
    std::string key, value;  // an empty value deletes
    bool if_absent;
    Ending ending;
  };

  // What each key must hold if exactly the writes that said OK happened, in order.
  static void ReplayWrites(const std::vector<Started>& started, Overflow overflow,
                           std::map<std::string, std::string>* expected) {
    for (const Started& write : started) {
      ASSERT_TRUE(*write.ending) << "a write of " << write.key << " never completed";
      const Code code = CodeOf(write.ending);
      const bool there = expected->contains(write.key);
      if (code == Code::kBusy) {
        ASSERT_EQ(overflow, Overflow::kFail);
        continue;
      }
      if (write.if_absent) {
        ASSERT_EQ(code, there ? Code::kExists : Code::kOk) << write.key << " " << write.value;
        if (there) continue;
      }
      ASSERT_EQ(code, Code::kOk);
      if (write.value.empty())
        expected->erase(write.key);
      else
        (*expected)[write.key] = write.value;
    }
  }

  uint64_t Chance(uint64_t below) { return random() % below; }

  void Effect(const Remote::Sent& sent) {
    History& history = histories[sent.key];
    size_t version;
    if (sent.value) {
      version = std::stoul(std::string(sent.value->bytes()));
    } else {
      // Deletes look alike: the oldest one that keeps the order.
      version = history.applied;
      while (version < history.is_put.size() && history.is_put[version]) ++version;
      ASSERT_LT(version, history.is_put.size()) << sent.key << ": a delete that nobody asked for";
    }
    ASSERT_GE(version, history.applied) << sent.key << ": an older write landed over a newer one";
    history.applied = version;
    remote->Apply(sent);
  }

  // The inner store's behaviour: what a request does, when, and what it answers.
  void Behave() {
    remote->answer = [this](const Remote::Sent& sent, Status*) {
      EXPECT_TRUE(flying.insert(sent.key).second) << "two operations of " << sent.key << " at once";
      return Remote::Verdict::kHold;
    };
  }
  void AnswerSome() {
    while (!remote->held.empty() && Chance(3) != 0) {
      auto at = remote->held.begin();
      std::advance(at, static_cast<ptrdiff_t>(Chance(remote->held.size())));
      remote->held.splice(remote->held.begin(), remote->held, at);
      const Remote::Sent& sent = remote->held.front();
      flying.erase(sent.key);
      const uint64_t fate = calm ? 0 : Chance(10);
      if (sent.call.Has(Call::kIfAbsent) && remote->data.contains(sent.key)) {
        remote->Fail1(Status(Code::kExists));
      } else if (fate < 5) {
        Effect(sent);
        remote->Fail1(Status());
      } else if (fate < 6) {
        remote->Fail1(Failed(Code::kBusy));
      } else {
        // Ambiguous: it took effect, or will within the time of settling, or never does.
        if (fate == 6) Effect(sent);
        if (fate == 7 || fate == 8) {
          auto late = std::make_shared<Remote::Sent>(
              Remote::Sent{sent.key, sent.value, sent.expires_at_ms, {}, {}});
          const int64_t when =
              clock->In(static_cast<int64_t>(Chance(static_cast<uint64_t>(settings.settle_ms))));
          clock->timers.emplace(std::make_pair(when, clock->next_timer++),
                                [this, late] { Effect(*late); });
        }
        remote->Fail1(Failed(Chance(2) ? Code::kTimeout : Code::kIo));
      }
    }
  }

  std::string Expected(const std::string& key) {
    const History& history = histories[key];
    const size_t newest = history.is_put.size() - 1;
    return history.is_put[newest] ? std::to_string(newest) : "(none)";
  }

  void Drain() {
    calm = true;
    for (int i = 0; i < 10'000 && store->counters().keys_known != 0; ++i) {
      clock->RunAll();
      AnswerSome();
      clock->Advance(500);
    }
    ASSERT_EQ(store->counters().keys_known, 0u);
    clock->RunAll();
    EXPECT_EQ(store->counters().bytes, 0u);
    EXPECT_EQ(store->counters().entries, 0u);
  }

  std::mt19937 random;
  std::map<std::string, History> histories;
  std::set<std::string> flying;
  bool calm = false;
};

// Puts and deletes that are acknowledged at once: every read afterwards is the newest write.
TEST_F(ModelTest, ReadsSeeTheNewestWriteAndTheInnerStoreEndsAtIt) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random.seed(seed);
    clock = std::make_shared<SimClock>(seed);
    remote = MakeRef<Remote>(clock);
    histories.clear();
    flying.clear();
    calm = false;
    settings.concurrency = 1 + static_cast<uint32_t>(Chance(3));
    settings.settle_ms = 1 + static_cast<int64_t>(Chance(2000));
    settings.retry_max_ms = 500;
    Open();
    Behave();
    const uint64_t keys = 1 + Chance(3);
    for (int step = 0; step < 400; ++step) {
      const std::string key = "k" + std::to_string(Chance(keys));
      switch (Chance(6)) {
        case 0:
        case 1: {
          History& history = histories[key];
          const std::string value = std::to_string(history.is_put.size());
          history.is_put.push_back(true);
          ASSERT_EQ(CodeOf(Put(key, value)), Code::kOk);
          break;
        }
        case 2:
          histories[key].is_put.push_back(false);
          ASSERT_EQ(CodeOf(Del(key)), Code::kOk);
          break;
        case 3:
          clock->RunAll();
          break;
        case 4:
          AnswerSome();
          break;
        default:
          clock->Advance(static_cast<int64_t>(Chance(300)));
      }
      ASSERT_EQ(Read1(key), Expected(key)) << key << " at step " << step;
      if (HasFatalFailure()) return;
    }
    Drain();
    for (const auto& [key, history] : histories) {
      ASSERT_EQ(remote->ValueOf(key), Expected(key)) << key;
      ASSERT_EQ(Read1(key), Expected(key)) << key;
    }
    Close();
    if (HasFailure()) return;
  }
}

// All kinds of writes and acks, in a queue that is too small, with every way to overflow. Started
// in one order, they take effect in that order; each completes once.
TEST_F(ModelTest, EveryKindOfWriteKeepsItsKeysOrder) {
  for (unsigned seed = 1; seed <= 240; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random.seed(seed);
    clock = std::make_shared<SimClock>(seed);
    remote = MakeRef<Remote>(clock);
    histories.clear();
    flying.clear();
    calm = true;  // delays only: a failed write through has no place in an order
    settings.concurrency = 1 + static_cast<uint32_t>(Chance(3));
    settings.overflow = static_cast<Overflow>(seed % 3);
    settings.max_entries = 1 + Chance(3);
    settings.settle_ms = 100;
    Open();
    Behave();
    std::vector<Started> started;
    for (int step = 0; step < 200; ++step) {
      switch (Chance(4)) {
        case 0:
        case 1: {
          Started write;
          write.key = "k" + std::to_string(Chance(4));
          if (Chance(3) != 0) {
            History& history = histories[write.key];
            write.value = std::to_string(history.is_put.size());
            history.is_put.push_back(true);
          } else {
            histories[write.key].is_put.push_back(false);
          }
          write.if_absent = !write.value.empty() && Chance(4) == 0;
          const Call call = Later(Chance(3) == 0 ? Ack::kDelivered : Ack::kDefault,
                                  write.if_absent ? uint32_t{Call::kIfAbsent} : 0u);
          write.ending =
              write.value.empty() ? Del(write.key, call) : Put(write.key, write.value, call);
          started.push_back(std::move(write));
          break;
        }
        case 2:
          clock->RunAll();
          break;
        default:
          AnswerSome();
      }
      if (HasFatalFailure()) return;
    }
    Drain();
    std::map<std::string, std::string> expected;
    ASSERT_NO_FATAL_FAILURE(ReplayWrites(started, settings.overflow, &expected));
    for (const auto& [key, history] : histories) {
      const auto found = expected.find(key);
      ASSERT_EQ(remote->ValueOf(key), found == expected.end() ? "(none)" : found->second) << key;
    }
    Close();
    if (HasFailure()) return;
  }
}

// A flush that says OK has seen everything delivered that was acknowledged before it.
TEST_F(ModelTest, AFlushThatSaysOkIsTrue) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random.seed(seed);
    clock = std::make_shared<SimClock>(seed);
    remote = MakeRef<Remote>(clock);
    histories.clear();
    flying.clear();
    calm = false;
    settings.settle_ms = 200;
    settings.retry_max_ms = 200;
    Open();
    Behave();
    struct Flushing {
      std::string key;
      size_t version;
      std::shared_ptr<Status> ending;
    };
    std::vector<Flushing> flushes;
    size_t ended = 0;
    for (int step = 0; step < 400; ++step) {
      const std::string key = "k" + std::to_string(Chance(3));
      History& history = histories[key];
      switch (Chance(5)) {
        case 0: {
          const std::string value = std::to_string(history.is_put.size());
          history.is_put.push_back(true);
          Put(key, value);
          break;
        }
        case 1:
          flushes.push_back({key, history.is_put.size() - 1, Flush(key)});
          break;
        case 2:
          AnswerSome();
          break;
        default:
          clock->Advance(static_cast<int64_t>(Chance(300)));
      }
      std::erase_if(flushes, [&](const Flushing& flush) {
        if (flush.ending->Is(Code::kWouldBlock)) return false;
        EXPECT_TRUE(flush.ending->ok());
        EXPECT_GE(histories[flush.key].applied, flush.version);
        ++ended;
        return true;
      });
    }
    Drain();
    for (const Flushing& flush : flushes) EXPECT_TRUE(flush.ending->ok()) << "never ended";
    EXPECT_GT(ended, 0u);
    Close();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace chainstore::behind
