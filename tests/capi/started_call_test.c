/* Section 6 of chainstore.h: the start functions. One completion each, and on whose stack. */
#include "capi_test.h"

/* Set while this thread is inside a start function. */
static __thread int starting;
static __thread int completed_while_starting;

static void watch_the_stack(void* user_data, cs_result* result) {
  completed_while_starting += starting;
  complete(user_data, result);
}

static cs_status start_get(cs_store* store, const cs_call* call, struct waiter* waiter) {
  cs_status status;
  starting = 1;
  status = cs_get(store, "k", 1, call, watch_the_stack, waiter);
  starting = 0;
  return status;
}

static void test_a_completion_never_runs_on_the_callers_stack(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  int at;
  (void)state;
  put_text(store, "k", "v");
  for (at = 1; at <= 100; ++at) {
    assert_int_equal(start_get(store, NULL, &waiter), CS_OK);
    assert_int_equal(wait_for(&waiter, at), CS_OK);
    assert_false(pthread_equal(waiter.thread, pthread_self()));
    assert_ptr_equal(waiter.result.user_data, &waiter);
    assert_memory_equal(waiter.result.data, "v", 1);
  }
  assert_int_equal(completed_while_starting, 0);
  assert_int_equal(waiter.completions, 100);
  cs_result_release(&waiter.result);
  close_store(store);
}

static void test_inline_may_complete_before_the_function_returns(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  put_text(store, "k", "v");
  call.flags = CS_CALL_INLINE;
  completed_while_starting = 0;
  assert_int_equal(start_get(store, &call, &waiter), CS_OK);
  assert_int_equal(completed_while_starting, 1); /* a hit in memory is there at once */
  assert_int_equal(waiter.completions, 1);
  assert_ptr_equal(waiter.result.user_data, &waiter);
  assert_memory_equal(waiter.result.data, "v", 1);
  assert_int_equal(cs_put(store, "k", 1, "w", 1, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 2), CS_OK);
  assert_int_equal(cs_get(store, "", 0, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 3), CS_INVALID);
  cs_result_release(&waiter.result);
  close_store(store);
}

/* A hit of the whole value has a shorter way than these, which must not go it. */
static void test_inline_answers_what_was_asked(void** state) {
  static const char bytes[] = "0123";
  cs_store* store = open_memory();
  cs_value* lent = cs_value_wrap(bytes, 4, NULL, NULL, NULL);
  struct waiter waiter = WAITER_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  assert_int_equal(cs_put_value_sync(store, "k", 1, lent, NULL, NULL), CS_OK);
  cs_value_unref(lent);
  call.flags = CS_CALL_INLINE;
  assert_int_equal(start_get(store, &call, &waiter), CS_OK);
  assert_ptr_equal(waiter.result.data, bytes);
  assert_int_equal(cs_get_range(store, "k", 1, 1, 2, &call, complete, &waiter), CS_OK);
  assert_int_equal(waiter.completions, 2);
  assert_int_equal(waiter.result.size, 2);
  assert_int_equal(waiter.result.total_size, 4);
  assert_int_equal(cs_stat(store, "k", 1, &call, complete, &waiter), CS_OK);
  assert_int_equal(waiter.completions, 3);
  assert_null(waiter.result.value);
  assert_int_equal(waiter.result.total_size, 4);
  call.flags = CS_CALL_INLINE | CS_CALL_OWNED;
  assert_int_equal(start_get(store, &call, &waiter), CS_OK);
  assert_int_equal(waiter.completions, 4);
  assert_memory_equal(waiter.result.data, bytes, 4);
  assert_ptr_not_equal(waiter.result.data, bytes); /* a copy, as asked */
  cs_result_release(&waiter.result);
  close_store(store);
}

struct chain_of_calls {
  cs_store* store;
  struct waiter waiter;
  int left;
  int nested; /* completions that began while another one was running on the same thread */
};
static __thread int in_completion;

static void start_the_next(void* user_data, cs_result* result) {
  struct chain_of_calls* calls = user_data;
  calls->nested += in_completion;
  in_completion = 1;
  if (--calls->left > 0) {
    if (cs_get(calls->store, "k", 1, NULL, start_the_next, calls) != CS_OK) calls->left = -1;
  } else {
    complete(&calls->waiter, result);
  }
  in_completion = 0;
}

static void test_a_call_started_in_a_completion_is_no_deeper(void** state) {
  struct chain_of_calls calls = {NULL, WAITER_INIT, 10000, 0};
  (void)state;
  calls.store = open_memory();
  put_text(calls.store, "k", "v");
  assert_int_equal(cs_get(calls.store, "k", 1, NULL, start_the_next, &calls), CS_OK);
  assert_int_equal(wait_for(&calls.waiter, 1), CS_OK);
  assert_int_equal(calls.nested, 0);
  cs_result_release(&calls.waiter.result);
  close_store(calls.store);
}

static void test_every_operation_completes_once(void** state) {
  static const uint32_t sizes[] = {1, 1};
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_value* value = cs_value_new("shared", 6, NULL);
  cs_batch* batch = cs_batch_new();
  int count = 0;
  (void)state;
  assert_int_equal(cs_put(store, "a", 1, "data", 4, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_int_equal(cs_put_value(store, "b", 1, value, NULL, complete, &waiter), CS_OK);
  cs_value_unref(value); /* the call has a reference of its own */
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_int_equal(cs_get(store, "b", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_memory_equal(waiter.result.data, "shared", 6);
  assert_int_equal(cs_get_range(store, "a", 1, 1, 2, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_memory_equal(waiter.result.data, "at", 2);
  assert_int_equal(waiter.result.total_size, 4);
  assert_int_equal(cs_stat(store, "a", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_int_equal(waiter.result.total_size, 4);
  assert_null(waiter.result.value);
  assert_int_equal(cs_get_many(store, "ab", sizes, 2, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_int_equal(waiter.result.count, 2);
  assert_memory_equal(waiter.result.entries[1].data, "shared", 6);
  assert_int_equal(cs_batch_del(batch, "a", 1), CS_OK);
  assert_int_equal(cs_write(store, batch, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_int_equal(waiter.result.count, 1);
  assert_int_equal(cs_del(store, "b", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  assert_int_equal(cs_flush(store, "x", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  expect_text(store, "a", NULL);
  expect_text(store, "b", NULL);
  assert_int_equal(cs_store_close(store, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, ++count), CS_OK);
  cs_store_unref(store);
  cs_batch_free(batch);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  assert_int_equal(waiter.completions, count); /* and none came twice */
  cs_result_release(&waiter.result);
}

static void release_itself(void* user_data, cs_result* result) {
  struct waiter* waiter = user_data;
  cs_result copy = CS_RESULT_INIT;
  copy.status = result->status;
  cs_result_release(result); /* the library may do it, and so may you */
  copy.user_data = NULL;
  complete(waiter, &copy);
}

static void test_a_callback_may_release_its_result(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  (void)state;
  put_text(store, "k", "v");
  assert_int_equal(cs_get(store, "k", 1, NULL, release_itself, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_int_equal(cs_get(store, "", 0, NULL, release_itself, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 2), CS_INVALID);
  close_store(store);
}

static void test_arguments_are_not_needed_after_the_start(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  char* bytes = malloc(8);
  cs_call* call = malloc(sizeof(cs_call));
  const cs_call init = CS_CALL_INIT;
  (void)state;
  *call = init;
  memcpy(bytes, "keydata", 8);
  assert_int_equal(cs_put(store, bytes, 3, bytes + 3, 4, call, complete, &waiter), CS_OK);
  memset(bytes, 'x', 8);
  memset(call, 0xff, sizeof(*call));
  free(bytes);
  free(call);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  expect_text(store, "key", "data");
  close_store(store);
}

static void test_a_call_holds_its_store(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  (void)state;
  put_text(store, "k", "v");
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  cs_store_unref(store); /* the last of ours */
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_memory_equal(waiter.result.data, "v", 1);
  cs_result_release(&waiter.result);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
}

static void test_writes_of_one_key_by_one_thread_keep_their_order(void** state) {
  enum { kWrites = 500 };
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  char text[16];
  int at;
  (void)state;
  for (at = 0; at < kWrites; ++at) {
    text[0] = (char)at;
    text[1] = (char)(at >> 8);
    if (at % 7 == 3) {
      assert_int_equal(cs_del(store, "k", 1, NULL, complete, &waiter), CS_OK);
    }
    assert_int_equal(cs_put(store, "k", 1, text, 2, NULL, complete, &waiter), CS_OK);
  }
  wait_for(&waiter, kWrites + (kWrites + 3) / 7);
  text[2] = 0;
  {
    cs_result result;
    assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_OK);
    assert_memory_equal(result.data, text, 2);
    expect_status(&result, CS_OK);
  }
  cs_result_release(&waiter.result);
  close_store(store);
}

static void test_fire_and_forget_is_done_all_the_same(void** state) {
  cs_store* store = open_memory();
  (void)state;
  assert_int_equal(cs_put(store, "k", 1, "v", 1, NULL, NULL, NULL), CS_OK);
  assert_int_equal(cs_flush_sync(store, NULL, 0, NULL, NULL), CS_OK);
  expect_text(store, "k", "v");
  close_store(store);
}

int test_started_calls(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_completion_never_runs_on_the_callers_stack),
      cmocka_unit_test(test_inline_may_complete_before_the_function_returns),
      cmocka_unit_test(test_inline_answers_what_was_asked),
      cmocka_unit_test(test_a_call_started_in_a_completion_is_no_deeper),
      cmocka_unit_test(test_every_operation_completes_once),
      cmocka_unit_test(test_a_callback_may_release_its_result),
      cmocka_unit_test(test_arguments_are_not_needed_after_the_start),
      cmocka_unit_test(test_a_call_holds_its_store),
      cmocka_unit_test(test_writes_of_one_key_by_one_thread_keep_their_order),
      cmocka_unit_test(test_fire_and_forget_is_done_all_the_same),
  };
  return cmocka_run_group_tests_name("started calls", tests, NULL, NULL);
}
