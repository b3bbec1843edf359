/* Section 3 of chainstore.h: what an error says, and how long it lives. */
#include "capi_test.h"

static void test_a_failure_names_store_operation_and_cause(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  cs_error* error;
  size_t size = 7;
  (void)state;
  assert_int_equal(cs_get_sync(store, "", 0, NULL, &result), CS_INVALID);
  error = cs_error_ref(result.error);
  cs_result_release(&result);
  close_store(store);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  assert_int_equal(cs_error_is_retryable(error), 0);
  assert_non_null(strstr(cs_error_message(error), "memory"));
  assert_non_null(strstr(cs_error_message(error), "get"));
  assert_non_null(strstr(cs_error_message(error), "1 to 1024"));
  assert_string_equal(cs_error_detail(error, "operation", &size), "get");
  assert_int_equal(size, 3);
  assert_null(cs_error_detail(error, "s3_code", &size));
  assert_int_equal(size, 0);
  assert_null(cs_error_detail(error, NULL, NULL));
  assert_null(cs_error_cause(error, 0));
  cs_error_unref(error);
}

static void test_details_can_be_walked(void** state) {
  cs_options* details = cs_options_new();
  cs_error* error;
  const char* name = NULL;
  size_t size = 0;
  (void)state;
  cs_options_set(details, "key", "k1");
  cs_options_set(details, "attempt", "3");
  error = cs_error_new(CS_DENIED, "no way in", 1, details);
  cs_options_free(details);
  assert_int_equal(cs_error_status(error), CS_DENIED);
  assert_string_equal(cs_error_message(error), "no way in");
  assert_int_equal(cs_error_is_retryable(error), 1);
  assert_string_equal(cs_error_detail(error, "key", NULL), "k1");
  assert_string_equal(cs_error_detail_at(error, 0, &name, &size), "3");
  assert_string_equal(name, "attempt");
  assert_int_equal(size, 1);
  assert_string_equal(cs_error_detail_at(error, 1, &name, NULL), "k1");
  assert_string_equal(name, "key");
  assert_null(cs_error_detail_at(error, 2, &name, &size));
  assert_null(name);
  assert_int_equal(size, 0);
  cs_error_unref(error);
}

static void test_only_a_failure_can_be_an_error(void** state) {
  (void)state;
  assert_null(cs_error_new(CS_OK, "fine", 0, NULL));
  assert_null(cs_error_new(CS_NOT_FOUND, "an answer", 0, NULL));
  assert_null(cs_error_new(-17, "unknown", 0, NULL));
  assert_null(cs_error_new(INT32_MIN, "unknown", 0, NULL));
  assert_null(cs_error_new(CS_IO, NULL, 0, NULL));
  cs_error_unref(cs_error_new(CS_NO_SPACE, "full", 0, NULL));
}

int test_errors(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_failure_names_store_operation_and_cause),
      cmocka_unit_test(test_details_can_be_walked),
      cmocka_unit_test(test_only_a_failure_can_be_an_error),
  };
  return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
