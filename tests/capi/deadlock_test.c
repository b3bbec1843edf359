/* Rule "Blocking" of chainstore.h: what may block answers CS_DEADLOCK inside any function that the
 * library calls, on that thread and on no other. */
#include "capi_test.h"

struct inside {
  cs_store* store;
  cs_queue* queue;
  struct waiter waiter;
  int wrong; /* how many of the calls below did not answer as they should */
};

static void* elsewhere(void* context) {
  struct inside* inside = context;
  return (void*)(intptr_t)cs_put_sync(inside->store, "e", 1, "v", 1, NULL, NULL);
}

/* Everything that may block, tried inside a function that the library called. */
static void try_everything(struct inside* inside) {
  static const uint32_t size = 1;
  cs_store* store = inside->store;
  cs_call no_wait = CS_CALL_INIT;
  cs_scan* scan = cs_scan_new(store, NULL, NULL);
  cs_batch* batch = cs_batch_new();
  cs_error* error = NULL;
  cs_result result;
  size_t count;
  char buffer[8];
  pthread_t thread;
  void* status;

#define EXPECT(call, expected) inside->wrong += (call) != (expected)
  EXPECT(cs_get_sync(store, "k", 1, NULL, &result), CS_DEADLOCK);
  EXPECT(cs_error_status(result.error), CS_DEADLOCK);
  cs_result_release(&result);
  EXPECT(cs_put_sync(store, "k", 1, "v", 1, NULL, NULL), CS_DEADLOCK);
  EXPECT(cs_put_value_sync(store, "k", 1, NULL, NULL, NULL), CS_DEADLOCK);
  EXPECT(cs_del_sync(store, "k", 1, NULL, NULL), CS_DEADLOCK);
  EXPECT(cs_get_many_sync(store, "k", &size, 1, NULL, &result), CS_DEADLOCK);
  cs_result_release(&result);
  EXPECT(cs_get_range_sync(store, "k", 1, 0, 1, NULL, &result), CS_DEADLOCK);
  cs_result_release(&result);
  EXPECT(cs_stat_sync(store, "k", 1, NULL, &result), CS_DEADLOCK);
  cs_result_release(&result);
  EXPECT(cs_batch_del(batch, "k", 1), CS_OK);
  EXPECT(cs_write_sync(store, batch, NULL, NULL), CS_DEADLOCK);
  EXPECT(cs_flush_sync(store, NULL, 0, NULL, NULL), CS_DEADLOCK);
  EXPECT(cs_store_close_sync(store, NULL, NULL), CS_DEADLOCK);
  EXPECT(cs_scan_next_sync(scan, NULL, &result), CS_DEADLOCK);
  cs_result_release(&result);
  EXPECT(cs_get_into(store, "k", 1, NULL, buffer, 8, &count, &error), CS_DEADLOCK);
  EXPECT(cs_error_status(error), CS_DEADLOCK);
  cs_error_unref(error);
  EXPECT(cs_queue_take(inside->queue, &result, 1, 1, &count), CS_DEADLOCK);
  EXPECT(cs_queue_take(inside->queue, &result, 1, CS_FOREVER, &count), CS_DEADLOCK);
  EXPECT(cs_runtime_wait(NULL, 0), CS_DEADLOCK);

  /* What never blocks is allowed. */
  EXPECT(cs_queue_take(inside->queue, &result, 1, 0, &count), CS_WOULD_BLOCK);
  EXPECT(cs_get_try(store, "k", 1, &result), CS_OK);
  cs_result_release(&result);
  no_wait.flags = CS_CALL_NO_WAIT;
  EXPECT(cs_get_sync(store, "k", 1, &no_wait, &result), CS_OK);
  cs_result_release(&result);
  EXPECT(cs_get_into(store, "k", 1, &no_wait, buffer, 8, &count, NULL), CS_OK);
  EXPECT(cs_put(store, "p", 1, "v", 1, NULL, NULL, NULL), CS_OK);

  /* A thread of one's own is not marked. */
  if (pthread_create(&thread, NULL, elsewhere, inside) != 0) abort();
  pthread_join(thread, &status);
  EXPECT((cs_status)(intptr_t)status, CS_OK);
#undef EXPECT
  cs_scan_free(scan);
  cs_batch_free(batch);
}

static void in_done(void* user_data, cs_result* result) {
  struct inside* inside = user_data;
  try_everything(inside);
  complete(&inside->waiter, result);
}

static void in_release(void* user_data) {
  struct inside* inside = user_data;
  cs_result result = CS_RESULT_INIT;
  try_everything(inside);
  complete(&inside->waiter, &result);
}

static void in_error_handler(void* user_data, const cs_error* error) {
  struct inside* inside = user_data;
  cs_result result = CS_RESULT_INIT;
  result.status = cs_error_status(error);
  try_everything(inside);
  complete(&inside->waiter, &result);
}

static void test_inside_a_completion(void** state) {
  struct inside inside = {NULL, NULL, WAITER_INIT, 0};
  cs_call call = CS_CALL_INIT;
  (void)state;
  inside.store = open_memory();
  inside.queue = cs_queue_new(1, NULL);
  put_text(inside.store, "k", "v");
  assert_int_equal(cs_get(inside.store, "k", 1, NULL, in_done, &inside), CS_OK);
  assert_int_equal(wait_for(&inside.waiter, 1), CS_OK);
  assert_int_equal(inside.wrong, 0);
  call.flags = CS_CALL_INLINE; /* on this very thread */
  assert_int_equal(cs_get(inside.store, "k", 1, &call, in_done, &inside), CS_OK);
  assert_int_equal(wait_for(&inside.waiter, 2), CS_OK);
  assert_int_equal(inside.wrong, 0);
  expect_text(inside.store, "k", "v"); /* and afterwards this thread may block again */
  cs_result_release(&inside.waiter.result);
  cs_queue_unref(inside.queue);
  close_store(inside.store);
}

static void test_inside_a_release_function(void** state) {
  struct inside inside = {NULL, NULL, WAITER_INIT, 0};
  cs_value* value = cs_value_wrap("bytes", 5, in_release, &inside, NULL);
  (void)state;
  inside.store = open_memory();
  inside.queue = cs_queue_new(1, NULL);
  put_text(inside.store, "k", "v");
  cs_value_unref(value); /* runs it on this stack */
  assert_int_equal(wait_for(&inside.waiter, 1), CS_OK);
  assert_int_equal(inside.wrong, 0);
  cs_queue_unref(inside.queue);
  close_store(inside.store);
}

static void test_inside_an_error_handler_and_its_release(void** state) {
  struct inside inside = {NULL, NULL, WAITER_INIT, 0};
  (void)state;
  inside.store = open_memory();
  inside.queue = cs_queue_new(1, NULL);
  put_text(inside.store, "k", "v");
  assert_int_equal(cs_on_error(inside.store, in_error_handler, &inside, in_release), CS_OK);
  assert_int_equal(cs_del(inside.store, "", 0, NULL, NULL, NULL), CS_OK); /* fails unseen */
  assert_int_equal(wait_for(&inside.waiter, 1), CS_INVALID);
  assert_int_equal(cs_on_error(inside.store, NULL, NULL, NULL), CS_OK);
  assert_int_equal(wait_for(&inside.waiter, 2), CS_OK);
  assert_int_equal(inside.wrong, 0);
  cs_queue_unref(inside.queue);
  close_store(inside.store);
}

static void in_log(void* user_data, int32_t level, const char* message, size_t size) {
  struct inside* inside = user_data;
  (void)level;
  assert_int_equal(strlen(message), size);
  if (inside->waiter.completions == 0) in_release(user_data);
}

static void test_inside_a_log_function_and_its_release(void** state) {
  struct inside inside = {NULL, NULL, WAITER_INIT, 0};
  cs_store *logged, *other;
  (void)state;
  inside.store = open_memory();
  inside.queue = cs_queue_new(1, NULL);
  put_text(inside.store, "k", "v");
  other = cs_timeout_new(inside.store, CS_FOREVER, NULL, NULL); /* keeps it open */
  assert_non_null(other);
  logged = cs_logging_new(inside.store, in_log, &inside, in_release, NULL, NULL);
  assert_non_null(logged);
  put_text(logged, "logged", "v");
  assert_int_equal(inside.waiter.completions, 1);
  assert_int_equal(inside.wrong, 0);
  expect_text(logged, "k", "v"); /* afterwards this thread may block again */
  cs_store_unref(logged);        /* open: closed, and released, by a thread of the library */
  assert_int_equal(wait_for(&inside.waiter, 2), CS_OK);
  assert_int_equal(inside.wrong, 0);
  cs_queue_unref(inside.queue);
  close_store(other);
  cs_store_unref(inside.store);
}

int test_deadlock(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_inside_a_completion),
      cmocka_unit_test(test_inside_a_release_function),
      cmocka_unit_test(test_inside_an_error_handler_and_its_release),
      cmocka_unit_test(test_inside_a_log_function_and_its_release),
  };
  return cmocka_run_group_tests_name("deadlock", tests, NULL, NULL);
}
