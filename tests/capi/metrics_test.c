/* cs_metrics_new and cs_metrics_text of chainstore.h. */
#include <stdio.h>
#include <sys/wait.h>

#include "capi_test.h"

static cs_value* text_of(cs_store* store, const char* format) {
  cs_error* error = NULL;
  cs_value* value = cs_metrics_text(store, format, &error);
  size_t size;
  const char* text = cs_value_data(value, &size);
  if (!value) fail_msg("%s", cs_error_message(error));
  assert_int_equal(text[size], 0);
  assert_int_equal(strlen(text), size);
  return value;
}

static void expect_line(cs_store* store, const char* format, const char* line) {
  cs_value* value = text_of(store, format);
  if (!strstr(cs_value_data(value, NULL), line)) {
    fail_msg("no\n%s\nin\n%s", line, (const char*)cs_value_data(value, NULL));
  }
  cs_value_unref(value);
}

/* metrics(chain(metrics(lru(memory)), memory)), in use, with names that need escaping. */
static cs_store* open_measured(void) {
  cs_store *near = open_memory(), *far = open_memory(), *lru, *stores[2], *chain, *store;
  const uint32_t sizes[] = {1, 4};
  cs_result result;
  lru = cs_lru_new(near, 1u << 20, NULL, NULL);
  stores[0] = cs_metrics_new(lru, "near\xff", NULL, NULL);
  stores[1] = far;
  chain = cs_chain_new(stores, 2, NULL, NULL);
  store = cs_metrics_new(chain, "a \"quoted\"\nname\\", NULL, NULL);
  assert_non_null(store);
  put_text(store, "k", "12345");
  expect_text(store, "k", "12345");
  expect_text(store, "none", NULL);
  cs_get_many_sync(store, "knone", sizes, 2, NULL, &result);
  cs_result_release(&result);
  assert_int_equal(cs_flush_sync(store, NULL, 0, NULL, NULL), CS_OK);
  cs_store_unref(near);
  cs_store_unref(far);
  cs_store_unref(lru);
  cs_store_unref(stores[0]);
  cs_store_unref(chain);
  return store;
}

static void test_the_text_covers_this_layer_and_all_below(void** state) {
  cs_store* store = open_measured();
  (void)state;
#define NAME "{name=\"a \\\"quoted\\\"\\nname\\\\\","
  expect_line(store, "prometheus", "chainstore_hits_total" NAME "layer=\"0\"} 2\n");
  expect_line(store, "prometheus", "chainstore_misses_total" NAME "layer=\"0\"} 2\n");
  expect_line(store, "prometheus",
              "chainstore_operations_total" NAME
              "operation=\"put\",status=\"CS_OK\",layer=\"0\"} 1\n");
  expect_line(store, "prometheus",
              "chainstore_operation_bytes_total" NAME "operation=\"put\",layer=\"0\"} 5\n");
  expect_line(store, "prometheus", "chainstore_hits_total{name=\"near\xef\xbf\xbd\",layer=\"2\"}");
  expect_line(store, "prometheus", "chainstore_used_bytes{store=\"memory:\",layer=\"4\"}");
  expect_line(store, "json",
              "{\"name\":\"chainstore_hits_total\",\"type\":\"counter\",\"labels\":{\"name\":"
              "\"a \\\"quoted\\\"\\u000aname\\\\\",\"layer\":\"0\"},\"value\":2}");
#undef NAME
  assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  expect_line(store, "prometheus", "chainstore_hits_total"); /* a closed store keeps its numbers */
  cs_store_unref(store);
}

static void test_promtool_accepts_the_text(void** state) {
  cs_store* store;
  cs_value* value;
  FILE* promtool;
  (void)state;
  if (system("command -v promtool >/dev/null") != 0) {
    print_message(
        "SKIPPED: there is no promtool; tests/lib/packages.sh takes it out of Debian's "
        "package prometheus\n");
    skip();
  }
  store = open_measured();
  value = text_of(store, "prometheus");
  promtool = popen("promtool check metrics", "w");
  assert_non_null(promtool);
  fputs(cs_value_data(value, NULL), promtool);
  assert_int_equal(pclose(promtool), 0); /* also 0 warnings: it would exit with 3 */
  cs_value_unref(value);
  close_store(store);
}

static void test_what_is_wrong_is_said(void** state) {
  static const char* const formats[] = {NULL, "", "xml", "JSON"};
  cs_store* memory = open_memory();
  cs_error* error = NULL;
  cs_value* value;
  size_t at;
  (void)state;
  for (at = 0; at < 4; ++at) {
    assert_null(cs_metrics_text(memory, formats[at], &error));
    assert_int_equal(cs_error_status(error), CS_INVALID);
    assert_non_null(strstr(cs_error_message(error), "prometheus"));
    cs_error_unref(error);
    error = NULL;
  }
  assert_null(cs_metrics_text(NULL, "json", &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  assert_null(cs_metrics_new(memory, NULL, NULL, NULL));
  assert_null(cs_metrics_new(memory, "", NULL, NULL));
  assert_null(cs_metrics_new(NULL, "name", NULL, NULL));
  value = text_of(memory, "prometheus"); /* any store has a text */
  assert_non_null(strstr(cs_value_data(value, NULL), "chainstore_used_bytes"));
  cs_value_unref(value);
  close_store(memory);
}

int test_metrics(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_text_covers_this_layer_and_all_below),
      cmocka_unit_test(test_promtool_accepts_the_text),
      cmocka_unit_test(test_what_is_wrong_is_said),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
