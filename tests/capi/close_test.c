/* cs_store_close of chainstore.h, exactly. */
#include "capi_test.h"

static void test_after_close_every_call_answers_closed(void** state) {
  static const uint32_t size = 1;
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  struct waiter waiter = WAITER_INIT;
  cs_result result;
  cs_error* error = NULL;
  (void)state;
  put_text(store, "k", "v");
  assert_int_equal(cs_store_close_sync(store, NULL, &result), CS_OK);
  expect_status(&result, CS_OK);
  cs_get_sync(store, "k", 1, NULL, &result);
  assert_non_null(strstr(cs_error_message(result.error), "closed"));
  expect_status(&result, CS_CLOSED);
  cs_get_try(store, "k", 1, &result);
  expect_status(&result, CS_CLOSED);
  cs_put_sync(store, "k", 1, "v", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_del_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_stat_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_get_range_sync(store, "k", 1, 0, 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_get_many_sync(store, "k", &size, 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_batch_del(batch, "k", 1);
  cs_write_sync(store, batch, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_flush_sync(store, NULL, 0, NULL, &result);
  expect_status(&result, CS_CLOSED);
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_CLOSED);
  assert_int_equal(cs_put(store, "k", 1, "v", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 2), CS_CLOSED);
  assert_int_equal(cs_store_set(store, "max_bytes", "1MiB", &error), CS_CLOSED);
  assert_int_equal(cs_error_status(error), CS_CLOSED);
  cs_error_unref(error);
  cs_result_release(&waiter.result);
  cs_batch_free(batch);
  cs_store_unref(store);
}

static void test_closing_again_tells_the_same(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_result result;
  (void)state;
  assert_int_equal(cs_store_close(store, NULL, complete, &waiter), CS_OK);
  cs_store_close_sync(store, NULL, &result);
  expect_status(&result, CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_int_equal(cs_store_close(store, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 2), CS_OK);
  cs_store_close_sync(store, NULL, NULL);
  cs_result_release(&waiter.result);
  cs_store_unref(store);
}

static void test_close_may_be_forgotten_or_queued(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  size_t count;
  (void)state;
  assert_int_equal(cs_store_close(store, NULL, NULL, NULL), CS_OK);
  call.queue = cs_queue_new(1, NULL);
  assert_int_equal(cs_store_close(store, &call, NULL, store), CS_OK);
  assert_int_equal(cs_queue_take(call.queue, &result, 1, CS_FOREVER, &count), CS_OK);
  assert_ptr_equal(result.user_data, store);
  expect_status(&result, CS_OK);
  cs_queue_unref(call.queue);
  cs_store_unref(store);
}

static void test_values_outlive_their_store(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  put_text(store, "k", "value");
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_OK);
  close_store(store);
  assert_memory_equal(result.data, "value", 5);
  cs_result_release(&result);
}

struct user {
  cs_store* store;
  pthread_t thread;
  int answered;
  cs_status wrong;
};

/* Uses the store until it is closed. */
static void* use(void* context) {
  struct user* user = context;
  for (;;) {
    cs_result result;
    const cs_status put = cs_put_sync(user->store, "k", 1, "value", 5, NULL, NULL);
    const cs_status got = cs_get_sync(user->store, "k", 1, NULL, &result);
    if (got == CS_OK && (result.size != 5 || memcmp(result.data, "value", 5) != 0)) {
      user->wrong = CS_INTERNAL;
    }
    cs_result_release(&result);
    if (put != CS_OK && put != CS_CLOSED) user->wrong = put;
    if (got != CS_OK && got != CS_CLOSED) user->wrong = got;
    if (got == CS_CLOSED) return NULL;
    __sync_fetch_and_add(&user->answered, 1);
  }
}

static void test_close_during_calls_lets_them_finish(void** state) {
  enum { kUsers = 4, kCalls = 200 };
  cs_store* store = open_memory();
  struct user users[kUsers];
  struct waiter waiter = WAITER_INIT;
  int at;
  (void)state;
  for (at = 0; at < kUsers; ++at) {
    users[at].store = store;
    users[at].answered = 0;
    users[at].wrong = CS_OK;
    assert_int_equal(pthread_create(&users[at].thread, NULL, use, &users[at]), 0);
  }
  for (at = 0; at < kCalls; ++at) {
    assert_int_equal(cs_put(store, "k", 1, "value", 5, NULL, complete, &waiter), CS_OK);
  }
  for (at = 0; at < kUsers; ++at) {
    while (__sync_fetch_and_add(&users[at].answered, 0) == 0) sched_yield();
  }
  assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  for (at = 0; at < kUsers; ++at) {
    pthread_join(users[at].thread, NULL);
    assert_int_equal(users[at].wrong, CS_OK);
  }
  wait_for(&waiter, kCalls);
  cs_result_release(&waiter.result);
  cs_store_unref(store);
}

static void test_the_last_unref_closes(void** state) {
  cs_store* store = open_memory();
  (void)state;
  put_text(store, "k", "v");
  assert_ptr_equal(cs_store_ref(store), store);
  cs_store_unref(store);
  expect_text(store, "k", "v"); /* not the last one */
  cs_store_unref(store);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
}

int test_close(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_after_close_every_call_answers_closed),
      cmocka_unit_test(test_closing_again_tells_the_same),
      cmocka_unit_test(test_close_may_be_forgotten_or_queued),
      cmocka_unit_test(test_values_outlive_their_store),
      cmocka_unit_test(test_close_during_calls_lets_them_finish),
      cmocka_unit_test(test_the_last_unref_closes),
  };
  return cmocka_run_group_tests_name("close", tests, NULL, NULL);
}
