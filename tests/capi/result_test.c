/* Section 5 of chainstore.h: the layout of results and entries, and who releases what. */
#include "capi_test.h"

static void count(void* context) { ++*(int*)context; }

static void test_layout_is_frozen_without_padding(void** state) {
  (void)state;
  assert_int_equal(offsetof(cs_result, total_size), 8);
  assert_int_equal(offsetof(cs_result, expires_at_ms), 16);
  assert_int_equal(offsetof(cs_result, version), 24);
  assert_int_equal(offsetof(cs_result, tier), 32);
  assert_int_equal(offsetof(cs_result, data), 40);
  assert_int_equal(offsetof(cs_result, size), 40 + sizeof(void*));
  assert_int_equal(offsetof(cs_result, value), 40 + 2 * sizeof(void*));
  assert_int_equal(offsetof(cs_result, entries), 40 + 3 * sizeof(void*));
  assert_int_equal(offsetof(cs_result, count), 40 + 4 * sizeof(void*));
  assert_int_equal(offsetof(cs_result, error), 40 + 5 * sizeof(void*));
  assert_int_equal(offsetof(cs_result, user_data), 40 + 6 * sizeof(void*));
  assert_int_equal(offsetof(cs_result, owner), 40 + 7 * sizeof(void*));
  assert_int_equal(sizeof(cs_result), 40 + 8 * sizeof(void*) + 24);
  assert_int_equal(offsetof(cs_entry, total_size), 8);
  assert_int_equal(offsetof(cs_entry, key), 40);
  assert_int_equal(offsetof(cs_entry, error), 40 + 5 * sizeof(void*));
  assert_int_equal(sizeof(cs_entry), 40 + 6 * sizeof(void*));
}

static void test_init_macros_say_nothing(void** state) {
  const cs_result result = CS_RESULT_INIT;
  const cs_call call = CS_CALL_INIT;
  const cs_range range = CS_RANGE_INIT;
  static const cs_result zero;
  (void)state;
  assert_memory_equal(&result, &zero, sizeof(zero));
  assert_int_equal(call.struct_size, sizeof(call));
  assert_int_equal(call.timeout_ms, 0);
  assert_int_equal(range.struct_size, sizeof(range));
}

static void test_release_zeroes_all_but_user_data(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  cs_result expected = CS_RESULT_INIT;
  (void)state;
  put_text(store, "k", "value");
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_non_null(waiter.result.value);
  cs_result_release(&waiter.result);
  expected.user_data = &waiter;
  assert_memory_equal(&waiter.result, &expected, sizeof(expected));
  cs_result_release(&waiter.result); /* twice is once */
  assert_memory_equal(&waiter.result, &expected, sizeof(expected));
  close_store(store);
}

static void test_move_empties_from_and_overwrites_to(void** state) {
  cs_store* store = open_memory();
  cs_result from, to, before, emptied = CS_RESULT_INIT;
  (void)state;
  put_text(store, "k", "value");
  memset(&to, 0xa5, sizeof(to));
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &from), CS_OK);
  assert_null(from.user_data);
  from.user_data = &to;
  emptied.user_data = &to;
  before = from;
  cs_result_move(&to, &from);
  assert_memory_equal(&to, &before, sizeof(to));
  assert_memory_equal(&from, &emptied, sizeof(from));
  cs_result_move(&to, &to);
  assert_memory_equal(&to, &before, sizeof(to));
  cs_result_release(&from);
  cs_result_release(&to);
  close_store(store);
}

static void test_a_reference_outlives_the_result(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  cs_value* value;
  const void* data;
  size_t size = 0;
  (void)state;
  put_text(store, "k", "value");
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_OK);
  value = cs_value_ref(result.value);
  data = result.data;
  cs_result_release(&result);
  cs_del_sync(store, "k", 1, NULL, NULL);
  close_store(store);
  assert_ptr_equal(cs_value_data(value, &size), data);
  assert_int_equal(size, 5);
  assert_memory_equal(data, "value", 5);
  cs_value_unref(value);
}

static void test_a_copy_by_memcpy_is_as_good(void** state) {
  cs_store* store = open_memory();
  cs_result result, copy;
  int released = 0;
  static char bytes[] = "bytes";
  cs_value* value = cs_value_wrap(bytes, 5, count, &released, NULL);
  (void)state;
  assert_int_equal(cs_put_value_sync(store, "k", 1, value, NULL, NULL), CS_OK);
  cs_value_unref(value);
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_OK);
  close_store(store);
  memcpy(&copy, &result, sizeof(copy));
  assert_memory_equal(copy.data, "bytes", 5);
  cs_result_release(&copy); /* exactly one of them */
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  assert_int_equal(released, 1);
}

static void test_private_means_nobody_else_sees_the_bytes(void** state) {
  cs_store* store = open_memory();
  cs_result shared, own;
  (void)state;
  put_text(store, "k", "value");
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &shared), CS_OK);
  assert_int_equal(shared.flags & CS_RESULT_PRIVATE, 0); /* the store has it too */
  assert_int_equal(cs_get_range_sync(store, "k", 1, 1, 2, NULL, &own), CS_OK);
  if (own.flags & CS_RESULT_PRIVATE) memset((void*)(uintptr_t)own.data, 'x', own.size);
  expect_text(store, "k", "value");
  cs_result_release(&shared);
  cs_result_release(&own);
  close_store(store);
}

int test_results(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layout_is_frozen_without_padding),
      cmocka_unit_test(test_init_macros_say_nothing),
      cmocka_unit_test(test_release_zeroes_all_but_user_data),
      cmocka_unit_test(test_move_empties_from_and_overwrites_to),
      cmocka_unit_test(test_a_reference_outlives_the_result),
      cmocka_unit_test(test_a_copy_by_memcpy_is_as_good),
      cmocka_unit_test(test_private_means_nobody_else_sees_the_bytes),
  };
  return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}
