/* Section 9 of chainstore.h: options, and what constructors and cs_store_set make of them. */
#include "capi_test.h"

static void expect_bad_option(const char* name, const char* value, const char* said) {
  cs_options* options = cs_options_new();
  cs_error* error = NULL;
  assert_int_equal(cs_options_set(options, name, value), CS_OK);
  assert_null(cs_memory_new(1u << 20, options, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  if (!strstr(cs_error_message(error), said)) {
    fail_msg("'%s' is not in: %s", said, cs_error_message(error));
  }
  cs_error_unref(error);
  cs_options_free(options);
}

static void test_an_unknown_option_lists_the_known_ones(void** state) {
  (void)state;
  expect_bad_option("shard", "4", "did you mean 'shards'");
  expect_bad_option("colour", "red", "known: shards");
}

static void test_a_value_of_the_wrong_form_says_so(void** state) {
  (void)state;
  expect_bad_option("shards", "many", "'shards'");
  expect_bad_option("shards", "", "'shards'");
  expect_bad_option("shards", "-1", "'shards'");
  expect_bad_option("shards", "18446744073709551616", "too large");
}

static void test_options_are_copied(void** state) {
  cs_options* options = cs_options_new();
  char name[] = "shards", value[] = "99";
  cs_store* store;
  (void)state;
  assert_int_equal(cs_options_set(options, name, value), CS_OK);
  assert_int_equal(cs_options_set(options, name, "4"), CS_OK); /* replaces */
  memset(name, 'x', 6);
  memset(value, 'x', 2);
  store = cs_memory_new(1u << 20, options, NULL);
  assert_non_null(store);
  cs_options_free(options); /* the store does not need it */
  put_text(store, "k", "v");
  close_store(store);
}

static void test_a_builder_refuses_what_no_option_is(void** state) {
  cs_options* options = cs_options_new();
  char* text = malloc((64u << 10) + 2);
  (void)state;
  memset(text, 'x', (64u << 10) + 1);
  text[(64u << 10) + 1] = 0;
  assert_int_equal(cs_options_set(NULL, "shards", "4"), CS_INVALID);
  assert_int_equal(cs_options_set(options, NULL, "4"), CS_INVALID);
  assert_int_equal(cs_options_set(options, "shards", NULL), CS_INVALID);
  assert_int_equal(cs_options_set(options, "", "4"), CS_INVALID);
  assert_int_equal(cs_options_set(options, text, "4"), CS_INVALID);
  assert_int_equal(cs_options_set(options, "shards", text), CS_TOO_LARGE);
  text[64u << 10] = 0;
  assert_int_equal(cs_options_set(options, "shards", text), CS_OK);
  assert_int_equal(cs_options_set_runtime(NULL, NULL), CS_INVALID);
  assert_int_equal(cs_options_set_runtime(options, NULL), CS_OK);
  cs_options_free(options);
  cs_options_free(NULL);
  free(text);
}

static void test_set_changes_an_open_store(void** state) {
  cs_store* store = open_memory();
  cs_error* error = NULL;
  char* large = calloc(1, 2u << 20);
  cs_result result;
  (void)state;
  assert_int_equal(cs_store_set(store, "max_bytes", "1MiB", &error), CS_OK);
  assert_null(error);
  cs_put_sync(store, "k", 1, large, 2u << 20, NULL, &result);
  assert_true(result.status < 0);
  expect_status(&result, result.status);
  assert_int_equal(cs_store_set(store, "max_bytes", "64MiB", NULL), CS_OK);
  cs_put_sync(store, "k", 1, large, 2u << 20, NULL, &result);
  expect_status(&result, CS_OK);
  assert_int_equal(cs_store_set(store, "shards", "4", &error), CS_INVALID);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_int_equal(cs_store_set(store, "max_bytes", "much", &error), CS_INVALID);
  cs_error_unref(error);
  assert_int_equal(cs_store_set(NULL, "max_bytes", "1MiB", NULL), CS_INVALID);
  assert_int_equal(cs_store_set(store, NULL, "1MiB", NULL), CS_INVALID);
  assert_int_equal(cs_store_set(store, "max_bytes", NULL, NULL), CS_INVALID);
  free(large);
  close_store(store);
}

int test_options(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_unknown_option_lists_the_known_ones),
      cmocka_unit_test(test_a_value_of_the_wrong_form_says_so),
      cmocka_unit_test(test_options_are_copied),
      cmocka_unit_test(test_a_builder_refuses_what_no_option_is),
      cmocka_unit_test(test_set_changes_an_open_store),
  };
  return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
