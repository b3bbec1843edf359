/* Section 9 of chainstore.h: runtimes. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>

#include "capi_test.h"

/* The library's threads in this process, by their names. */
static int library_threads(void) {
  DIR* tasks = opendir("/proc/self/task");
  const struct dirent* task;
  int count = 0;
  assert_non_null(tasks);
  while ((task = readdir(tasks)) != NULL) {
    char path[300], name[32] = "";
    FILE* file;
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
    file = fopen(path, "r");
    if (!file) continue;
    if (fgets(name, sizeof(name), file) && strncmp(name, "cs-", 3) == 0) ++count;
    fclose(file);
  }
  closedir(tasks);
  return count;
}

static cs_store* open_in(cs_runtime* runtime) {
  cs_options* options = cs_options_new();
  cs_store* store;
  assert_int_equal(cs_options_set_runtime(options, runtime), CS_OK);
  store = cs_memory_new(1u << 20, options, NULL);
  assert_non_null(store);
  cs_options_free(options);
  return store;
}

static void test_wait_ends_when_nothing_is_left(void** state) {
  cs_runtime* runtime = cs_runtime_new(NULL, NULL);
  cs_store* store = open_in(runtime);
  struct waiter waiter = WAITER_INIT;
  (void)state;
  put_text(store, "k", "v");
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  wait_for(&waiter, 1);
  assert_true(library_threads() > 0);
  assert_int_equal(cs_runtime_wait(runtime, 0), CS_TIMEOUT);
  assert_int_equal(cs_runtime_wait(runtime, 5), CS_TIMEOUT);
  close_store(store);
  cs_result_release(&waiter.result);
  assert_int_equal(cs_runtime_wait(runtime, CS_FOREVER), CS_OK);
  assert_int_equal(library_threads(), 0);
  store = open_in(runtime); /* and it can be used again */
  put_text(store, "k", "v");
  close_store(store);
  assert_int_equal(cs_runtime_wait(runtime, CS_FOREVER), CS_OK);
  cs_runtime_unref(runtime);
  cs_runtime_unref(NULL);
}

static void test_nothing_to_wait_for(void** state) {
  cs_runtime* runtime = cs_runtime_new(NULL, NULL);
  (void)state;
  assert_int_equal(cs_runtime_wait(runtime, 0), CS_OK);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  cs_runtime_unref(runtime);
}

static void test_a_runtime_takes_so_many_calls(void** state) {
  cs_options* options = cs_options_new();
  cs_runtime* runtime;
  cs_store* store;
  cs_call call = CS_CALL_INIT;
  struct waiter waiter = WAITER_INIT;
  struct gate gate = GATE_INIT;
  (void)state;
  assert_int_equal(cs_options_set(options, "max_calls", "1"), CS_OK);
  runtime = cs_runtime_new(options, NULL);
  cs_options_free(options);
  store = open_in(runtime);
  (void)call;
  (void)gate;
  assert_int_equal(cs_put(store, "k", 1, "v", 1, NULL, complete, &waiter), CS_OK);
  wait_for(&waiter, 1);
  cs_result_release(&waiter.result);
  close_store(store);
  cs_runtime_unref(runtime);
}

static void test_its_options_are_checked(void** state) {
  static const char* const wrong[][2] = {{"workers", "1025"},
                                         {"workers", "some"},
                                         {"max_calls", "0"},
                                         {"max_calls", "9999999999"},
                                         {"threads", "1"}};
  size_t at;
  (void)state;
  for (at = 0; at < sizeof(wrong) / sizeof(wrong[0]); ++at) {
    cs_options* options = cs_options_new();
    cs_error* error = NULL;
    cs_options_set(options, wrong[at][0], wrong[at][1]);
    assert_null(cs_runtime_new(options, &error));
    assert_int_equal(cs_error_status(error), CS_INVALID);
    assert_non_null(strstr(cs_error_message(error), wrong[at][0]));
    cs_error_unref(error);
    cs_options_free(options);
  }
}

static int signals_blocked;

static void look_at_the_mask(void* user_data, cs_result* result) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  signals_blocked = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM) &&
                    sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGCHLD);
  complete(user_data, result);
}

static void test_its_threads_block_all_signals(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  (void)state;
  assert_int_equal(cs_get(store, "k", 1, NULL, look_at_the_mask, &waiter), CS_OK);
  wait_for(&waiter, 1);
  assert_int_equal(signals_blocked, 1);
  close_store(store);
}

int test_runtimes(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_wait_ends_when_nothing_is_left),
      cmocka_unit_test(test_nothing_to_wait_for),
      cmocka_unit_test(test_a_runtime_takes_so_many_calls),
      cmocka_unit_test(test_its_options_are_checked),
      cmocka_unit_test(test_its_threads_block_all_signals),
  };
  return cmocka_run_group_tests_name("runtimes", tests, NULL, NULL);
}
