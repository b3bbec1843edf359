/* cs_on_error of chainstore.h. Failures come from calls without a completion: a del of no key. */
#include <stdio.h>

#include "capi_test.h"

struct log {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int failures;
  int released;
  int inside; /* handlers running at this moment */
  int overlapped;
  cs_status last;
  char last_operation[16];
};
#define LOG_INIT \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, CS_OK, "" }

static void on_error(void* user_data, const cs_error* error) {
  struct log* log = user_data;
  pthread_mutex_lock(&log->mutex);
  log->overlapped += log->inside;
  log->inside = 1;
  pthread_mutex_unlock(&log->mutex);
  sched_yield();
  pthread_mutex_lock(&log->mutex);
  log->inside = 0;
  ++log->failures;
  log->last = cs_error_status(error);
  snprintf(log->last_operation, sizeof(log->last_operation), "%s",
           (const char*)cs_error_detail(error, "operation", NULL));
  pthread_cond_broadcast(&log->changed);
  pthread_mutex_unlock(&log->mutex);
}

static void on_release(void* user_data) {
  struct log* log = user_data;
  pthread_mutex_lock(&log->mutex);
  ++log->released;
  pthread_cond_broadcast(&log->changed);
  pthread_mutex_unlock(&log->mutex);
}

static void wait_for_failures(struct log* log, int failures) {
  pthread_mutex_lock(&log->mutex);
  while (log->failures < failures) pthread_cond_wait(&log->changed, &log->mutex);
  pthread_mutex_unlock(&log->mutex);
}

static void wait_for_release(struct log* log) {
  pthread_mutex_lock(&log->mutex);
  while (log->released == 0) pthread_cond_wait(&log->changed, &log->mutex);
  pthread_mutex_unlock(&log->mutex);
}

/* Starts `count` calls that fail and that nobody waits for, and waits until they have. */
static void fail_unseen(cs_store* store, int count) {
  for (; count > 0; --count) assert_int_equal(cs_del(store, "", 0, NULL, NULL, NULL), CS_OK);
}

static void test_failures_that_no_call_answers_are_told_once(void** state) {
  struct log log = LOG_INIT;
  cs_store* store = open_memory();
  (void)state;
  assert_int_equal(cs_on_error(store, on_error, &log, on_release), CS_OK);
  assert_int_equal(cs_put(store, "k", 1, "v", 1, NULL, NULL, NULL), CS_OK); /* no failure */
  assert_int_equal(cs_get(store, "x", 1, NULL, NULL, NULL), CS_OK);         /* nor is a miss */
  fail_unseen(store, 20);
  wait_for_failures(&log, 20);
  assert_int_equal(log.last, CS_INVALID);
  assert_string_equal(log.last_operation, "del");
  close_store(store);
  wait_for_release(&log);
  assert_int_equal(log.failures, 20);
  assert_int_equal(log.overlapped, 0); /* one at a time */
  assert_int_equal(log.released, 1);
}

static void test_a_failure_that_was_answered_is_not_told(void** state) {
  struct log log = LOG_INIT;
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  (void)state;
  assert_int_equal(cs_on_error(store, on_error, &log, on_release), CS_OK);
  assert_int_equal(cs_del(store, "", 0, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_INVALID);
  assert_int_equal(cs_del_sync(store, "", 0, NULL, NULL), CS_INVALID);
  cs_result_release(&waiter.result);
  close_store(store);
  wait_for_release(&log);
  assert_int_equal(log.failures, 0);
}

static void test_the_last_64_failures_wait_for_a_handler(void** state) {
  struct log log = LOG_INIT;
  cs_store* store = open_memory();
  (void)state;
  fail_unseen(store, 100);
  assert_int_equal(cs_on_error(store, on_error, &log, on_release), CS_OK);
  wait_for_failures(&log, 64);
  close_store(store);
  wait_for_release(&log);
  assert_int_equal(log.failures, 64);
}

static void test_a_new_handler_replaces_the_old_one(void** state) {
  struct log first = LOG_INIT, second = LOG_INIT;
  cs_store* store = open_memory();
  (void)state;
  assert_int_equal(cs_on_error(store, on_error, &first, on_release), CS_OK);
  assert_int_equal(cs_on_error(store, on_error, &second, on_release), CS_OK);
  wait_for_release(&first);
  fail_unseen(store, 1);
  wait_for_failures(&second, 1);
  assert_int_equal(first.failures, 0);
  assert_int_equal(cs_on_error(store, NULL, &first, on_release), CS_OK); /* removes */
  wait_for_release(&second);
  fail_unseen(store, 1);
  close_store(store);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  assert_int_equal(first.released, 1); /* what came with NULL was not kept */
  assert_int_equal(second.released, 1);
  assert_int_equal(second.failures, 1);
}

static void test_a_handler_needs_no_release_function(void** state) {
  struct log log = LOG_INIT;
  cs_store* store = open_memory();
  (void)state;
  assert_int_equal(cs_on_error(store, on_error, &log, NULL), CS_OK);
  fail_unseen(store, 1);
  wait_for_failures(&log, 1);
  assert_int_equal(cs_on_error(store, NULL, NULL, NULL), CS_OK);
  close_store(store);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
}

int test_events(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_failures_that_no_call_answers_are_told_once),
      cmocka_unit_test(test_a_failure_that_was_answered_is_not_told),
      cmocka_unit_test(test_the_last_64_failures_wait_for_a_handler),
      cmocka_unit_test(test_a_new_handler_replaces_the_old_one),
      cmocka_unit_test(test_a_handler_needs_no_release_function),
  };
  return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
