/* Section 6 of chainstore.h: the functions that wait, and those that never do. */
#include "capi_test.h"

static void test_put_get_del(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  cs_get_sync(store, "k", 1, NULL, &result);
  assert_null(result.data);
  expect_status(&result, CS_NOT_FOUND);
  cs_put_sync(store, "k", 1, "\1\2\3", 3, NULL, &result);
  expect_status(&result, CS_OK);
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_OK);
  assert_int_equal(result.size, 3);
  assert_memory_equal(result.data, "\1\2\3", 3);
  assert_int_equal(result.total_size, 3);
  assert_int_equal(result.expires_at_ms, 0);
  assert_int_equal(result.tier, 1);
  assert_ptr_equal(cs_value_data(result.value, NULL), result.data);
  assert_null(result.entries);
  expect_status(&result, CS_OK);
  cs_del_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_OK);
  expect_text(store, "k", NULL);
  cs_del_sync(store, "k", 1, NULL, &result); /* nothing to delete is fine */
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_an_empty_value_is_not_missing(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  put_text(store, "k", "");
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_OK);
  assert_non_null(result.data);
  assert_non_null(result.value);
  assert_int_equal(result.size, 0);
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_the_callers_bytes_are_his_own_afterwards(void** state) {
  cs_store* store = open_memory();
  char key[] = "key", data[] = "data";
  (void)state;
  assert_int_equal(cs_put_sync(store, key, 3, data, 4, NULL, NULL), CS_OK);
  memset(key, 'x', 3);
  memset(data, 'x', 4);
  expect_text(store, "key", "data");
  expect_text(store, "xxx", NULL);
  close_store(store);
}

static void test_the_version_changes_with_every_write(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  uint64_t first;
  (void)state;
  put_text(store, "k", "a");
  cs_stat_sync(store, "k", 1, NULL, &result);
  first = result.version;
  assert_true(first != 0);
  expect_status(&result, CS_OK);
  put_text(store, "k", "a");
  cs_get_sync(store, "k", 1, NULL, &result);
  assert_true(result.version != first);
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_if_absent_changes_nothing_that_is_there(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  call.flags = CS_CALL_IF_ABSENT;
  cs_put_sync(store, "k", 1, "first", 5, &call, &result);
  expect_status(&result, CS_OK);
  cs_put_sync(store, "k", 1, "second", 6, &call, &result);
  expect_status(&result, CS_EXISTS);
  expect_text(store, "k", "first");
  close_store(store);
}

static void test_a_ttl_is_seen_and_ends_the_entry(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  call.ttl_ms = 3600000;
  cs_put_sync(store, "long", 4, "v", 1, &call, &result);
  expect_status(&result, CS_OK);
  cs_stat_sync(store, "long", 4, NULL, &result);
  assert_true(result.expires_at_ms > 1600000000000);
  expect_status(&result, CS_OK);
  call.ttl_ms = 1;
  cs_put_sync(store, "short", 5, "v", 1, &call, &result);
  expect_status(&result, CS_OK);
  while (cs_get_sync(store, "short", 5, NULL, &result) == CS_OK) cs_result_release(&result);
  expect_status(&result, CS_NOT_FOUND);
  call.ttl_ms = 0;
  call.flags = CS_CALL_IF_ABSENT; /* what expired is absent */
  cs_put_sync(store, "short", 5, "w", 1, &call, &result);
  expect_status(&result, CS_OK);
  expect_text(store, "short", "w");
  close_store(store);
}

static void expect_range(cs_store* store, uint64_t offset, uint64_t length, const char* text) {
  cs_result result;
  assert_int_equal(cs_get_range_sync(store, "k", 1, offset, length, NULL, &result), CS_OK);
  assert_int_equal(result.size, strlen(text));
  assert_memory_equal(result.data, text, strlen(text));
  assert_int_equal(result.total_size, 6);
  assert_non_null(result.data);
  expect_status(&result, CS_OK);
}

static void test_a_range_past_the_end_is_cut(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  put_text(store, "k", "abcdef");
  expect_range(store, 0, 6, "abcdef");
  expect_range(store, 1, 2, "bc");
  expect_range(store, 4, 9, "ef");
  expect_range(store, 2, UINT64_MAX, "cdef");
  expect_range(store, 6, 1, "");
  expect_range(store, UINT64_MAX, UINT64_MAX, "");
  expect_range(store, 3, 0, "");
  cs_get_range_sync(store, "x", 1, 0, 1, NULL, &result);
  expect_status(&result, CS_NOT_FOUND);
  close_store(store);
}

static void test_stat_tells_everything_but_the_value(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  put_text(store, "k", "abcdef");
  assert_int_equal(cs_stat_sync(store, "k", 1, NULL, &result), CS_OK);
  assert_int_equal(result.total_size, 6);
  assert_int_equal(result.size, 0);
  assert_null(result.data);
  assert_null(result.value);
  expect_status(&result, CS_OK);
  cs_stat_sync(store, "x", 1, NULL, &result);
  expect_status(&result, CS_NOT_FOUND);
  close_store(store);
}

static void test_get_many_answers_each_key_in_order(void** state) {
  static const uint32_t sizes[] = {1, 4, 2, 1};
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  put_text(store, "a", "1");
  put_text(store, "bb", "");
  assert_int_equal(cs_get_many_sync(store, "amissbba", sizes, 4, NULL, &result), CS_OK);
  assert_int_equal(result.count, 4);
  assert_int_equal(result.entries[0].status, CS_OK);
  assert_int_equal(result.entries[0].key_size, 1);
  assert_memory_equal(result.entries[0].key, "a", 1);
  assert_memory_equal(result.entries[0].data, "1", 1);
  assert_int_equal(result.entries[0].total_size, 1);
  assert_non_null(result.entries[0].value);
  assert_int_equal(result.entries[1].status, CS_NOT_FOUND);
  assert_memory_equal(result.entries[1].key, "miss", 4);
  assert_null(result.entries[1].value);
  assert_null(result.entries[1].error);
  assert_int_equal(result.entries[2].status, CS_OK);
  assert_non_null(result.entries[2].data);
  assert_int_equal(result.entries[2].size, 0);
  assert_memory_equal(result.entries[3].key, "a", 1); /* the same key twice */
  assert_null(result.value);
  expect_status(&result, CS_OK);
  assert_int_equal(cs_get_many_sync(store, NULL, NULL, 0, NULL, &result), CS_OK);
  assert_int_equal(result.count, 0);
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_get_many_with_a_bad_key_looks_nothing_up(void** state) {
  static const uint32_t empty[] = {1, 0}, too_long[] = {1, 1025};
  static const char keys[1100] = "aa";
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  cs_get_many_sync(store, keys, empty, 2, NULL, &result);
  assert_non_null(strstr(cs_error_message(result.error), "key 1"));
  assert_int_equal(result.count, 0);
  expect_status(&result, CS_INVALID);
  cs_get_many_sync(store, keys, too_long, 2, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_get_many_sync(store, NULL, empty, 2, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_get_many_sync(store, keys, NULL, 2, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_get_many_sync(store, keys, empty, (size_t)1 << 40, NULL, &result);
  expect_status(&result, CS_TOO_LARGE);
  close_store(store);
}

static void test_get_into_says_how_much_room_it_needs(void** state) {
  cs_store* store = open_memory();
  char buffer[4] = "....";
  size_t size = 99;
  cs_error* error = NULL;
  (void)state;
  put_text(store, "k", "abc");
  put_text(store, "empty", "");
  assert_int_equal(cs_get_into(store, "k", 1, NULL, NULL, 0, &size, &error), CS_TOO_SMALL);
  assert_int_equal(size, 3);
  assert_int_equal(cs_get_into(store, "k", 1, NULL, buffer, 2, &size, &error), CS_TOO_SMALL);
  assert_memory_equal(buffer, "....", 4);
  assert_int_equal(cs_get_into(store, "k", 1, NULL, buffer, 4, &size, &error), CS_OK);
  assert_memory_equal(buffer, "abc.", 4);
  assert_int_equal(size, 3);
  assert_int_equal(cs_get_into(store, "empty", 5, NULL, NULL, 0, &size, &error), CS_OK);
  assert_int_equal(size, 0);
  assert_int_equal(cs_get_into(store, "x", 1, NULL, buffer, 4, &size, &error), CS_NOT_FOUND);
  assert_int_equal(size, 0);
  assert_null(error);
  assert_int_equal(cs_get_into(store, "", 0, NULL, buffer, 4, &size, &error), CS_INVALID);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_int_equal(cs_get_into(store, "k", 1, NULL, NULL, 4, &size, &error), CS_INVALID);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_int_equal(cs_get_into(store, "k", 1, NULL, buffer, 4, NULL, &error), CS_INVALID);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  assert_int_equal(cs_get_into(store, "", 0, NULL, buffer, 4, &size, NULL), CS_INVALID);
  close_store(store);
}

static void test_get_try_answers_from_memory(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  assert_true((cs_store_caps(store) & CS_CAP_TRY) != 0);
  put_text(store, "k", "v");
  assert_int_equal(cs_get_try(store, "k", 1, &result), CS_OK);
  assert_memory_equal(result.data, "v", 1);
  expect_status(&result, CS_OK);
  assert_int_equal(cs_get_try(store, "x", 1, &result), CS_NOT_FOUND);
  expect_status(&result, CS_NOT_FOUND);
  assert_int_equal(cs_get_try(store, "", 0, &result), CS_INVALID);
  expect_status(&result, CS_INVALID);
  close_store(store);
}

static void test_no_wait_undoes_what_is_no_get(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  put_text(store, "k", "v");
  call.flags = CS_CALL_NO_WAIT;
  cs_put_sync(store, "k", 1, "w", 1, &call, &result);
  expect_status(&result, CS_WOULD_BLOCK);
  cs_del_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_WOULD_BLOCK);
  cs_flush_sync(store, NULL, 0, &call, &result);
  expect_status(&result, CS_WOULD_BLOCK);
  cs_store_close_sync(store, &call, &result);
  expect_status(&result, CS_WOULD_BLOCK);
  cs_get_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_OK);
  cs_stat_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_OK);
  expect_text(store, "k", "v");
  close_store(store);
}

static void test_flush_of_any_prefix(void** state) {
  cs_store* store = open_memory();
  char prefix[1025];
  cs_result result;
  (void)state;
  memset(prefix, 'p', sizeof(prefix));
  cs_flush_sync(store, NULL, 0, NULL, &result);
  expect_status(&result, CS_OK);
  cs_flush_sync(store, prefix, 1024, NULL, &result);
  expect_status(&result, CS_OK);
  cs_flush_sync(store, prefix, 1025, NULL, &result);
  expect_status(&result, CS_INVALID);
  close_store(store);
}

int test_waiting_calls(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_put_get_del),
      cmocka_unit_test(test_an_empty_value_is_not_missing),
      cmocka_unit_test(test_the_callers_bytes_are_his_own_afterwards),
      cmocka_unit_test(test_the_version_changes_with_every_write),
      cmocka_unit_test(test_if_absent_changes_nothing_that_is_there),
      cmocka_unit_test(test_a_ttl_is_seen_and_ends_the_entry),
      cmocka_unit_test(test_a_range_past_the_end_is_cut),
      cmocka_unit_test(test_stat_tells_everything_but_the_value),
      cmocka_unit_test(test_get_many_answers_each_key_in_order),
      cmocka_unit_test(test_get_many_with_a_bad_key_looks_nothing_up),
      cmocka_unit_test(test_get_into_says_how_much_room_it_needs),
      cmocka_unit_test(test_get_try_answers_from_memory),
      cmocka_unit_test(test_no_wait_undoes_what_is_no_get),
      cmocka_unit_test(test_flush_of_any_prefix),
  };
  return cmocka_run_group_tests_name("waiting calls", tests, NULL, NULL);
}
