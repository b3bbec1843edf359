/* Sections 6 and 8 of chainstore.h: tokens and deadlines, before, during and after a call. What
 * happens to a call whose store hangs is shown by completion_test.cc, with a store that does. */
#include "capi_test.h"

static void test_a_token_fires_once_and_for_all(void** state) {
  cs_cancel* cancel = cs_cancel_new();
  (void)state;
  assert_int_equal(cs_cancel_is_fired(cancel), 0);
  assert_ptr_equal(cs_cancel_ref(cancel), cancel);
  cs_cancel_unref(cancel);
  assert_int_equal(cs_cancel_is_fired(cancel), 0);
  cs_cancel_fire(cancel);
  cs_cancel_fire(cancel);
  assert_int_equal(cs_cancel_is_fired(cancel), 1);
  cs_cancel_unref(cancel);
  assert_null(cs_cancel_ref(NULL));
  cs_cancel_unref(NULL);
  cs_cancel_fire(NULL);
  assert_int_equal(cs_cancel_is_fired(NULL), 0);
}

static void test_a_call_with_a_fired_token_does_nothing(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_call call = CS_CALL_INIT;
  cs_result result;
  cs_scan* scan = cs_scan_new(store, NULL, NULL);
  cs_batch* batch = cs_batch_new();
  (void)state;
  put_text(store, "k", "before");
  call.cancel = cs_cancel_new();
  cs_cancel_fire(call.cancel);
  cs_put_sync(store, "k", 1, "after", 5, &call, &result);
  assert_string_equal(cs_error_detail(result.error, "operation", NULL), "put");
  expect_status(&result, CS_CANCELLED);
  cs_get_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_CANCELLED);
  cs_scan_next_sync(scan, &call, &result);
  expect_status(&result, CS_CANCELLED);
  cs_store_close_sync(store, &call, &result);
  expect_status(&result, CS_CANCELLED);
  cs_batch_del(batch, "k", 1);
  assert_int_equal(cs_write(store, batch, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_CANCELLED);
  assert_int_equal(cs_del(store, "k", 1, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 2), CS_CANCELLED);
  assert_non_null(waiter.result.error);
  assert_int_equal(cs_scan_next(scan, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 3), CS_CANCELLED);
  cs_result_release(&waiter.result);
  expect_text(store, "k", "before");
  cs_cancel_unref(call.cancel);
  cs_scan_free(scan);
  cs_batch_free(batch);
  close_store(store);
}

static void test_firing_after_the_completion_changes_nothing(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  put_text(store, "k", "v");
  call.cancel = cs_cancel_new();
  assert_int_equal(cs_get(store, "k", 1, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  cs_cancel_fire(call.cancel);
  cs_cancel_unref(call.cancel);
  close_store(store);
  cs_result_release(&waiter.result);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  assert_int_equal(waiter.completions, 1);
}

static void test_dropping_a_token_cancels_nothing(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  put_text(store, "k", "v");
  call.cancel = cs_cancel_new();
  assert_int_equal(cs_get(store, "k", 1, &call, complete, &waiter), CS_OK);
  cs_cancel_unref(call.cancel);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  cs_result_release(&waiter.result);
  close_store(store);
}

static void test_a_timeout_that_is_none(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  static const uint64_t timeouts[] = {0, CS_FOREVER, CS_FOREVER - 1, 1000000};
  size_t at;
  (void)state;
  put_text(store, "k", "v");
  for (at = 0; at < 4; ++at) {
    call.timeout_ms = timeouts[at];
    cs_get_sync(store, "k", 1, &call, &result);
    expect_status(&result, CS_OK);
  }
  close_store(store);
}

static void* fire(void* cancel) {
  cs_cancel_fire(cancel);
  return NULL;
}

static void test_a_cancel_that_races_its_calls_completes_each_once(void** state) {
  enum { kRounds = 60, kCalls = 50 };
  cs_store* store = open_memory();
  int round, at;
  (void)state;
  put_text(store, "k", "v");
  for (round = 0; round < kRounds; ++round) {
    struct waiter waiter = WAITER_INIT;
    cs_call call = CS_CALL_INIT;
    pthread_t thread;
    call.cancel = cs_cancel_new();
    call.timeout_ms = round % 3 ? 0 : 1;
    assert_int_equal(pthread_create(&thread, NULL, fire, call.cancel), 0);
    for (at = 0; at < kCalls; ++at) {
      const cs_status status = at % 2 ? cs_get(store, "k", 1, &call, complete, &waiter)
                                      : cs_put(store, "k", 1, "v", 1, &call, complete, &waiter);
      assert_int_equal(status, CS_OK);
    }
    wait_for(&waiter, kCalls);
    pthread_join(thread, NULL);
    cs_cancel_unref(call.cancel);
    assert_int_equal(waiter.completions, kCalls);
    cs_result_release(&waiter.result);
  }
  expect_text(store, "k", "v");
  close_store(store);
}

int test_cancel(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_token_fires_once_and_for_all),
      cmocka_unit_test(test_a_call_with_a_fired_token_does_nothing),
      cmocka_unit_test(test_firing_after_the_completion_changes_nothing),
      cmocka_unit_test(test_dropping_a_token_cancels_nothing),
      cmocka_unit_test(test_a_timeout_that_is_none),
      cmocka_unit_test(test_a_cancel_that_races_its_calls_completes_each_once),
  };
  return cmocka_run_group_tests_name("cancel", tests, NULL, NULL);
}
