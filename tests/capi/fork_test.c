/* Rule "fork" of chainstore.h: handles that were made before a fork belong to the parent. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capi_test.h"

struct handles {
  cs_store* store;
  cs_queue* queue;
  cs_runtime* runtime;
  cs_scan* scan;
  cs_value* value;
  cs_cancel* cancel;
};

static void ignore_error(void* user_data, const cs_error* error) {
  (void)user_data;
  (void)error;
}

/* In the child: the first line that did not go as it should, or 0. */
static int try_in_the_child(struct handles* handles) {
  cs_result result;
  cs_call call = CS_CALL_INIT;
  cs_error* error = NULL;
  cs_options* options;
  cs_store* own;
  size_t count;
#define EXPECT(condition) \
  if (!(condition)) return __LINE__
  EXPECT(cs_get_sync(handles->store, "k", 1, NULL, &result) == CS_FORKED);
  EXPECT(cs_error_status(result.error) == CS_FORKED);
  cs_result_release(&result);
  EXPECT(cs_get_try(handles->store, "k", 1, &result) == CS_FORKED);
  cs_result_release(&result);
  EXPECT(cs_put_sync(handles->store, "k", 1, "v", 1, NULL, NULL) == CS_FORKED);
  EXPECT(cs_store_close_sync(handles->store, NULL, NULL) == CS_FORKED);
  EXPECT(cs_get(handles->store, "k", 1, NULL, NULL, NULL) == CS_FORKED);
  EXPECT(cs_store_close(handles->store, NULL, NULL, NULL) == CS_FORKED);
  EXPECT(cs_scan_next(handles->scan, NULL, NULL, NULL) == CS_FORKED);
  EXPECT(cs_scan_next_sync(handles->scan, NULL, &result) == CS_FORKED);
  cs_result_release(&result);
  EXPECT(cs_queue_take(handles->queue, &result, 1, CS_FOREVER, &count) == CS_FORKED);
  EXPECT(cs_queue_fd(handles->queue) == -1);
  cs_queue_wake(handles->queue);
  EXPECT(cs_on_error(handles->store, ignore_error, NULL, NULL) == CS_FORKED);
  EXPECT(cs_store_set(handles->store, "max_bytes", "1MiB", &error) == CS_FORKED);
  EXPECT(cs_error_status(error) == CS_FORKED);
  cs_error_unref(error);
  error = NULL;
  EXPECT(cs_scan_new(handles->store, NULL, &error) == NULL);
  EXPECT(cs_error_status(error) == CS_FORKED);
  cs_error_unref(error);
  EXPECT(cs_store_inner(handles->store, 0) == NULL);
  EXPECT(cs_runtime_wait(handles->runtime, CS_FOREVER) == CS_FORKED);
  options = cs_options_new();
  EXPECT(cs_options_set_runtime(options, handles->runtime) == CS_FORKED);
  cs_options_free(options);

  /* The child's own stores work, but not with the parent's queue. */
  own = cs_memory_new(1u << 20, NULL, NULL);
  EXPECT(own != NULL);
  EXPECT(cs_put_sync(own, "k", 1, "v", 1, NULL, NULL) == CS_OK);
  call.queue = handles->queue;
  EXPECT(cs_get(own, "k", 1, &call, NULL, NULL) == CS_FORKED);
  call.queue = cs_queue_new(1, NULL);
  EXPECT(cs_get(own, "k", 1, &call, NULL, NULL) == CS_OK);
  EXPECT(cs_queue_take(call.queue, &result, 1, CS_FOREVER, &count) == CS_OK);
  EXPECT(result.status == CS_OK);
  cs_result_release(&result);
  cs_queue_unref(call.queue);

  /* Unref forgets. */
  cs_scan_free(handles->scan);
  cs_store_unref(handles->store);
  cs_queue_unref(handles->queue);
  cs_runtime_unref(handles->runtime);
  cs_value_unref(handles->value);
  cs_cancel_fire(handles->cancel);
  EXPECT(cs_cancel_is_fired(handles->cancel) == 1);
  cs_cancel_unref(handles->cancel);
  EXPECT(cs_store_close_sync(own, NULL, NULL) == CS_OK);
  cs_store_unref(own);
  EXPECT(cs_runtime_wait(NULL, CS_FOREVER) == CS_OK);
#undef EXPECT
  return 0;
}

static void test_a_forked_child_has_none_of_the_parents_handles(void** state) {
  struct handles handles;
  cs_options* options = cs_options_new();
  struct waiter waiter = WAITER_INIT;
  cs_result result;
  pid_t child;
  int status, line = -1, ends[2];
  (void)state;
  handles.runtime = cs_runtime_new(NULL, NULL);
  cs_options_set_runtime(options, handles.runtime);
  handles.store = cs_memory_new(1u << 20, options, NULL);
  cs_options_free(options);
  handles.queue = cs_queue_new(1, NULL);
  handles.scan = cs_scan_new(handles.store, NULL, NULL);
  handles.cancel = cs_cancel_new();
  put_text(handles.store, "k", "v");
  assert_int_equal(cs_get_sync(handles.store, "k", 1, NULL, &result), CS_OK);
  handles.value = cs_value_ref(result.value);
  cs_result_release(&result);
  assert_int_equal(cs_get(handles.store, "k", 1, NULL, complete, &waiter), CS_OK);
  wait_for(&waiter, 1); /* the runtime has threads now */
  cs_result_release(&waiter.result);

  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    line = try_in_the_child(&handles);
    if (write(ends[1], &line, sizeof(line)) != sizeof(line)) _exit(2);
    kill(getpid(), SIGKILL); /* no leak checker looks at what it leaves */
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &line, sizeof(line)), sizeof(line));
  close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(line, 0);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  /* The parent has noticed nothing. */
  expect_text(handles.store, "k", "v");
  assert_int_equal(cs_cancel_is_fired(handles.cancel), 0);
  cs_scan_free(handles.scan);
  cs_value_unref(handles.value);
  cs_queue_unref(handles.queue);
  cs_cancel_unref(handles.cancel);
  close_store(handles.store);
  assert_int_equal(cs_runtime_wait(handles.runtime, CS_FOREVER), CS_OK);
  cs_runtime_unref(handles.runtime);
}

int test_forks(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_forked_child_has_none_of_the_parents_handles),
  };
  return cmocka_run_group_tests_name("forks", tests, NULL, NULL);
}
