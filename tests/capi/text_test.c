/* cs_store_open and cs_store_describe: handles, arguments and errors. What the text means is the
 * matter of tests/text. */
#include <stdio.h>

#include "capi_test.h"

static void expect_described(cs_store* store, const char* wanted) {
  cs_error* error = NULL;
  cs_value* value = cs_store_describe(store, &error);
  size_t size = 0;
  const char* text = cs_value_data(value, &size);
  if (!value) fail_msg("%s", cs_error_message(error));
  if (size != strlen(wanted) || memcmp(text, wanted, size) != 0) {
    fail_msg("%.*s, not %s", (int)size, text, wanted);
  }
  cs_value_unref(value);
}

static void test_a_text_opens_a_chain_that_describes_itself(void** state) {
  char* folder = make_folder();
  char text[512];
  cs_store* chain;
  (void)state;
  snprintf(text, sizeof(text), "chain(writes=through, memory:?max_bytes=1MiB > file:%s/d)", folder);
  chain = cs_store_open(text, NULL, NULL);
  assert_non_null(chain);
  put_text(chain, "k", "value");
  expect_text(chain, "k", "value");
  snprintf(text, sizeof(text),
           "chain(writes=through, fill=async, memory:?max_bytes=1MiB&shards=16 > "
           "file:%s/d?durability=full&verify=on&max_value_size=0)",
           folder);
  expect_described(chain, text);
  close_store(chain);
  chain = cs_store_open(text, NULL, NULL);
  assert_non_null(chain);
  expect_described(chain, text);
  expect_text(chain, "k", "value"); /* from the file: a second life of the same chain */
  close_store(chain);
  remove_folder(folder);
}

static void test_a_store_that_was_set_describes_what_it_is_now(void** state) {
  cs_store* memory = cs_memory_new(1000, NULL, NULL);
  (void)state;
  expect_described(memory, "memory:?max_bytes=1KB&shards=16");
  assert_int_equal(cs_store_set(memory, "max_bytes", "2MiB", NULL), CS_OK);
  expect_described(memory, "memory:?max_bytes=2MiB&shards=16");
  assert_int_equal(cs_store_set(memory, "max_bytes", "nonsense", NULL), CS_INVALID);
  expect_described(memory, "memory:?max_bytes=2MiB&shards=16");
  close_store(memory);
}

static void test_options_go_to_the_outermost_store(void** state) {
  cs_options* options = cs_options_new();
  cs_error* error = NULL;
  cs_store* store;
  (void)state;
  cs_options_set(options, "shards", "4");
  store = cs_store_open("memory:?max_bytes=1KB", options, NULL);
  expect_described(store, "memory:?max_bytes=1KB&shards=4");
  close_store(store);
  cs_options_set(options, "shrads", "4");
  assert_null(cs_store_open("memory:", options, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  cs_options_free(options);
}

static void test_errors_name_the_column(void** state) {
  cs_error* error = NULL;
  (void)state;
  assert_null(cs_store_open("lur(1MiB, memory:)", NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  assert_string_equal(cs_error_message(error),
                      "column 1: unknown manager 'lur'; did you mean 'lru'?");
  cs_error_unref(error);
  error = NULL;
  assert_null(cs_store_open(NULL, NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  assert_null(cs_store_open("", NULL, NULL));
}

static void test_text_of_65_kib_is_refused(void** state) {
  const size_t size = 65 << 10;
  char* text = malloc(size + 1);
  cs_error* error = NULL;
  (void)state;
  memset(text, 'a', size);
  memcpy(text, "file:/", 6);
  text[size] = '\0';
  assert_null(cs_store_open(text, NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  assert_non_null(strstr(cs_error_message(error), "65536"));
  cs_error_unref(error);
  free(text);
}

static void test_without_a_store_the_table_is_described(void** state) {
  cs_value* table = cs_store_describe(NULL, NULL);
  size_t size = 0;
  const char* text = cs_value_data(table, &size);
  (void)state;
  assert_true(size > 1000);
  assert_memory_equal(text, "store\tmemory\tcs_memory_new\tyes\t", 31);
  cs_value_unref(table);
}

int test_text(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_text_opens_a_chain_that_describes_itself),
      cmocka_unit_test(test_a_store_that_was_set_describes_what_it_is_now),
      cmocka_unit_test(test_options_go_to_the_outermost_store),
      cmocka_unit_test(test_errors_name_the_column),
      cmocka_unit_test(test_text_of_65_kib_is_refused),
      cmocka_unit_test(test_without_a_store_the_table_is_described),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
