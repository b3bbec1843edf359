// What a started call promises even if its store hangs, answers late, or answers on a thread that
// is not the library's.
#include "capi/completion.h"

#include <gtest/gtest.h>

#include <thread>

#include "capi/hung_store.h"

namespace chainstore {
namespace {

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() : store_(MakeRef<HungStore>()), handle_(Wrap(store_.get())) {}
  ~CompletionTest() override { EXPECT_EQ(cs_store_close_sync(handle_, nullptr, nullptr), CS_OK); }

  static void ExpectError(const cs_result& result, cs_status status, const char* operation) {
    EXPECT_EQ(result.status, status);
    ASSERT_NE(result.error, nullptr);
    EXPECT_EQ(cs_error_status(result.error), status);
    EXPECT_STREQ(static_cast<const char*>(cs_error_detail(result.error, "store", nullptr)), "hung");
    EXPECT_STREQ(static_cast<const char*>(cs_error_detail(result.error, "operation", nullptr)),
                 operation);
  }

  const Ref<HungStore> store_;
  cs_store* const handle_;
  cs_call call_ = CS_CALL_INIT;
  Completions completions_;
};

TEST_F(CompletionTest, ACallWhoseStoreHangsEndsAtItsDeadline) {
  call_.timeout_ms = 5;
  ASSERT_EQ(cs_get(handle_, "k", 1, &call_, &Completions::Function, &completions_), CS_OK);
  EXPECT_EQ(completions_.Wait(1), CS_TIMEOUT);
  ExpectError(completions_.last(), CS_TIMEOUT, "get");
  EXPECT_EQ(cs_error_is_retryable(completions_.last().error), 1);
  EXPECT_NE(completions_.thread(), std::this_thread::get_id());
  store_->Take().get(Answer(Code::kNotFound));
  EXPECT_EQ(completions_.count(), 1) << "the late answer completed it again";
}

TEST_F(CompletionTest, ACallWhoseStoreHangsEndsWhenItsTokenFires) {
  call_.cancel = cs_cancel_new();
  call_.flags = CS_CALL_INLINE;  // not inside cs_cancel_fire, even so
  ASSERT_EQ(cs_put(handle_, "k", 1, "v", 1, &call_, &Completions::Function, &completions_), CS_OK);
  HungStore::Asked asked = store_->Take();
  EXPECT_EQ(asked.call.Check(), Code::kOk);
  cs_cancel_fire(call_.cancel);
  EXPECT_EQ(completions_.Wait(1), CS_CANCELLED);
  ExpectError(completions_.last(), CS_CANCELLED, "put");
  EXPECT_NE(completions_.thread(), std::this_thread::get_id());
  EXPECT_EQ(asked.call.Check(), Code::kCancelled) << "the store was not told";
  asked.put(Receipt());
  EXPECT_EQ(completions_.count(), 1);
  cs_cancel_unref(call_.cancel);
}

TEST_F(CompletionTest, AnAnswerOnAUsersThreadCompletesOnALibraryThread) {
  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  HungStore::Asked asked = store_->Take();
  asked.get(Answer(Code::kNotFound));  // this thread belongs to the test
  EXPECT_EQ(completions_.Wait(1), CS_NOT_FOUND);
  EXPECT_NE(completions_.thread(), std::this_thread::get_id());
}

TEST_F(CompletionTest, ALateAnswerIsReleased) {
  int released = 0;
  call_.timeout_ms = 1;
  ASSERT_EQ(cs_get(handle_, "k", 1, &call_, &Completions::Function, &completions_), CS_OK);
  EXPECT_EQ(completions_.Wait(1), CS_TIMEOUT);
  Answer late;
  late.value = Value::Wrap(
      "v", [](void* count) { ++*static_cast<int*>(count); }, &released);
  store_->Take().get(std::move(late));
  EXPECT_EQ(released, 1);
}

TEST_F(CompletionTest, ADeadlineThatRacesTheAnswerCompletesOnce) {
  call_.timeout_ms = 1;
  call_.cancel = cs_cancel_new();
  constexpr int kRounds = 300;
  for (int round = 1; round <= kRounds; ++round) {
    ASSERT_EQ(cs_get(handle_, "k", 1, &call_, &Completions::Function, &completions_), CS_OK);
    // On a slow machine the time may be up before the store is asked.
    std::optional<HungStore::Asked> asked;
    while (!(asked = store_->TryTake()) && completions_.count() < round) std::this_thread::yield();
    if (!asked) continue;
    const int64_t when_ns = asked->call.deadline_ns + (round % 11 - 5) * 10'000;
    while (Clock::System().SteadyNs() < when_ns) std::this_thread::yield();
    asked->get(Answer(Code::kNotFound));
    const cs_status status = completions_.Wait(round);
    EXPECT_TRUE(status == CS_NOT_FOUND || status == CS_TIMEOUT) << status;
  }
  cs_cancel_unref(call_.cancel);
  EXPECT_EQ(completions_.count(), kRounds);
}

TEST_F(CompletionTest, AQueueGetsTheResultOfACallThatEnded) {
  call_.timeout_ms = 1;
  call_.queue = cs_queue_new(1, nullptr);
  ASSERT_EQ(cs_del(handle_, "k", 1, &call_, nullptr, this), CS_OK);
  cs_result result;
  size_t count;
  ASSERT_EQ(cs_queue_take(call_.queue, &result, 1, CS_FOREVER, &count), CS_OK);
  EXPECT_EQ(result.user_data, this);
  ExpectError(result, CS_TIMEOUT, "del");
  cs_result_release(&result);
  store_->Take().put(Receipt());
  EXPECT_EQ(cs_queue_take(call_.queue, &result, 1, 0, &count), CS_WOULD_BLOCK);
  cs_queue_unref(call_.queue);
}

TEST_F(CompletionTest, ACallHoldsQueueAndTokenUntilItHasEnded) {
  call_.queue = cs_queue_new(1, nullptr);
  call_.cancel = cs_cancel_new();
  ASSERT_EQ(cs_get(handle_, "k", 1, &call_, nullptr, nullptr), CS_OK);
  cs_queue_unref(call_.queue);
  cs_cancel_unref(call_.cancel);
  store_->Take().get(Answer(Code::kNotFound));  // posted where nobody can take it: released
}

TEST_F(CompletionTest, AFailureWithoutACompletionGoesToTheErrorHandler) {
  call_.timeout_ms = 1;
  Completions told;
  ASSERT_EQ(cs_on_error(
                handle_,
                [](void* user_data, const cs_error* error) {
                  cs_result result = CS_RESULT_INIT;
                  result.status = cs_error_status(error);
                  Completions::Function(user_data, &result);
                },
                &told, nullptr),
            CS_OK);
  ASSERT_EQ(cs_put(handle_, "k", 1, "v", 1, &call_, nullptr, nullptr), CS_OK);
  EXPECT_EQ(told.Wait(1), CS_TIMEOUT);
  store_->Take().put(Receipt());
  EXPECT_EQ(cs_on_error(handle_, nullptr, nullptr, nullptr), CS_OK);
}

TEST_F(CompletionTest, AFailureThatComesWithoutAnErrorGetsOne) {
  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  store_->Take().get(Answer(Code::kIo));
  EXPECT_EQ(completions_.Wait(1), CS_IO);
  ExpectError(completions_.last(), CS_IO, "get");
}

TEST_F(CompletionTest, OnlyBytesThatNobodyElseHasArePrivate) {
  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  Answer answer;
  answer.value = Value::Copy("own");
  store_->Take().get(std::move(answer));
  EXPECT_EQ(completions_.Wait(1), CS_OK);
  EXPECT_TRUE(completions_.last().flags & CS_RESULT_PRIVATE);

  const Ref<Value> kept = Value::Copy("kept");
  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  answer = Answer();
  answer.value = kept;
  store_->Take().get(std::move(answer));
  EXPECT_EQ(completions_.Wait(2), CS_OK);
  EXPECT_FALSE(completions_.last().flags & CS_RESULT_PRIVATE);

  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  answer = Answer();
  answer.value = Value::Slice(kept, 1, 2);
  store_->Take().get(std::move(answer));
  EXPECT_EQ(completions_.Wait(3), CS_OK);
  EXPECT_FALSE(completions_.last().flags & CS_RESULT_PRIVATE) << "part of what somebody else has";
}

// ---- Scans ----

class ScanCompletionTest : public CompletionTest {
 protected:
  ScanCompletionTest() : scan_(cs_scan_new(handle_, nullptr, nullptr)) {}
  static Page OnePage(const char* key, bool more) {
    Page page;
    page.entries.emplace_back();
    page.entries.back().key = key;
    page.more = more;
    return page;
  }
  cs_scan* const scan_;
};

TEST_F(ScanCompletionTest, OnePageAtATime) {
  ASSERT_EQ(cs_scan_next(scan_, nullptr, &Completions::Function, &completions_), CS_OK);
  EXPECT_EQ(cs_scan_next(scan_, nullptr, &Completions::Function, &completions_), CS_BUSY);
  cs_result result;
  EXPECT_EQ(cs_scan_next_sync(scan_, nullptr, &result), CS_BUSY);
  ExpectError(result, CS_BUSY, "scan");
  cs_result_release(&result);
  store_->Take().scan(OnePage("a", false));
  EXPECT_EQ(completions_.Wait(1), CS_OK);
  ASSERT_EQ(completions_.last().count, 1u);
  EXPECT_EQ(cs_scan_next_sync(scan_, nullptr, &result), CS_END);  // the store is not asked again
  cs_result_release(&result);
  cs_scan_free(scan_);
}

TEST_F(ScanCompletionTest, FreeCancelsThePageThatIsUnderWay) {
  ASSERT_EQ(cs_scan_next(scan_, nullptr, &Completions::Function, &completions_), CS_OK);
  HungStore::Asked asked = store_->Take();
  cs_scan_free(scan_);
  EXPECT_EQ(completions_.Wait(1), CS_CANCELLED);
  ExpectError(completions_.last(), CS_CANCELLED, "scan");
  EXPECT_EQ(asked.call.Check(), Code::kCancelled) << "the store was not told";
  asked.scan(OnePage("a", true));
  EXPECT_EQ(completions_.count(), 1);
}

TEST_F(ScanCompletionTest, TheCallersTokenAndDeadlineReachTheStore) {
  call_.cancel = cs_cancel_new();
  ASSERT_EQ(cs_scan_next(scan_, &call_, &Completions::Function, &completions_), CS_OK);
  HungStore::Asked asked = store_->Take();
  cs_cancel_fire(call_.cancel);
  EXPECT_EQ(completions_.Wait(1), CS_CANCELLED);
  EXPECT_EQ(asked.call.Check(), Code::kCancelled);
  asked.scan(OnePage("a", true));
  cs_cancel_unref(call_.cancel);
  cs_scan_free(scan_);
}

TEST_F(ScanCompletionTest, AfterATimeoutTheSamePageIsAskedForAgain) {
  call_.timeout_ms = 1;
  ASSERT_EQ(cs_scan_next(scan_, &call_, &Completions::Function, &completions_), CS_OK);
  EXPECT_EQ(completions_.Wait(1), CS_TIMEOUT);
  ASSERT_EQ(cs_scan_next(scan_, nullptr, &Completions::Function, &completions_), CS_OK);
  store_->Take().scan(OnePage("late", false));  // the first one's answer: it moves nothing
  store_->Take().scan(OnePage("a", true));
  EXPECT_EQ(completions_.Wait(2), CS_OK);
  EXPECT_EQ(completions_.last().count, 1u);
  ASSERT_EQ(cs_scan_next(scan_, nullptr, &Completions::Function, &completions_), CS_OK);
  store_->Take().scan(Page(Code::kEnd));
  EXPECT_EQ(completions_.Wait(3), CS_END);
  cs_scan_free(scan_);
}

// ---- Close ----

TEST_F(CompletionTest, ACloseThatIsGivenUpEndsTheCallsThatItWaitedFor) {
  Completions closed, closed_later;
  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  HungStore::Asked asked = store_->Take();
  ASSERT_EQ(cs_store_close(handle_, nullptr, &Completions::Function, &closed_later), CS_OK);
  call_.timeout_ms = 5;
  ASSERT_EQ(cs_store_close(handle_, &call_, &Completions::Function, &closed), CS_OK);
  EXPECT_EQ(closed.Wait(1), CS_TIMEOUT);
  EXPECT_EQ(completions_.Wait(1), CS_CANCELLED);
  EXPECT_EQ(closed_later.count(), 0) << "a close waits for the store, not for other closes";
  asked.get(Answer(Code::kNotFound));
  asked.pass = GatePass();
  EXPECT_EQ(closed_later.Wait(1), CS_OK);
}

TEST_F(CompletionTest, ACloseThatWaitsHasADeadlineToo) {
  ASSERT_EQ(cs_get(handle_, "k", 1, nullptr, &Completions::Function, &completions_), CS_OK);
  HungStore::Asked asked = store_->Take();
  call_.timeout_ms = 5;
  cs_result result;
  EXPECT_EQ(cs_store_close_sync(handle_, &call_, &result), CS_TIMEOUT);
  ExpectError(result, CS_TIMEOUT, "close");
  cs_result_release(&result);
  EXPECT_EQ(completions_.Wait(1), CS_CANCELLED);
  asked.get(Answer(Code::kNotFound));
}

// ---- Limits ----

TEST(RuntimeLimitTest, ARuntimeRefusesCallsBeyondItsMost) {
  RuntimeSettings settings;
  settings.max_calls = 2;
  const auto slot = MakeRef<RuntimeSlot>(settings);
  const auto store = MakeRef<HungStore>(slot->Acquire());
  cs_store* const handle = Wrap(store.get());
  cs_queue* const queue = cs_queue_new(8, nullptr);
  cs_call call = CS_CALL_INIT;
  Completions completions;
  ASSERT_EQ(cs_get(handle, "a", 1, nullptr, &Completions::Function, &completions), CS_OK);
  call.queue = queue;
  ASSERT_EQ(cs_get(handle, "b", 1, &call, nullptr, nullptr), CS_OK);
  EXPECT_EQ(cs_get(handle, "c", 1, nullptr, &Completions::Function, &completions), CS_BUSY);
  EXPECT_EQ(cs_get(handle, "c", 1, &call, nullptr, nullptr), CS_BUSY);
  store->Take().get(Answer(Code::kNotFound));
  store->Take().get(Answer(Code::kNotFound));
  EXPECT_EQ(completions.Wait(1), CS_NOT_FOUND);
  // The call is counted until its completion has returned, which may be a moment later.
  while (cs_get(handle, "c", 1, nullptr, &Completions::Function, &completions) == CS_BUSY) {
    std::this_thread::yield();
  }
  store->Take().get(Answer(Code::kNotFound));
  EXPECT_EQ(completions.Wait(2), CS_NOT_FOUND);
  cs_queue_unref(queue);
  EXPECT_EQ(cs_store_close_sync(handle, nullptr, nullptr), CS_OK);
}

}  // namespace
}  // namespace chainstore
