/* Section 7 of chainstore.h: batches. */
#include "capi_test.h"

static void test_a_batch_is_written_in_its_order(void** state) {
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  cs_value* value = cs_value_new("shared", 6, NULL);
  cs_result result;
  char key[] = "a", data[] = "first";
  (void)state;
  put_text(store, "gone", "x");
  assert_int_equal(cs_batch_put(batch, key, 1, data, 5), CS_OK);
  memset(data, 'x', 5); /* copied */
  key[0] = 'x';
  assert_int_equal(cs_batch_put_value(batch, "b", 1, value), CS_OK);
  cs_value_unref(value);
  assert_int_equal(cs_batch_del(batch, "gone", 4), CS_OK);
  assert_int_equal(cs_batch_put(batch, "b", 1, "last", 4), CS_OK);
  assert_int_equal(cs_batch_put(batch, "e", 1, NULL, 0), CS_OK);
  assert_int_equal(cs_write_sync(store, batch, NULL, &result), CS_OK);
  assert_int_equal(result.count, 5);
  assert_memory_equal(result.entries[2].key, "gone", 4);
  assert_int_equal(result.entries[2].status, CS_OK);
  assert_null(result.entries[0].value);
  expect_status(&result, CS_OK);
  expect_text(store, "a", "first");
  expect_text(store, "b", "last");
  expect_text(store, "gone", NULL);
  expect_text(store, "e", "");
  cs_batch_free(batch);
  close_store(store);
}

static void test_an_accepted_batch_is_empty_and_may_be_filled_again(void** state) {
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  struct waiter waiter = WAITER_INIT;
  cs_result result;
  (void)state;
  assert_int_equal(cs_batch_put(batch, "a", 1, "1", 1), CS_OK);
  assert_int_equal(cs_write(store, batch, NULL, complete, &waiter), CS_OK);
  assert_int_equal(cs_batch_put(batch, "b", 1, "2", 1), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_int_equal(waiter.result.count, 1);
  cs_result_release(&waiter.result);
  assert_int_equal(cs_write_sync(store, batch, NULL, &result), CS_OK);
  assert_int_equal(result.count, 1);
  expect_status(&result, CS_OK);
  assert_int_equal(cs_write_sync(store, batch, NULL, &result), CS_OK); /* nothing is left */
  assert_int_equal(result.count, 0);
  assert_null(result.entries);
  expect_status(&result, CS_OK);
  cs_batch_free(batch);
  close_store(store);
}

static void test_a_refused_batch_is_as_it_was(void** state) {
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  assert_int_equal(cs_batch_put(batch, "a", 1, "1", 1), CS_OK);
  call.reserved = 1;
  assert_int_equal(cs_write(store, batch, &call, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_write(NULL, batch, NULL, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_write_sync(store, batch, &call, NULL), CS_INVALID);
  call.reserved = 0;
  call.flags = CS_CALL_NO_WAIT;
  cs_write_sync(store, batch, &call, &result);
  expect_status(&result, CS_WOULD_BLOCK);
  call.flags = CS_CALL_IF_ABSENT;
  cs_write_sync(store, batch, &call, &result);
  expect_status(&result, CS_UNSUPPORTED);
  assert_int_equal(cs_write_sync(store, batch, NULL, &result), CS_OK);
  assert_int_equal(result.count, 1);
  expect_status(&result, CS_OK);
  expect_text(store, "a", "1");
  cs_batch_free(batch);
  close_store(store);
}

static void test_bad_operations_are_not_added(void** state) {
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  char key[1025];
  cs_result result;
  (void)state;
  memset(key, 'k', sizeof(key));
  assert_int_equal(cs_batch_put(batch, "", 0, "1", 1), CS_INVALID);
  assert_int_equal(cs_batch_put(batch, NULL, 1, "1", 1), CS_INVALID);
  assert_int_equal(cs_batch_put(batch, key, 1025, "1", 1), CS_INVALID);
  assert_int_equal(cs_batch_put(batch, "k", 1, NULL, 1), CS_INVALID);
  assert_int_equal(cs_batch_put_value(batch, "k", 1, NULL), CS_INVALID);
  assert_int_equal(cs_batch_del(batch, "", 0), CS_INVALID);
  assert_int_equal(cs_batch_del(NULL, "k", 1), CS_INVALID);
  assert_int_equal(cs_batch_put(NULL, "k", 1, "1", 1), CS_INVALID);
  assert_int_equal(cs_batch_put_value(NULL, "k", 1, NULL), CS_INVALID);
  assert_int_equal(cs_batch_del(batch, key, 1024), CS_OK);
  assert_int_equal(cs_write_sync(store, batch, NULL, &result), CS_OK);
  assert_int_equal(result.count, 1);
  expect_status(&result, CS_OK);
  cs_batch_free(batch);
  cs_batch_free(NULL);
  close_store(store);
}

static void test_a_ttl_holds_for_every_put_of_the_batch(void** state) {
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  cs_batch_put(batch, "a", 1, "1", 1);
  cs_batch_put(batch, "b", 1, "2", 1);
  call.ttl_ms = 3600000;
  assert_int_equal(cs_write_sync(store, batch, &call, NULL), CS_OK);
  cs_stat_sync(store, "a", 1, NULL, &result);
  assert_true(result.expires_at_ms > 0);
  expect_status(&result, CS_OK);
  cs_stat_sync(store, "b", 1, NULL, &result);
  assert_true(result.expires_at_ms > 0);
  expect_status(&result, CS_OK);
  cs_batch_free(batch);
  close_store(store);
}

static void test_partial_says_of_each_entry_how_it_went(void** state) {
  cs_store* store = cs_memory_new(1u << 20, NULL, NULL);
  cs_batch* batch = cs_batch_new();
  char* large = calloc(1, 4u << 20);
  cs_result result;
  cs_error* error;
  (void)state;
  cs_batch_put(batch, "small", 5, "1", 1);
  cs_batch_put(batch, "large", 5, large, 4u << 20);
  assert_int_equal(cs_write_sync(store, batch, NULL, &result), CS_PARTIAL);
  assert_int_equal(result.count, 2);
  assert_int_equal(result.entries[0].status, CS_OK);
  assert_null(result.entries[0].error);
  assert_true(result.entries[1].status < 0);
  assert_int_equal(cs_error_status(result.entries[1].error), result.entries[1].status);
  assert_int_equal(cs_error_status(cs_error_cause(result.error, 0)), result.entries[1].status);
  assert_null(cs_error_cause(result.error, 1));
  error = cs_error_ref(result.entries[1].error); /* kept beyond the result */
  expect_status(&result, CS_PARTIAL);
  assert_string_not_equal(cs_error_message(error), "");
  cs_error_unref(error);
  expect_text(store, "small", "1");
  cs_batch_put(batch, "large", 5, large, 4u << 20); /* all failed: the first one's status */
  cs_write_sync(store, batch, NULL, &result);
  assert_true(result.status < 0 && result.status != CS_PARTIAL);
  assert_int_equal(result.count, 1);
  expect_status(&result, result.status);
  free(large);
  cs_batch_free(batch);
  close_store(store);
}

int test_batches(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_batch_is_written_in_its_order),
      cmocka_unit_test(test_an_accepted_batch_is_empty_and_may_be_filled_again),
      cmocka_unit_test(test_a_refused_batch_is_as_it_was),
      cmocka_unit_test(test_bad_operations_are_not_added),
      cmocka_unit_test(test_a_ttl_holds_for_every_put_of_the_batch),
      cmocka_unit_test(test_partial_says_of_each_entry_how_it_went),
  };
  return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
