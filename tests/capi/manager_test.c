/* The managers of section 10 of chainstore.h that watch or disturb a store: timeout, logging,
 * fault. How they decide is the matter of tests/managers; here it is what the ABI adds, and what
 * its header promises. */
#include <stdio.h>

#include "capi_test.h"

/* ---- What handlers and log functions write down ---- */

struct notes {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int count;
  int released;
  int32_t level;
  char last[512];
};
#define NOTES_INIT \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, -1, "" }

static void note(struct notes* notes, int32_t level, const char* text) {
  pthread_mutex_lock(&notes->mutex);
  ++notes->count;
  notes->level = level;
  snprintf(notes->last, sizeof(notes->last), "%s", text);
  pthread_cond_broadcast(&notes->changed);
  pthread_mutex_unlock(&notes->mutex);
}

static void on_error(void* user_data, const cs_error* error) {
  note(user_data, cs_error_status(error), cs_error_message(error));
}

static void on_line(void* user_data, int32_t level, const char* message, size_t size) {
  assert_int_equal(message[size], 0);
  note(user_data, level, message);
}

static void on_release(void* user_data) {
  struct notes* notes = user_data;
  pthread_mutex_lock(&notes->mutex);
  ++notes->released;
  pthread_cond_broadcast(&notes->changed);
  pthread_mutex_unlock(&notes->mutex);
}

static void wait_for_notes(struct notes* notes, int count, int released) {
  pthread_mutex_lock(&notes->mutex);
  while (notes->count < count || notes->released < released) {
    pthread_cond_wait(&notes->changed, &notes->mutex);
  }
  pthread_mutex_unlock(&notes->mutex);
}

static int starts_with(const char* text, const char* begin) {
  return strncmp(text, begin, strlen(begin)) == 0;
}

/* Options from pairs of texts, up to a NULL. */
static cs_options* options_of(const char* const* pairs) {
  cs_options* options = cs_options_new();
  for (; *pairs; pairs += 2) assert_int_equal(cs_options_set(options, pairs[0], pairs[1]), CS_OK);
  return options;
}

static cs_store* fault_of(cs_store* inner, const char* const* pairs) {
  cs_options* options = options_of(pairs);
  cs_error* error = NULL;
  cs_store* store = cs_fault_new(inner, options, &error);
  if (!store) fail_msg("%s", cs_error_message(error));
  cs_options_free(options);
  return store;
}

static void set(cs_store* store, const char* name, const char* value) {
  cs_error* error = NULL;
  if (cs_store_set(store, name, value, &error) != CS_OK) fail_msg("%s", cs_error_message(error));
}

/* ---- Timeout ---- */

static void test_a_timeout_ends_calls_and_gives_notice(void** state) {
  static const char* const hang[] = {"delay", "1h", "operations", "get", NULL};
  struct notes notes = NOTES_INIT;
  struct waiter waiter = WAITER_INIT;
  cs_store *memory = open_memory(), *slow = fault_of(memory, hang), *store;
  cs_result result;
  (void)state;
  store = cs_timeout_new(slow, 60000, NULL, NULL); /* what does not hang needs a moment, too */
  assert_non_null(store);
  assert_int_equal(cs_on_error(store, on_error, &notes, on_release), CS_OK);
  put_text(store, "k", "v");
  set(store, "timeout", "10ms");
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_TIMEOUT);
  assert_string_equal(cs_error_message(waiter.result.error),
                      "timeout: get: the limit of 10 ms was hit");
  wait_for_notes(&notes, 1, 0);
  assert_string_equal(notes.last, "timeout: get: the limit of 10 ms was hit");
  cs_get_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_TIMEOUT);
  wait_for_notes(&notes, 2, 0);
  set(slow, "delay", "0ms");
  set(store, "timeout", "1m");
  expect_text(store, "k", "v");
  cs_result_release(&waiter.result);
  close_store(store);
  wait_for_notes(&notes, 2, 1);
  assert_int_equal(notes.count, 2);
  assert_int_equal(waiter.completions, 1);
  cs_store_unref(slow);
  cs_store_unref(memory);
}

static void test_a_timeout_never_extends_a_deadline_and_can_be_changed(void** state) {
  static const char* const hang[] = {"delay", "1h", NULL};
  struct notes notes = NOTES_INIT;
  cs_store *memory = open_memory(), *slow = fault_of(memory, hang), *store;
  cs_call call = CS_CALL_INIT;
  cs_error* error = NULL;
  cs_result result;
  (void)state;
  store = cs_timeout_new(slow, CS_FOREVER, NULL, NULL);
  assert_non_null(store);
  assert_int_equal(cs_on_error(store, on_error, &notes, NULL), CS_OK);
  call.timeout_ms = 5;
  cs_get_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_TIMEOUT); /* the caller's own: he knows, nobody else is told */
  set(store, "timeout", "5ms");
  cs_get_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_TIMEOUT);
  assert_int_equal(cs_store_set(store, "timeout", "5", &error), CS_INVALID);
  cs_error_unref(error);
  wait_for_notes(&notes, 1, 0);
  close_store(store);
  assert_int_equal(notes.count, 1);
  cs_store_unref(slow);
  cs_store_unref(memory);
}

/* ---- Logging ---- */

static void test_every_operation_leaves_a_line(void** state) {
  struct notes notes = NOTES_INIT;
  cs_store *memory = open_memory(), *store;
  cs_result result;
  (void)state;
  store = cs_logging_new(memory, on_line, &notes, on_release, NULL, NULL);
  assert_non_null(store);
  put_text(store, "a\n\"b", "value");
  assert_true(
      starts_with(notes.last, "op=put store=memory: key=\"a\\x0a\\\"b\" bytes=5 status=CS_OK us="));
  assert_int_equal(notes.level, CS_LOG_INFO);
  expect_text(store, "a\n\"b", "value");
  assert_true(starts_with(
      notes.last, "op=get store=memory: key=\"a\\x0a\\\"b\" bytes=5 tier=1 status=CS_OK us="));
  expect_text(store, "none", NULL); /* a miss is debug */
  assert_int_equal(notes.count, 2);
  set(store, "level", "debug");
  set(store, "key_bytes", "2");
  expect_text(store, "none", NULL);
  assert_int_equal(notes.level, CS_LOG_DEBUG);
  assert_true(
      starts_with(notes.last, "op=get store=memory: key=\"no\"... status=CS_NOT_FOUND us="));
  cs_get_try(store, "none", 4, &result);
  expect_status(&result, CS_NOT_FOUND);
  assert_int_equal(notes.count, 4);
  set(store, "sample", "1000000");
  set(store, "level", "info");
  put_text(store, "k", "v");
  assert_true(notes.count <= 5);
  assert_int_equal(notes.released, 0);
  close_store(store);
  wait_for_notes(&notes, 0, 1);
  assert_int_equal(notes.released, 1);
  cs_store_unref(memory);
}

static void test_failures_are_always_logged(void** state) {
  static const char* const broken[] = {"rate", "100", "status", "no_space", NULL};
  static const char* const quiet[] = {"level", "error", "sample", "1000", NULL};
  struct notes notes = NOTES_INIT;
  cs_store *memory = open_memory(), *faulty = fault_of(memory, broken), *store;
  cs_options* options = options_of(quiet);
  (void)state;
  store = cs_logging_new(faulty, on_line, &notes, NULL, options, NULL);
  cs_options_free(options);
  assert_non_null(store);
  assert_int_equal(cs_del_sync(store, "k", 1, NULL, NULL), CS_NO_SPACE); /* may pass: a warning */
  assert_int_equal(notes.count, 0);
  set(faulty, "status", "denied");
  assert_int_equal(cs_del_sync(store, "k", 1, NULL, NULL), CS_DENIED);
  assert_int_equal(cs_del_sync(store, "k", 1, NULL, NULL), CS_DENIED);
  assert_int_equal(notes.count, 2);
  assert_int_equal(notes.level, CS_LOG_ERROR);
  assert_non_null(strstr(notes.last, " error=\"fault: del: an injected failure"));
  close_store(store);
  cs_store_unref(faulty);
  cs_store_unref(memory);
}

static void test_a_log_that_was_refused_is_not_released(void** state) {
  static const char* const wrong[] = {"level", "loud", NULL};
  struct notes notes = NOTES_INIT;
  cs_options* options = options_of(wrong);
  cs_store* memory = open_memory();
  cs_error* error = NULL;
  (void)state;
  assert_null(cs_logging_new(memory, on_line, &notes, on_release, options, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  assert_non_null(strstr(cs_error_message(error), "warning"));
  cs_error_unref(error);
  error = NULL;
  assert_null(cs_logging_new(memory, NULL, &notes, on_release, NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  assert_null(cs_logging_new(NULL, on_line, &notes, on_release, NULL, NULL));
  assert_int_equal(notes.released, 0);
  cs_options_free(options);
  close_store(memory);
}

/* ---- Fault ---- */

/* "..x." for the first `count` gets of a store: x is a failure with `status`. */
static void failures(cs_store* store, int count, cs_status status, char* out) {
  for (; count > 0; --count) {
    cs_result result;
    cs_get_sync(store, "k", 1, NULL, &result);
    *out++ = result.status == status ? 'x' : '.';
    cs_result_release(&result);
  }
  *out = 0;
}

static void test_faults_are_reproducible(void** state) {
  static const char* const some[] = {"rate", "30%", "seed", "7", "status", "busy", NULL};
  cs_store* memory = open_memory();
  cs_store* keeper = cs_timeout_new(memory, CS_FOREVER, NULL, NULL);
  char runs[2][201];
  int at;
  (void)state;
  for (at = 0; at < 2; ++at) {
    cs_store* store = fault_of(memory, some);
    failures(store, 200, CS_BUSY, runs[at]);
    close_store(store);
  }
  assert_string_equal(runs[0], runs[1]);
  assert_non_null(strchr(runs[0], 'x'));
  close_store(keeper);
  cs_store_unref(memory);
}

static void test_faults_are_changed_while_it_runs(void** state) {
  static const char* const third[] = {"at", "3", "operations", "get+put", NULL};
  cs_store *memory = open_memory(), *store = fault_of(memory, third);
  cs_error* error = NULL;
  cs_result result;
  char run[7];
  (void)state;
  cs_del_sync(store, "k", 1, NULL, &result); /* does not count */
  expect_status(&result, CS_OK);
  failures(store, 6, CS_IO, run);
  assert_string_equal(run, "..x...");
  set(store, "status", "not_found");
  set(store, "rate", "100");
  put_text(memory, "k", "v");
  expect_text(store, "k", NULL); /* an injected miss */
  set(store, "status", "timeout");
  set(store, "when", "after");
  cs_put_sync(store, "k", 1, "new", 3, NULL, &result);
  expect_status(&result, CS_TIMEOUT);
  expect_text(memory, "k", "new"); /* it was done all the same */
  set(store, "rate", "0");
  expect_text(store, "k", "new");
  assert_int_equal(cs_store_set(store, "rate", "101", &error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_int_equal(cs_store_set(store, "rates", "1", &error), CS_INVALID);
  assert_non_null(strstr(cs_error_message(error), "rate"));
  cs_error_unref(error);
  cs_get_try(store, "k", 1, &result);
  expect_status(&result, CS_WOULD_BLOCK);
  close_store(store);
  cs_store_unref(memory);
}

int test_managers(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_timeout_ends_calls_and_gives_notice),
      cmocka_unit_test(test_a_timeout_never_extends_a_deadline_and_can_be_changed),
      cmocka_unit_test(test_every_operation_leaves_a_line),
      cmocka_unit_test(test_failures_are_always_logged),
      cmocka_unit_test(test_a_log_that_was_refused_is_not_released),
      cmocka_unit_test(test_faults_are_reproducible),
      cmocka_unit_test(test_faults_are_changed_while_it_runs),
  };
  return cmocka_run_group_tests_name("managers", tests, NULL, NULL);
}
