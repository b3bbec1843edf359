// How writes enter the queue: its bounds, what happens at them, and if-absent.
#include <gtest/gtest.h>

#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

using Lines = std::vector<std::string>;

class AdmissionTest : public SimTest {
 protected:
  // A queue of two entries, full of "a" and "b", both under way.
  void OpenFull(Overflow overflow) {
    settings.max_entries = 2;
    settings.overflow = overflow;
    remote->hold = true;
    Open();
    Put("a", "1");
    Put("b", "1");
    clock->RunAll();
    ASSERT_EQ(remote->held.size(), 2u);
  }
  Remote::Sent& HeldOf(const std::string& key) {
    for (Remote::Sent& sent : remote->held) {
      if (sent.key == key) return sent;
    }
    ADD_FAILURE() << key << " is not under way";
    return remote->held.front();
  }
};

// ---- Bounds ----

TEST_F(AdmissionTest, CountsEntriesAndBytes) {
  settings.max_bytes = 100;
  settings.overflow = Overflow::kFail;
  remote->hold = true;
  Open();
  EXPECT_EQ(CodeOf(Put("0123456789", std::string(80, 'x'))), Code::kOk);
  EXPECT_EQ(store->counters().bytes, 90u);
  const Ending other = Put("0123456788", "x");
  EXPECT_EQ(CodeOf(Put("0123456789", std::string(90, 'x'))), Code::kOk) << "takes its place";
  EXPECT_EQ(store->counters().bytes, 100u);
  EXPECT_EQ(CodeOf(Put("0123456789", std::string(91, 'x'))), Code::kTooLarge);
  clock->RunAll();
  EXPECT_EQ(CodeOf(other), Code::kBusy);
  // What is being sent stays until it has been: now a newer value comes on top of it.
  const Ending newer = Put("0123456789", "x");
  clock->RunAll();
  EXPECT_EQ(CodeOf(newer), Code::kBusy);
  EXPECT_EQ(CodeOf(Del("0123456789")), Code::kOk);
  EXPECT_EQ(store->counters().bytes, 100u);
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(store->counters().bytes, 10u);
  EXPECT_EQ(store->counters().entries, 1u);
  EXPECT_EQ(CodeOf(Put("0123456789", "x")), Code::kOk);
}

TEST_F(AdmissionTest, FailSaysBusyAndKeepsWhatIsQueued) {
  OpenFull(Overflow::kFail);
  const Ending put = Put("c", "1");
  ASSERT_EQ(CodeOf(put), Code::kWouldBlock);
  clock->RunAll();
  ASSERT_EQ(CodeOf(put), Code::kBusy);
  EXPECT_TRUE((*put)->status.retryable());
  EXPECT_EQ(CodeOf(Put("a", "2")), Code::kOk) << "takes no more entries";
  EXPECT_EQ(Read1("c"), "(none)");
  EXPECT_EQ(store->counters().entries, 2u);
}

TEST_F(AdmissionTest, BlockWaitsForRoomInTheOrderOfArrival) {
  OpenFull(Overflow::kBlock);
  const Ending c1 = Put("c", "1"), d = Put("d", "1"), c2 = Put("c", "2"), a = Put("a", "2");
  clock->RunAll();
  EXPECT_FALSE(*c1);
  EXPECT_FALSE(*a) << "overtakes those that wait";
  EXPECT_EQ(Read1("c"), "(none)");
  EXPECT_EQ(store->counters().waiting_for_room, 3u) << "c twice stands in line once";
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(c1), Code::kOk);
  EXPECT_FALSE(*d);
  remote->hold = false;
  while (!remote->held.empty()) remote->Answer1();
  clock->RunAll();
  for (const Ending& each : {c1, d, c2, a}) EXPECT_EQ(CodeOf(each), Code::kOk);
  EXPECT_EQ(remote->ValueOf("c"), "2");
  EXPECT_EQ(remote->ValueOf("a"), "2");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, ABlockedWriteEndsWithItsCall) {
  OpenFull(Overflow::kBlock);
  Call limited = Later();
  limited.deadline_ns = clock->In(100);
  Call cancelled = Later();
  cancelled.cancel = MakeRef<CancelToken>();
  const Ending timed = Put("c", "1", limited);
  const Ending token = Put("d", "1", cancelled);
  const Ending behind = Del("c", cancelled);
  const Ending patient = Put("c", "2");
  clock->Advance(100);
  EXPECT_EQ(CodeOf(timed), Code::kTimeout);
  EXPECT_FALSE(*token);
  cancelled.cancel->Fire();
  EXPECT_FALSE(*token) << "completed on the stack of the firing";
  clock->RunAll();
  EXPECT_EQ(CodeOf(token), Code::kCancelled);
  EXPECT_EQ(CodeOf(behind), Code::kCancelled);
  EXPECT_FALSE(*patient);
  remote->hold = false;
  while (!remote->held.empty()) remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(patient), Code::kOk);
  EXPECT_EQ(remote->data.size(), 3u);
  EXPECT_EQ(remote->ValueOf("c"), "2");
  EXPECT_FALSE(remote->data.contains("d")) << "a write that was cancelled while it waited";
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, ACallThatHasEndedWritesNothing) {
  Open();
  Call call = Later();
  call.deadline_ns = 1;
  EXPECT_EQ(CodeOf(Put("k", "v", call)), Code::kTimeout);
  call = Later();
  call.cancel = MakeRef<CancelToken>();
  call.cancel->Fire();
  EXPECT_EQ(CodeOf(Del("k", call)), Code::kCancelled);
  EXPECT_EQ(Flush("", call)->code(), Code::kCancelled);
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, AWriteThatMayNotWaitNeverDoes) {
  OpenFull(Overflow::kBlock);
  const Call never = Later().With(Wait::kNever);
  EXPECT_EQ(CodeOf(Put("c", "1", never)), Code::kWouldBlock);
  const Ending put = Put("a", "2", never);
  ASSERT_TRUE(*put);
  EXPECT_TRUE((*put)->status.ok());
  Call delivered = never;
  delivered.ack = Ack::kDelivered;
  const Ending waiting = Put("a", "3", delivered);
  ASSERT_TRUE(*waiting);
  EXPECT_EQ(CodeOf(waiting), Code::kWouldBlock);
  EXPECT_EQ(Read1("a"), "2");
}

// ---- overflow=through ----

TEST_F(AdmissionTest, ThroughWritesBelowBeforeItAcknowledges) {
  OpenFull(Overflow::kThrough);
  const Ending put = Put("c", "1");
  ASSERT_EQ(remote->log.back(), "put c 1");
  EXPECT_EQ(HeldOf("c").call.ack, Ack::kDelivered);
  clock->RunAll();
  EXPECT_FALSE(*put);
  EXPECT_EQ(Read1("c"), "(none)");
  remote->held.splice(remote->held.begin(), remote->held, std::prev(remote->held.end()));
  remote->Answer1();
  clock->RunAll();
  ASSERT_EQ(CodeOf(put), Code::kOk);
  EXPECT_EQ((*put)->flags, 0u);
  EXPECT_EQ(remote->ValueOf("c"), "1");
  EXPECT_EQ(store->counters().entries, 2u);
}

TEST_F(AdmissionTest, ThroughWaitsOutItsKeysFlightAndSupersedesWhatWaits) {
  settings.max_bytes = 40;
  settings.overflow = Overflow::kThrough;
  remote->hold = true;
  Open();
  Put("k", std::string(10, '1'));
  clock->RunAll();
  const Ending two = Put("k", "2", Later(Ack::kDelivered));
  const Ending three = Put("k", std::string(30, '3'));
  const Ending four = Put("k", "4");
  clock->RunAll();
  EXPECT_EQ(remote->held.size(), 1u) << "two operations of a key at once";
  EXPECT_FALSE(*three);
  EXPECT_FALSE(*four) << "stands behind the one that is written through";
  EXPECT_EQ(Read1("k"), "2");
  remote->Answer1();
  clock->RunAll();
  ASSERT_EQ(remote->held.size(), 1u);
  EXPECT_EQ(remote->log.back(), "put k " + std::string(30, '3'));
  EXPECT_EQ(Read1("k"), "2");
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(three), Code::kOk);
  EXPECT_EQ(CodeOf(two), Code::kOk) << "superseded: done with its successor";
  EXPECT_EQ(CodeOf(four), Code::kOk);
  EXPECT_EQ(Read1("k"), "4");
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->log.size(), 3u) << "the superseded write was sent";
  EXPECT_EQ(remote->ValueOf("k"), "4");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, AFailedThroughLeavesWhatWaited) {
  settings.max_bytes = 20;
  settings.overflow = Overflow::kThrough;
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  Put("k", "2");
  const Ending three = Put("k", std::string(30, '3'));
  remote->Answer1();
  clock->RunAll();
  remote->Fail1(Failed(Code::kDenied));
  clock->RunAll();
  EXPECT_EQ(CodeOf(three), Code::kDenied);
  EXPECT_EQ(Read1("k"), "2");
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "2");
}

TEST_F(AdmissionTest, AnAmbiguousThroughSettlesBeforeAnythingElseOfItsKey) {
  OpenFull(Overflow::kThrough);
  const Ending c = Put("c", "1");
  remote->held.splice(remote->held.begin(), remote->held, std::prev(remote->held.end()));
  remote->Fail1(Failed(Code::kTimeout));
  remote->hold = false;
  while (!remote->held.empty()) remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(c), Code::kTimeout);
  Put("c", "2");
  clock->Advance(settings.settle_ms - 1);
  EXPECT_EQ(remote->log.back(), "put c 1");
  clock->Advance(1);
  EXPECT_EQ(remote->log.back(), "put c 2");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, AThroughWaitsUntilItsKeyHasSettled) {
  settings.max_bytes = 20;
  settings.overflow = Overflow::kThrough;
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  const Ending two = Put("k", std::string(30, '2'));
  remote->Fail1(Failed(Code::kTimeout));
  remote->hold = false;
  clock->Advance(settings.settle_ms - 1);
  EXPECT_EQ(remote->log, (Lines{"put k 1"})) << "also not repeated: it is superseded";
  EXPECT_EQ(Read1("k"), "1");
  clock->Advance(1);
  EXPECT_EQ(CodeOf(two), Code::kOk);
  EXPECT_EQ(remote->log, (Lines{"put k 1", "put k " + std::string(30, '2')}));
  EXPECT_EQ(store->counters().keys_known, 0u);
  EXPECT_EQ(store->counters().bytes, 0u);
}

TEST_F(AdmissionTest, AThroughThatTimesOutWhileItWaitsGivesItsKeyBack) {
  settings.max_bytes = 20;
  settings.overflow = Overflow::kThrough;
  remote->hold = true;
  Open();
  Put("k", "1");
  clock->RunAll();
  Put("k", "2");
  Call limited = Later();
  limited.deadline_ns = clock->In(100);
  const Ending three = Put("k", std::string(30, '3'), limited);
  const Ending four = Del("k");
  clock->Advance(100);
  EXPECT_EQ(CodeOf(three), Code::kTimeout);
  EXPECT_EQ(CodeOf(four), Code::kOk);
  remote->hold = false;
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->log, (Lines{"put k 1", "del k"}));
}

// ---- If-absent ----

TEST_F(AdmissionTest, IfAbsentIsDecidedByWhatIsPending) {
  remote->hold = true;
  remote->data["deleted"] = {"old", 0};
  Open();
  const Call if_absent = Later(Ack::kDefault, Call::kIfAbsent);
  Put("live", "1");
  Del("deleted");
  Put("short", "1", Later(), clock->wall_ms + 10);
  const Ending live = Put("live", "2", if_absent);
  const Ending deleted = Put("deleted", "2", if_absent);
  clock->RunAll();
  EXPECT_EQ(CodeOf(live), Code::kExists);
  EXPECT_EQ(CodeOf(deleted), Code::kOk);
  EXPECT_EQ((*deleted)->flags, kResultPending);
  EXPECT_EQ(Read1("live"), "1");
  EXPECT_EQ(Read1("deleted"), "2");
  EXPECT_EQ(remote->gets, 0);
  clock->Advance(10);
  const Ending expired = Put("short", "2", if_absent);
  clock->RunAll();
  EXPECT_EQ(CodeOf(expired), Code::kOk);
  EXPECT_EQ(Read1("short"), "2");
}

TEST_F(AdmissionTest, IfAbsentAsksBelowAndQueuesUnconditionally) {
  remote->data["there"] = {"old", 0};
  Open();
  const Call if_absent = Later(Ack::kDefault, Call::kIfAbsent | Call::kSkipCache);
  const Ending there = Put("there", "2", if_absent);
  const Ending absent = Put("absent", "1", if_absent);
  clock->RunAll();
  EXPECT_EQ(remote->gets, 2);
  EXPECT_FALSE(remote->last_get.Has(Call::kSkipCache)) << "skips a store";
  EXPECT_EQ(CodeOf(there), Code::kExists);
  EXPECT_EQ(CodeOf(absent), Code::kOk);
  EXPECT_EQ(remote->log, (Lines{"put absent 1"}));
  EXPECT_EQ(remote->ValueOf("there"), "old");
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, IfAbsentFailsIfTheInnerStoreCannotAnswer) {
  remote->get_status = Failed(Code::kIo);
  Open();
  const Ending put = Put("k", "1", Later(Ack::kDefault, Call::kIfAbsent));
  clock->RunAll();
  EXPECT_EQ(CodeOf(put), Code::kIo);
  EXPECT_TRUE(remote->log.empty());
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(AdmissionTest, WritesOfAKeyWaitWhileIfAbsentIsDecided) {
  remote->hold_gets = true;
  Open();
  const Call if_absent = Later(Ack::kDefault, Call::kIfAbsent);
  const Ending first = Put("k", "1", if_absent);
  const Ending second = Put("k", "2", if_absent);
  const Ending third = Del("k");
  const Ending other = Put("other", "1");
  clock->RunAll();
  EXPECT_EQ(remote->gets, 1);
  EXPECT_FALSE(*third);
  EXPECT_EQ(CodeOf(other), Code::kOk);
  remote->held_gets.front()();
  clock->RunAll();
  EXPECT_EQ(CodeOf(first), Code::kOk);
  EXPECT_EQ(CodeOf(second), Code::kExists);
  EXPECT_EQ(CodeOf(third), Code::kOk);
  remote->held_gets.clear();
  remote->hold_gets = false;
  EXPECT_EQ(Read1("k"), "(none)");
  EXPECT_EQ(remote->ValueOf("k"), "(none)");
}

TEST_F(AdmissionTest, IfAbsentDeliveredIsDecidedByTheInnerStoreItself) {
  remote->hold = true;
  remote->data["there"] = {"old", 0};
  Open();
  const Call call = Later(Ack::kDelivered, Call::kIfAbsent);
  const Ending absent = Put("absent", "1", call);
  ASSERT_EQ(remote->held.size(), 1u);
  EXPECT_TRUE(remote->held.front().call.Has(Call::kIfAbsent));
  EXPECT_EQ(remote->gets, 0);
  remote->hold = false;
  remote->Answer1();
  const Ending there = Put("there", "1", call);
  clock->RunAll();
  EXPECT_EQ(CodeOf(absent), Code::kOk);
  EXPECT_EQ((*absent)->flags, 0u);
  EXPECT_EQ(CodeOf(there), Code::kExists);
  EXPECT_EQ(remote->ValueOf("there"), "old");
  EXPECT_EQ(store->counters().keys_known, 0u);
  // With a delete pending the queue decides, and the ack comes with the delivery.
  remote->hold = true;
  Del("there");
  clock->RunAll();
  const Ending after = Put("there", "2", call);
  clock->RunAll();
  EXPECT_FALSE(*after);
  remote->hold = false;
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(after), Code::kOk);
  EXPECT_EQ(remote->ValueOf("there"), "2");
}

TEST_F(AdmissionTest, AnAmbiguousIfAbsentBelowSettlesItsKey) {
  remote->hold = true;
  Open();
  const Ending put = Put("k", "1", Later(Ack::kDelivered, Call::kIfAbsent));
  remote->Fail1(Failed(Code::kTimeout));
  remote->hold = false;
  clock->RunAll();
  EXPECT_EQ(CodeOf(put), Code::kTimeout);
  Put("k", "2");
  clock->Advance(settings.settle_ms - 1);
  EXPECT_EQ(remote->log.size(), 1u);
  clock->Advance(1);
  EXPECT_EQ(remote->ValueOf("k"), "2");
}

TEST_F(AdmissionTest, IfAbsentThatWaitsForRoomKeepsItsKey) {
  OpenFull(Overflow::kBlock);
  const Ending put = Put("c", "1", Later(Ack::kDefault, Call::kIfAbsent));
  const Ending del = Del("c");
  clock->RunAll();
  EXPECT_FALSE(*put);
  remote->hold = false;
  while (!remote->held.empty()) remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(put), Code::kOk);
  EXPECT_EQ(CodeOf(del), Code::kOk);
  EXPECT_EQ(Read1("c"), "(none)");
}

TEST_F(AdmissionTest, ACallThatEndsWhileIfAbsentIsDecidedWritesNothing) {
  remote->hold_gets = true;
  OpenFull(Overflow::kBlock);
  // It stood in line first, and so its time is watched.
  const Ending first = Put("c", "1", Later(Ack::kDefault, Call::kIfAbsent));
  Call limited = Later(Ack::kDefault, Call::kIfAbsent);
  limited.deadline_ns = clock->In(100);
  const Ending second = Put("c", "2", limited);
  remote->held_gets.front()();
  remote->held_gets.pop_front();
  clock->Advance(100);
  EXPECT_EQ(CodeOf(second), Code::kTimeout);
  EXPECT_FALSE(*first);
  remote->hold = false;
  remote->hold_gets = false;
  while (!remote->held.empty()) remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(first), Code::kOk);
  EXPECT_EQ(remote->ValueOf("c"), "1");
}

}  // namespace
}  // namespace chainstore::behind
