/* Section 4 of chainstore.h: values, and who releases what they are made of. */
#include "capi_test.h"

static void count(void* context) { ++*(int*)context; }

static void test_a_new_value_is_a_copy(void** state) {
  char bytes[] = {'a', 0, 'c'};
  size_t size = 0;
  cs_value* value = cs_value_new(bytes, sizeof(bytes), NULL);
  const void* data = cs_value_data(value, &size);
  (void)state;
  bytes[0] = 'x';
  assert_int_equal(size, 3);
  assert_memory_equal(data, "a\0c", 3);
  assert_ptr_equal(cs_value_data(value, NULL), data);
  cs_value_unref(value);
}

static void test_an_empty_value_has_an_address(void** state) {
  size_t size = 7;
  cs_value* copied = cs_value_new(NULL, 0, NULL);
  cs_value* wrapped = cs_value_wrap(NULL, 0, NULL, NULL, NULL);
  (void)state;
  assert_non_null(cs_value_data(copied, &size));
  assert_int_equal(size, 0);
  assert_non_null(cs_value_data(wrapped, &size));
  assert_int_equal(size, 0);
  cs_value_unref(copied);
  cs_value_unref(wrapped);
}

static void test_null_with_a_size_is_invalid(void** state) {
  cs_error* error = NULL;
  int released = 0;
  (void)state;
  assert_null(cs_value_new(NULL, 3, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_null(cs_value_wrap(NULL, 3, count, &released, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  assert_int_equal(released, 0); /* it failed: the pointer is still ours */
  assert_non_null(strstr(cs_error_message(error), "NULL"));
  cs_error_unref(error);
  assert_null(cs_value_new(NULL, 3, NULL));
}

static void test_success_leaves_error_alone(void** state) {
  cs_error* error = (cs_error*)state;
  cs_value* value = cs_value_new("a", 1, &error);
  assert_ptr_equal(error, state);
  cs_value_unref(value);
}

static void test_wrapped_bytes_are_shared_and_released_once(void** state) {
  static const char bytes[] = "shared";
  int released = 0;
  cs_value* value = cs_value_wrap(bytes, 6, count, &released, NULL);
  (void)state;
  assert_ptr_equal(cs_value_data(value, NULL), bytes);
  assert_ptr_equal(cs_value_ref(value), value);
  cs_value_unref(value);
  assert_int_equal(released, 0);
  cs_value_unref(value);
  assert_int_equal(released, 1);
}

static void test_null_is_harmless(void** state) {
  size_t size = 7;
  const char* name = "x";
  (void)state;
  assert_null(cs_value_ref(NULL));
  cs_value_unref(NULL);
  assert_null(cs_value_data(NULL, &size));
  assert_int_equal(size, 0);
  assert_null(cs_error_ref(NULL));
  cs_error_unref(NULL);
  assert_int_equal(cs_error_status(NULL), CS_INVALID);
  assert_string_equal(cs_error_message(NULL), "");
  assert_int_equal(cs_error_is_retryable(NULL), 0);
  assert_null(cs_error_detail(NULL, "key", &size));
  assert_null(cs_error_detail_at(NULL, 0, &name, &size));
  assert_null(name);
  assert_null(cs_error_cause(NULL, 0));
  cs_result_release(NULL);
  cs_result_move(NULL, NULL);
}

int test_values(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_new_value_is_a_copy),
      cmocka_unit_test(test_an_empty_value_has_an_address),
      cmocka_unit_test(test_null_with_a_size_is_invalid),
      cmocka_unit_test(test_success_leaves_error_alone),
      cmocka_unit_test(test_wrapped_bytes_are_shared_and_released_once),
      cmocka_unit_test(test_null_is_harmless),
  };
  return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
