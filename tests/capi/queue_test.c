/* Section 8 of chainstore.h: queues. */
#include <poll.h>

#include "capi_test.h"

static int is_readable(cs_queue* queue) {
  struct pollfd event;
  event.fd = cs_queue_fd(queue);
  event.events = POLLIN;
  assert_true(event.fd >= 0);
  return poll(&event, 1, 0);
}

static cs_status start(cs_store* store, const char* key, cs_queue* queue, void* user_data) {
  cs_call call = CS_CALL_INIT;
  call.queue = queue;
  return cs_get(store, key, strlen(key), &call, NULL, user_data);
}

static void test_results_come_with_their_user_data(void** state) {
  cs_store* store = open_memory();
  cs_queue* queue = cs_queue_new(8, NULL);
  cs_result results[8];
  size_t count = 9, at, taken = 0;
  int tags[3], seen[3] = {0, 0, 0};
  (void)state;
  put_text(store, "k", "value");
  assert_int_equal(cs_queue_take(queue, results, 8, 0, &count), CS_WOULD_BLOCK);
  assert_int_equal(count, 0);
  assert_int_equal(start(store, "k", queue, &tags[0]), CS_OK);
  assert_int_equal(start(store, "x", queue, &tags[1]), CS_OK);
  assert_int_equal(start(store, "", queue, &tags[2]), CS_OK);
  while (taken < 3) {
    memset(results, 0xa5, sizeof(results)); /* overwritten, never read */
    assert_int_equal(cs_queue_take(queue, results, 8, CS_FOREVER, &count), CS_OK);
    assert_true(count > 0);
    taken += count;
    for (at = 0; at < count; ++at) {
      const int* tag = results[at].user_data;
      ++seen[tag - tags];
      if (tag == &tags[0]) assert_memory_equal(results[at].data, "value", 5);
      expect_status(&results[at], tag == &tags[0]   ? CS_OK
                                  : tag == &tags[1] ? CS_NOT_FOUND
                                                    : CS_INVALID);
    }
  }
  assert_int_equal(seen[0] + seen[1] + seen[2], 3);
  assert_int_equal(seen[0] * seen[1] * seen[2], 1);
  cs_queue_unref(queue);
  close_store(store);
}

static void test_a_full_queue_refuses_calls(void** state) {
  cs_store* store = open_memory();
  cs_queue* queue = cs_queue_new(2, NULL);
  cs_result results[4];
  size_t count, taken = 0;
  (void)state;
  assert_int_equal(start(store, "a", queue, NULL), CS_OK);
  assert_int_equal(start(store, "b", queue, NULL), CS_OK);
  assert_int_equal(start(store, "c", queue, NULL), CS_BUSY);
  assert_int_equal(start(store, "", queue, NULL), CS_BUSY); /* whatever the call */
  assert_int_equal(cs_queue_take(queue, results, 1, CS_FOREVER, &count), CS_OK);
  assert_int_equal(count, 1);
  cs_result_release(&results[0]);
  assert_int_equal(start(store, "c", queue, NULL), CS_OK); /* its slot is free again */
  assert_int_equal(start(store, "d", queue, NULL), CS_BUSY);
  while (taken < 2) {
    assert_int_equal(cs_queue_take(queue, results, 4, CS_FOREVER, &count), CS_OK);
    while (count > 0) {
      cs_result_release(&results[--count]);
      ++taken;
    }
  }
  assert_int_equal(cs_queue_take(queue, results, 4, 0, &count), CS_WOULD_BLOCK);
  cs_queue_unref(queue);
  close_store(store);
}

static void test_a_refused_call_gives_its_slot_back(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  size_t count;
  (void)state;
  call.queue = cs_queue_new(1, NULL);
  call.reserved = 1;
  assert_int_equal(cs_get(store, "k", 1, &call, NULL, NULL), CS_INVALID);
  call.reserved = 0;
  assert_int_equal(cs_get(store, "k", 1, &call, NULL, NULL), CS_OK);
  assert_int_equal(cs_queue_take(call.queue, &result, 1, CS_FOREVER, &count), CS_OK);
  cs_result_release(&result);
  cs_queue_unref(call.queue);
  close_store(store);
}

static void test_the_descriptor_is_readable_while_there_is_something(void** state) {
  cs_store* store = open_memory();
  cs_queue* queue = cs_queue_new(4, NULL);
  cs_result result;
  size_t count;
  (void)state;
  assert_false(is_readable(queue));
  assert_int_equal(start(store, "a", queue, NULL), CS_OK);
  assert_int_equal(start(store, "b", queue, NULL), CS_OK);
  /* A hit in memory is in the queue when its start function returns. */
  assert_true(is_readable(queue));
  assert_int_equal(cs_queue_take(queue, &result, 1, CS_FOREVER, &count), CS_OK);
  cs_result_release(&result);
  assert_true(is_readable(queue));
  assert_int_equal(cs_queue_take(queue, &result, 1, CS_FOREVER, &count), CS_OK);
  cs_result_release(&result);
  assert_false(is_readable(queue));
  cs_queue_wake(queue);
  assert_true(is_readable(queue));
  assert_int_equal(cs_queue_take(queue, &result, 1, CS_FOREVER, &count), CS_WOULD_BLOCK);
  assert_false(is_readable(queue));
  assert_int_equal(cs_queue_fd(NULL), -1);
  cs_queue_unref(queue);
  close_store(store);
}

static void test_a_descriptor_asked_for_late_tells_what_is_there(void** state) {
  cs_store* store = open_memory();
  cs_queue* queue = cs_queue_new(4, NULL);
  (void)state;
  assert_int_equal(start(store, "a", queue, NULL), CS_OK);
  assert_true(is_readable(queue));
  cs_queue_unref(queue); /* what is in it is released unseen */
  close_store(store);
}

static void test_a_wake_is_kept_for_the_next_take(void** state) {
  cs_queue* queue = cs_queue_new(1, NULL);
  cs_result result;
  size_t count = 7;
  (void)state;
  cs_queue_wake(queue);
  cs_queue_wake(queue); /* two before a take are one */
  assert_int_equal(cs_queue_take(queue, &result, 1, CS_FOREVER, &count), CS_WOULD_BLOCK);
  assert_int_equal(count, 0);
  assert_int_equal(cs_queue_take(queue, &result, 1, 1, &count), CS_WOULD_BLOCK);
  cs_queue_wake(NULL);
  cs_queue_unref(queue);
}

static void* wake(void* queue) {
  cs_queue_wake(queue);
  return NULL;
}

static void test_a_wake_ends_a_take_that_waits(void** state) {
  cs_queue* queue = cs_queue_new(1, NULL);
  pthread_t waker;
  cs_result result;
  size_t count;
  (void)state;
  assert_int_equal(pthread_create(&waker, NULL, wake, queue), 0);
  assert_int_equal(cs_queue_take(queue, &result, 1, CS_FOREVER, &count), CS_WOULD_BLOCK);
  pthread_join(waker, NULL);
  cs_queue_unref(queue);
}

static void test_a_take_waits_no_longer_than_asked(void** state) {
  cs_queue* queue = cs_queue_new(1, NULL);
  cs_result result;
  size_t count;
  uint64_t before_ms;
  (void)state;
  before_ms = now_ms();
  assert_int_equal(cs_queue_take(queue, &result, 1, 20, &count), CS_WOULD_BLOCK);
  assert_true(now_ms() - before_ms >= 19);
  assert_int_equal(cs_queue_take(queue, NULL, 1, 0, &count), CS_INVALID);
  assert_int_equal(cs_queue_take(queue, &result, 0, 0, &count), CS_INVALID);
  assert_int_equal(cs_queue_take(queue, &result, 1, 0, NULL), CS_INVALID);
  assert_int_equal(cs_queue_take(NULL, &result, 1, 0, &count), CS_INVALID);
  cs_queue_unref(queue);
}

static void test_a_capacity_of_nothing_or_too_much_is_invalid(void** state) {
  cs_error* error = NULL;
  (void)state;
  assert_null(cs_queue_new(0, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_null(cs_queue_new((1u << 20) + 1, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  cs_queue_unref(cs_queue_new(1u << 20, NULL));
  cs_queue_unref(NULL);
}

static void count_release(void* context) { __sync_fetch_and_add((int*)context, 1); }

static void test_unseen_results_are_released_with_the_queue(void** state) {
  cs_store* store = open_memory();
  cs_queue* queue = cs_queue_new(4, NULL);
  static char big[65536];
  int released = 0;
  cs_value* value = cs_value_wrap(big, sizeof(big), count_release, &released, NULL);
  (void)state;
  assert_int_equal(cs_put_value_sync(store, "k", 1, value, NULL, NULL), CS_OK);
  cs_value_unref(value);
  assert_int_equal(start(store, "k", queue, NULL), CS_OK);
  assert_int_equal(start(store, "k", queue, NULL), CS_OK);
  cs_queue_unref(queue);
  close_store(store);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  assert_int_equal(__sync_fetch_and_add(&released, 0), 1);
}

struct taker {
  cs_queue* queue;
  pthread_t thread;
  size_t taken;
};

static void* take_all(void* context) {
  struct taker* taker = context;
  for (;;) {
    cs_result results[16];
    size_t count;
    if (cs_queue_take(taker->queue, results, 16, CS_FOREVER, &count) != CS_OK) return NULL;
    taker->taken += count;
    while (count > 0) cs_result_release(&results[--count]);
  }
}

static void test_several_threads_take_each_result_once(void** state) {
  enum { kCalls = 2000, kTakers = 3 };
  cs_store* store = open_memory();
  struct taker takers[kTakers];
  cs_queue* queue = cs_queue_new(kCalls, NULL);
  cs_result result;
  size_t total = 0, count;
  int at;
  (void)state;
  put_text(store, "k", "v");
  for (at = 0; at < kTakers; ++at) {
    takers[at].queue = queue;
    takers[at].taken = 0;
    assert_int_equal(pthread_create(&takers[at].thread, NULL, take_all, &takers[at]), 0);
  }
  for (at = 0; at < kCalls; ++at) assert_int_equal(start(store, "k", queue, NULL), CS_OK);
  assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  /* One wake ends one take. */
  for (at = 0; at < kTakers; ++at) {
    cs_queue_wake(queue);
    while (is_readable(queue)) sched_yield();
  }
  while (cs_queue_take(queue, &result, 1, 0, &count) == CS_OK) {
    ++total;
    cs_result_release(&result);
  }
  for (at = 0; at < kTakers; ++at) {
    while (pthread_tryjoin_np(takers[at].thread, NULL) != 0) cs_queue_wake(queue);
    total += takers[at].taken;
  }
  assert_int_equal(total, kCalls);
  cs_queue_unref(queue);
  cs_store_unref(store);
}

int test_queues(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_results_come_with_their_user_data),
      cmocka_unit_test(test_a_full_queue_refuses_calls),
      cmocka_unit_test(test_a_refused_call_gives_its_slot_back),
      cmocka_unit_test(test_the_descriptor_is_readable_while_there_is_something),
      cmocka_unit_test(test_a_descriptor_asked_for_late_tells_what_is_there),
      cmocka_unit_test(test_a_wake_is_kept_for_the_next_take),
      cmocka_unit_test(test_a_wake_ends_a_take_that_waits),
      cmocka_unit_test(test_a_take_waits_no_longer_than_asked),
      cmocka_unit_test(test_a_capacity_of_nothing_or_too_much_is_invalid),
      cmocka_unit_test(test_unseen_results_are_released_with_the_queue),
      cmocka_unit_test(test_several_threads_take_each_result_once),
  };
  return cmocka_run_group_tests_name("queues", tests, NULL, NULL);
}
