// How writes leave the queue: order, coalescing, retries, the breaker, parking, settling.
#include <gtest/gtest.h>

#include <set>

#include "core/one_attempt.h"
#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

class DeliveryTest : public SimTest {
 protected:
  std::vector<std::string> Log() const { return remote->log; }
};

using Lines = std::vector<std::string>;

TEST_F(DeliveryTest, SendsTheOldestFirst) {
  settings.concurrency = 1;
  Open();
  for (const char* key : {"c", "a", "b"}) Put(key, "1");
  Put("c", "2");  // keeps the place of the write that it replaces
  clock->RunAll();
  EXPECT_EQ(Log(), (Lines{"put c 2", "put a 1", "put b 1"}));
}

TEST_F(DeliveryTest, TheStoreBelowIsToSendOnce) {
  remote->hold = true;
  Open();
  Put("k", "1");
  Del("d");
  clock->RunAll();
  ASSERT_EQ(remote->held.size(), 2u);
  // The breaker counts what goes out: an attempt is one request.
  for (const Remote::Sent& sent : remote->held) EXPECT_TRUE(sent.call.flags & kOneAttempt);
  remote->hold = false;
  remote->Answer1();
  remote->Answer1();
}

TEST_F(DeliveryTest, AKeyThatWasSentGoesBehindOlderOnes) {
  settings.concurrency = 1;
  remote->hold = true;
  Open();
  Put("a", "1");
  clock->RunAll();
  Put("b", "1");
  Put("a", "2");
  Put("c", "1");
  remote->hold = false;
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(Log(), (Lines{"put a 1", "put b 1", "put a 2", "put c 1"}));
}

TEST_F(DeliveryTest, ManyWritesOfAKeyWhoseUploadHangsAreTwoUploads) {
  remote->hold = true;
  Open();
  for (int i = 0; i < 100; ++i) {
    Put("k", std::to_string(i));
    clock->RunAll();
  }
  EXPECT_EQ(Log(), (Lines{"put k 0"}));
  EXPECT_EQ(Read1("k"), "99");
  EXPECT_EQ(store->counters().coalesced, 98u);
  remote->hold = false;
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(Log(), (Lines{"put k 0", "put k 99"}));
  EXPECT_EQ(remote->ValueOf("k"), "99");
  EXPECT_EQ(store->counters().entries, 0u);
}

TEST_F(DeliveryTest, OneOperationOfAKeyIsUnderWayAndAsManyKeysAsAllowed) {
  settings.concurrency = 3;
  remote->hold = true;
  Open();
  for (int i = 0; i < 10; ++i) Put("k" + std::to_string(i % 5), std::to_string(i));
  clock->RunAll();
  EXPECT_EQ(remote->held.size(), 3u);
  EXPECT_EQ(store->counters().in_flight, 3u);
  std::set<std::string> keys;
  for (const Remote::Sent& sent : remote->held) EXPECT_TRUE(keys.insert(sent.key).second);
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->held.size(), 3u);
}

TEST_F(DeliveryTest, AReadWhileItsWriteIsUnderWaySeesTheNewest) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  Put("k", "2");
  EXPECT_EQ(Read1("k"), "2");
  Del("k");
  EXPECT_EQ(Read1("k"), "(none)");
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "1");
  EXPECT_EQ(Read1("k"), "(none)");
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(remote->data.empty());
  EXPECT_EQ(store->counters().keys_known, 0u);
}

// ---- ack=DELIVERED ----

TEST_F(DeliveryTest, ADeliveredAckWaitsForTheInnerStore) {
  remote->hold = true;
  Open();
  const Ending put = Put("k", "v", Later(Ack::kDelivered));
  clock->RunAll();
  EXPECT_FALSE(*put);
  remote->Answer1();
  clock->RunAll();
  ASSERT_TRUE(*put);
  EXPECT_TRUE((*put)->status.ok());
  EXPECT_EQ((*put)->flags, 0u);
  EXPECT_EQ((*put)->meta.version, 1u);
}

TEST_F(DeliveryTest, ASupersededWritesDeliveredAckComesWithItsSuccessor) {
  remote->hold = true;
  Open();
  const Ending first = Put("k", "1", Later(Ack::kDelivered));
  clock->RunAll();
  const Ending second = Put("k", "2", Later(Ack::kDelivered));
  const Ending third = Put("k", "3");
  EXPECT_EQ(CodeOf(third), Code::kOk);
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(*first);
  EXPECT_FALSE(*second) << "the inner store has neither it nor its successor";
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(second), Code::kOk);
  EXPECT_EQ(Log(), (Lines{"put k 1", "put k 3"}));
}

TEST_F(DeliveryTest, ADeliveredAckThatTimesOutLeavesTheWriteInTheQueue) {
  remote->hold = true;
  Open();
  Call call = Later(Ack::kDelivered);
  call.deadline_ns = clock->In(100);
  const Ending timed = Put("k", "v", call);
  Call cancelled = Later(Ack::kDelivered);
  cancelled.cancel = MakeRef<CancelToken>();
  const Ending token = Put("k", "w", cancelled);
  clock->Advance(99);
  EXPECT_FALSE(*timed);
  clock->Advance(1);
  EXPECT_EQ(CodeOf(timed), Code::kTimeout);
  cancelled.cancel->Fire();
  clock->RunAll();
  EXPECT_EQ(CodeOf(token), Code::kCancelled);
  EXPECT_EQ(Read1("k"), "w");
  remote->hold = false;
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "w");
}

// ---- Retries and the breaker ----

TEST_F(DeliveryTest, ATransientFailureIsRetriedUntilItSucceeds) {
  int failures = 4;
  remote->answer = [&](const Remote::Sent&, Status* status) {
    if (failures-- <= 0) return Remote::Verdict::kApply;
    *status = Failed(Code::kBusy);
    return Remote::Verdict::kRefuse;
  };
  Open();
  const Ending put = Put("k", "v", Later(Ack::kDelivered));
  clock->RunAll();
  EXPECT_EQ(Log().size(), 1u);
  clock->Advance(49);
  EXPECT_EQ(Log().size(), 1u) << "retried sooner than the shortest backoff";
  clock->Advance(10'000);
  EXPECT_EQ(Log().size(), 5u);
  EXPECT_EQ(CodeOf(put), Code::kOk);
  EXPECT_EQ(remote->ValueOf("k"), "v");
}

TEST_F(DeliveryTest, ANewerWriteReplacesOneThatFailedForSure) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  Put("k", "2");
  remote->Fail1(Failed(Code::kBusy));
  remote->hold = false;
  clock->Advance(1000);
  EXPECT_EQ(Log(), (Lines{"put k 1", "put k 2"}));
}

TEST_F(DeliveryTest, AnOutageOfTenMinutesCostsLessThanAProbeASecond) {
  Open();
  FailAll(Code::kIo);
  const int64_t began_ns = clock->now_ns;
  int puts = 0;
  size_t before = 0, worst = 0;
  for (int second = 0; second < 600; ++second) {
    for (int i = 0; i < 10; ++i) {
      Put("k" + std::to_string(puts % 2000), std::to_string(puts));
      ++puts;
    }
    clock->Advance(1000);
    if (second >= 1) worst = std::max(worst, Log().size() - before);
    before = Log().size();
  }
  EXPECT_LE(worst, 1u) << "attempts in one second of the outage";
  EXPECT_LT(Log().size(), 100u);
  EXPECT_GT(Log().size(), 30u) << "it has stopped trying";
  EXPECT_EQ(store->counters().breaker, Breaker::State::kOpen);
  // It ends: the next probe finds out, and everything follows.
  remote->answer = nullptr;
  clock->Advance(15'000);
  EXPECT_EQ(store->counters().breaker, Breaker::State::kClosed);
  clock->Advance(settings.settle_ms);
  EXPECT_EQ(store->counters().undelivered, 0u);
  EXPECT_EQ(remote->data.size(), 2000u);
  for (int i = puts - 2000; i < puts; ++i) {
    ASSERT_EQ(remote->ValueOf("k" + std::to_string(i % 2000)), std::to_string(i));
  }
  EXPECT_GE(clock->now_ns, began_ns + 600'000'000'000);
}

TEST_F(DeliveryTest, AProbeIsNotAlwaysTheSameKey) {
  Open();
  // One key times out for ever, the others would go through.
  bool down = true;
  remote->answer = [&](const Remote::Sent& sent, Status* status) {
    if (!down && sent.key != "bad") return Remote::Verdict::kApply;
    *status = Failed(Code::kTimeout);
    return Remote::Verdict::kRefuse;
  };
  Put("bad", "v");
  for (int i = 0; i < 20; ++i) Put("good" + std::to_string(i), "v");
  clock->Advance(5'000);
  EXPECT_EQ(store->counters().breaker, Breaker::State::kOpen);
  down = false;
  clock->Advance(60'000);
  EXPECT_EQ(remote->data.size(), 20u);
  EXPECT_EQ(store->counters().undelivered, 1u);
}

TEST_F(DeliveryTest, AProbeGoesOutAlsoForAPutThatCameAfterTheOutageBegan) {
  Open();
  FailAll(Code::kTimeout);
  Put("k", "1", Later(), clock->wall_ms + 1);
  clock->Advance(40'000);
  ASSERT_EQ(store->counters().breaker, Breaker::State::kOpen);
  remote->answer = nullptr;
  Put("other", "v");
  clock->Advance(20'000);
  EXPECT_EQ(remote->ValueOf("other"), "v");
}

TEST_F(DeliveryTest, ARefusalOfTheWholeStorePausesTheQueueAndIsToldOnce) {
  Open();
  FailAll(Code::kDenied);
  for (int i = 0; i < 100; ++i) Put("k" + std::to_string(i), "v");
  clock->Advance(600'000);
  EXPECT_EQ(store->counters().breaker, Breaker::State::kPaused);
  EXPECT_EQ(store->counters().parked, 0u) << "the store's refusal is held against a key";
  EXPECT_LT(Log().size(), 120u);
  const auto reports_now = reports.All(*store);
  ASSERT_EQ(reports_now.size(), 1u);
  EXPECT_EQ(reports_now[0], "paused put k0");
  remote->answer = nullptr;
  clock->Advance(15'000);
  EXPECT_EQ(remote->data.size(), 100u);
}

TEST_F(DeliveryTest, AKeyThatAloneIsDeniedIsParkedInTheEnd) {
  Open();
  remote->answer = [&](const Remote::Sent& sent, Status* status) {
    if (sent.key != "bad") return Remote::Verdict::kApply;
    *status = Failed(Code::kDenied);
    return Remote::Verdict::kRefuse;
  };
  Put("bad", "v");
  for (int i = 0; i < 10; ++i) {
    Put("good" + std::to_string(i), "v");
    clock->Advance(20'000);
  }
  EXPECT_EQ(store->counters().parked, 1u);
  EXPECT_EQ(remote->data.size(), 10u);
}

// ---- Parking ----

TEST_F(DeliveryTest, APoisonedKeyAmongTenThousandIsParkedAndTheOthersGoOn) {
  Open();
  remote->answer = [&](const Remote::Sent& sent, Status* status) {
    if (sent.key != "k5000") return Remote::Verdict::kApply;
    *status = Failed(Code::kTooLarge);
    return Remote::Verdict::kRefuse;
  };
  Ending bad;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (i == 5000)
      bad = Put(key, "bad", Later(Ack::kDelivered));
    else
      Put(key, "v");
  }
  clock->RunAll();
  EXPECT_EQ(remote->data.size(), 9'999u);
  EXPECT_EQ(CodeOf(bad), Code::kTooLarge);
  EXPECT_EQ(store->StateOf(Key("k5000")), KeyState::kParked);
  EXPECT_EQ(store->counters().parked, 1u);
  EXPECT_EQ(store->counters().undelivered, 0u);
  const Answer parked = Get("k5000");
  ASSERT_TRUE(parked.status.ok());
  EXPECT_EQ(parked.value->bytes(), "bad");
  EXPECT_EQ(parked.flags, kResultParked);
  clock->Advance(600'000);
  EXPECT_EQ(Log().size(), 10'000u) << "a parked write is tried again";
  EXPECT_EQ(reports.All(*store), (Lines{"parked put k5000"}));
  // A newer write takes its place.
  remote->answer = nullptr;
  Put("k5000", "good");
  EXPECT_EQ(store->counters().parked, 0u);
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k5000"), "good");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(DeliveryTest, TheSamePermanentRefusalThreeTimesParks) {
  Open();
  Code code = Code::kUnsupported;
  remote->answer = [&](const Remote::Sent&, Status* status) {
    *status = Failed(code);
    return Remote::Verdict::kRefuse;
  };
  Put("k", "v");
  clock->RunAll();
  code = Code::kDeadlock;  // another refusal: counted anew
  clock->Advance(1'000);
  ASSERT_EQ(Log().size(), 4u);
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kParked);
  EXPECT_EQ(store->counters().breaker, Breaker::State::kClosed);
  EXPECT_EQ(reports.All(*store), (Lines{"retrying put k", "parked put k"}));
  EXPECT_EQ(reports.Detail(1, "attempt"), "4");
}

TEST_F(DeliveryTest, APoisonedFlightGivesWayToTheNewerWrite) {
  remote->hold = true;
  Open();
  const Ending bad = Put("k", "bad", Later(Ack::kDelivered));
  clock->RunAll();
  Put("k", "good");
  remote->hold = false;
  remote->Fail1(Failed(Code::kInvalid));
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "good");
  EXPECT_EQ(CodeOf(bad), Code::kOk) << "superseded: done with its successor";
  EXPECT_EQ(store->counters().parked, 0u);
  EXPECT_TRUE(reports.All(*store).empty());
}

// ---- Ambiguous outcomes ----

TEST_F(DeliveryTest, AnAmbiguousOutcomeRepeatsTheSameOperation) {
  for (const Code code : {Code::kTimeout, Code::kIo, Code::kCancelled, Code::kInternal}) {
    SCOPED_TRACE(CodeName(code));
    const std::string key = CodeName(code);
    remote->log.clear();
    remote->hold = true;
    if (!store) Open();
    Put(key, "1");
    clock->RunAll();
    Put(key, "2");
    remote->Fail1(Failed(code));
    clock->Advance(1'000);
    EXPECT_EQ(Log(), (Lines{"put " + key + " 1", "put " + key + " 1"}));
    remote->hold = false;
    remote->Answer1();
    clock->Advance(settings.settle_ms - 1'001);
    EXPECT_EQ(Log().size(), 2u) << "a different operation before it has settled";
    EXPECT_EQ(Read1(key), "2");
    clock->Advance(2);
    EXPECT_EQ(Log(), (Lines{"put " + key + " 1", "put " + key + " 1", "put " + key + " 2"}));
    EXPECT_EQ(remote->ValueOf(key), "2");
  }
}

TEST_F(DeliveryTest, ALateFirstAttemptNeverLandsOverItsSuccessor) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  const Remote::Sent late{"k", Value::Copy("1"), 0, {}, {}};
  remote->Fail1(Failed(Code::kTimeout));
  remote->hold = false;
  clock->Advance(100);
  ASSERT_EQ(Log(), (Lines{"put k 1", "put k 1"}));
  ASSERT_EQ(store->counters().undelivered, 0u);
  // Nothing is pending any more, and still the key is remembered.
  EXPECT_EQ(store->counters().keys_known, 1u);
  Del("k");
  clock->Advance(settings.settle_ms - 101);
  remote->Apply(late);
  EXPECT_EQ(Read1("k"), "(none)");
  clock->Advance(1);
  EXPECT_EQ(Log().back(), "del k");
  EXPECT_EQ(remote->ValueOf("k"), "(none)");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(DeliveryTest, AKeyThatSettlesWithNothingPendingIsForgottenAfterwards) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  remote->Fail1(Failed(Code::kTimeout));
  remote->hold = false;
  clock->Advance(1'000);
  EXPECT_EQ(store->counters().entries, 1u) << "it takes room, or a flapping store fills memory";
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kNone);
  EXPECT_EQ(Read1("k"), "1");
  EXPECT_EQ(remote->gets, 1);
  clock->Advance(settings.settle_ms);
  EXPECT_EQ(store->counters().keys_known, 0u);
  EXPECT_EQ(store->counters().entries, 0u);
}

TEST_F(DeliveryTest, ADefiniteFailureAfterAnAmbiguousOneStillSettles) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  remote->Fail1(Failed(Code::kTimeout));
  clock->Advance(200);
  Put("k", "2");
  remote->Fail1(Failed(Code::kBusy));  // the repetition did not happen: the first one may have
  clock->Advance(settings.settle_ms - 201);
  EXPECT_EQ(Log(), (Lines{"put k 1", "put k 1"}));
  clock->Advance(1'000);
  EXPECT_EQ(Log(), (Lines{"put k 1", "put k 1", "put k 2"}));
}

TEST_F(DeliveryTest, OtherKeysDoNotWaitForOneThatSettles) {
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  remote->Fail1(Failed(Code::kTimeout));
  remote->hold = false;
  clock->Advance(200);
  Put("k", "2");
  Put("other", "1");
  clock->RunAll();
  EXPECT_EQ(Log().back(), "put other 1");
  EXPECT_EQ(store->counters().undelivered, 1u);
}

// ---- Tombstones ----

TEST_F(DeliveryTest, ATombstoneStaysUntilEarlierReadsHaveEnded) {
  remote->data["k"] = {"old", 0};
  remote->hold_gets = true;
  Open();
  std::string read;
  store->Get(Key("k"), Read::Whole(), Later(),
             [&](Answer&& answer) { read = std::string(answer.value->bytes()); });
  Del("k");
  clock->RunAll();
  ASSERT_EQ(Log(), (Lines{"del k"}));
  EXPECT_EQ(store->counters().undelivered, 0u);
  EXPECT_EQ(store->counters().keys_known, 1u);
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kNone);
  // Answers without asking below, and is no longer "pending".
  EXPECT_EQ(Get("k").status.code(), Code::kNotFound);
  EXPECT_EQ(Get("k").flags, 0u);
  EXPECT_EQ(remote->gets, 1);
  // A later read does not keep it.
  store->Get(Key("other"), Read::Whole(), Later(), [](Answer&&) {});
  remote->held_gets.front()();
  remote->held_gets.pop_front();
  EXPECT_EQ(read, "old");
  EXPECT_EQ(store->counters().keys_known, 0u);
  remote->held_gets.front()();
  remote->held_gets.clear();
}

TEST_F(DeliveryTest, AScanPageKeepsATombstoneToo) {
  remote->data["k"] = {"old", 0};
  Open();
  uint64_t known = 0;
  remote->on_scan = [&] {
    remote->on_scan = nullptr;
    Del("k");
    clock->RunAll();
    known = store->counters().keys_known;
  };
  store->Scan({}, Later(), [](Page&&) {});
  EXPECT_EQ(known, 1u);
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(DeliveryTest, AWriteOverAConfirmedTombstoneIsAWriteLikeAnyOther) {
  remote->hold_gets = true;
  Open();
  store->Get(Key("k"), Read::Whole(), Later(), [](Answer&&) {});
  Del("k");
  clock->RunAll();
  Put("k", "new");
  remote->held_gets.front()();
  remote->held_gets.clear();
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kQueued);
  EXPECT_EQ(Read1("k"), "new");
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "new");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(DeliveryTest, ADeleteIsNotForgottenBeforeItIsConfirmed) {
  remote->data["k"] = {"old", 0};
  remote->hold = true;
  Open();
  Del("k");
  clock->RunAll();
  EXPECT_EQ(Read1("k"), "(none)");
  remote->Fail1(Failed(Code::kBusy));
  EXPECT_EQ(Read1("k"), "(none)");
  EXPECT_EQ(remote->ValueOf("k"), "old");
  remote->hold = false;
  clock->Advance(1'000);
  EXPECT_EQ(remote->ValueOf("k"), "(none)");
}

// ---- Reports ----

TEST_F(DeliveryTest, AKeysRetriesAreToldOnceUntilItIsDelivered) {
  Open();
  int failures = 3;
  remote->answer = [&](const Remote::Sent&, Status* status) {
    if (failures-- <= 0) return Remote::Verdict::kApply;
    *status = Failed(Code::kBusy);
    return Remote::Verdict::kRefuse;
  };
  Put("k", "1");
  clock->Advance(10'000);
  EXPECT_EQ(remote->ValueOf("k"), "1");
  EXPECT_EQ(reports.All(*store), (Lines{"retrying put k"}));
  EXPECT_EQ(reports.Detail(0, "store"), "behind");
  EXPECT_EQ(reports.Detail(0, "attempt"), "1");
  EXPECT_NE(reports.Detail(0, "next_retry_ms"), "(none)");
  failures = 1;
  Del("k");
  clock->Advance(10'000);
  EXPECT_EQ(reports.All(*store), (Lines{"retrying put k", "retrying del k"}));
}

TEST_F(DeliveryTest, AnOutageIsToldOnceAndNotForEveryKey) {
  Open();
  FailAll(Code::kIo);
  for (int i = 0; i < 100; ++i) Put("k" + std::to_string(i), "v");
  clock->Advance(300'000);
  const Lines told = reports.All(*store);
  ASSERT_EQ(told.size(), static_cast<size_t>(Breaker::kThreshold));
  for (size_t i = 0; i + 1 < told.size(); ++i) {
    EXPECT_EQ(told[i], "retrying put k" + std::to_string(i));
  }
  EXPECT_EQ(told.back(), "outage put k4");
  // And a success is never told.
  remote->answer = nullptr;
  clock->Advance(60'000);
  EXPECT_EQ(remote->data.size(), 100u);
  EXPECT_EQ(reports.All(*store).size(), told.size());
}

}  // namespace
}  // namespace chainstore::behind
