/* cs_on_trace: what is told of each kind of call, to whom, and until when. */
#include <stdio.h>

#include "capi_test.h"

struct listener {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int told;
  int released;
  char last[8192];
};

static void listen_to(void* user_data, const char* json, size_t size) {
  struct listener* self = user_data;
  pthread_mutex_lock(&self->mutex);
  snprintf(self->last, sizeof(self->last), "%.*s", (int)size, json);
  ++self->told;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

static void leave(void* user_data) {
  struct listener* self = user_data;
  pthread_mutex_lock(&self->mutex);
  ++self->released;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

static void wait_until(struct listener* self, int told, int released) {
  pthread_mutex_lock(&self->mutex);
  while (self->told < told || self->released < released) {
    pthread_cond_wait(&self->changed, &self->mutex);
  }
  pthread_mutex_unlock(&self->mutex);
}

/* Each part stands in the text, in this order. */
static void expect_parts(const char* text, const char* const* parts, size_t count) {
  const char* at = text;
  size_t index;
  for (index = 0; index < count; ++index) {
    at = strstr(at, parts[index]);
    if (!at) fail_msg("no %s in %s", parts[index], text);
    at += strlen(parts[index]);
  }
}

static struct listener new_listener(void) {
  struct listener listener;
  memset(&listener, 0, sizeof(listener));
  pthread_mutex_init(&listener.mutex, NULL);
  pthread_cond_init(&listener.changed, NULL);
  return listener;
}

static void test_a_get_shows_its_way_and_its_fill(void** state) {
  static const char* const parts[] = {
      "{\"op\":\"get\",\"store\":\"chain\",\"key\":\"k\",\"at_ms\":",
      "\"start_us\":",
      "\"status\":\"CS_OK\",\"tier\":2,\"spans\":[",
      "{\"op\":\"get\",\"store\":\"lru\"",
      "\"CS_NOT_FOUND\",\"spans\":[{\"op\":\"get\",\"store\":\"memory:\"",
      "{\"op\":\"get\",\"store\":\"timeout\"",
      "\"CS_OK\"",
      "{\"op\":\"get\",\"store\":\"memory:\"",
      "{\"op\":\"put\",\"store\":\"lru\",\"fill\":true",
      "{\"op\":\"put\",\"store\":\"memory:\",\"fill\":true",
  };
  struct listener listener = new_listener();
  cs_store* chain =
      cs_store_open("chain(writes=through, lru(1MiB, memory:) > timeout(1h, memory:))", NULL, NULL);
  cs_store* lower = cs_store_inner(chain, 1);
  (void)state;
  put_text(lower, "k", "v");
  assert_int_equal(cs_on_trace(chain, listen_to, &listener, leave), CS_OK);
  expect_text(chain, "k", "v");
  wait_until(&listener, 1, 0);
  expect_parts(listener.last, parts, sizeof(parts) / sizeof(parts[0]));
  cs_store_unref(lower);
  close_store(chain);
  wait_until(&listener, 1, 1);
}

static void test_each_operation_is_told_once(void** state) {
  static const char* const names[] = {"put",   "get",  "stat",  "get_many",
                                      "write", "scan", "flush", "del"};
  struct listener listener = new_listener();
  cs_store* store = open_memory();
  cs_batch* batch = cs_batch_new();
  cs_scan* scan = cs_scan_new(store, NULL, NULL);
  const uint32_t sizes[] = {1};
  cs_result result;
  int told = 0;
  (void)state;
  cs_on_trace(store, listen_to, &listener, leave);
  for (; told < 8; ++told) {
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "{\"op\":\"%s\",", names[told]);
    switch (told) {
      case 0:
        cs_put_sync(store, "k", 1, "v", 1, NULL, &result);
        break;
      case 1:
        cs_get_sync(store, "k", 1, NULL, &result);
        break;
      case 2:
        cs_stat_sync(store, "k", 1, NULL, &result);
        break;
      case 3:
        cs_get_many_sync(store, "k", sizes, 1, NULL, &result);
        break;
      case 4:
        cs_batch_put(batch, "b", 1, "v", 1);
        cs_batch_del(batch, "c", 1);
        cs_write_sync(store, batch, NULL, &result);
        break;
      case 5:
        cs_scan_next_sync(scan, NULL, &result);
        break;
      case 6:
        cs_flush_sync(store, NULL, 0, NULL, &result);
        break;
      default:
        cs_del_sync(store, "k", 1, NULL, &result);
        break;
    }
    expect_status(&result, CS_OK);
    wait_until(&listener, told + 1, 0);
    if (strncmp(listener.last, wanted, strlen(wanted)) != 0) fail_msg("%s", listener.last);
  }
  assert_int_equal(listener.told, 8);
  cs_scan_free(scan);
  cs_batch_free(batch);
  close_store(store);
  wait_until(&listener, 8, 1);
}

static void test_a_call_that_completes_later_is_told_too(void** state) {
  struct listener listener = new_listener();
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_memory();
  (void)state;
  cs_on_trace(store, listen_to, &listener, leave);
  assert_int_equal(cs_get(store, "nothing", 7, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_NOT_FOUND);
  cs_result_release(&waiter.result);
  wait_until(&listener, 1, 0);
  assert_non_null(strstr(listener.last, "\"key\":\"nothing\""));
  close_store(store);
  wait_until(&listener, 1, 1);
}

static void test_without_a_function_nothing_is_told(void** state) {
  struct listener listener = new_listener();
  cs_store* store = open_memory();
  (void)state;
  assert_int_equal(cs_on_trace(NULL, listen_to, &listener, leave), CS_INVALID);
  assert_int_equal(cs_on_trace(store, listen_to, &listener, leave), CS_OK);
  assert_int_equal(cs_on_trace(store, NULL, NULL, NULL), CS_OK);
  wait_until(&listener, 0, 1);
  put_text(store, "k", "v");
  close_store(store);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
  assert_int_equal(listener.told, 0);
}

int test_traces(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_get_shows_its_way_and_its_fill),
      cmocka_unit_test(test_each_operation_is_told_once),
      cmocka_unit_test(test_a_call_that_completes_later_is_told_too),
      cmocka_unit_test(test_without_a_function_nothing_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
