/* 1,000 open/close cycles leave no thread, descriptor or byte behind. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "capi_test.h"

static int entries_of(const char* path) {
  DIR* folder = opendir(path);
  int count = 0;
  assert_non_null(folder);
  while (readdir(folder)) ++count;
  closedir(folder);
  return count;
}

/* What the C library has given out; 0 where a sanitizer has replaced it. */
static size_t bytes_in_use(void) { return mallinfo2().uordblks; }

static long resident_pages(void) {
  FILE* file = fopen("/proc/self/statm", "r");
  long total = 0, resident = 0;
  assert_non_null(file);
  if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = -1;
  fclose(file);
  return resident;
}

static void cycle(int at) {
  cs_store* store = open_memory();
  cs_queue* queue = cs_queue_new(4, NULL);
  cs_call call = CS_CALL_INIT;
  cs_scan* scan = cs_scan_new(store, NULL, NULL);
  cs_result result;
  size_t count;
  put_text(store, "k", "value");
  call.queue = queue;
  call.timeout_ms = 60000;
  call.cancel = cs_cancel_new();
  assert_int_equal(cs_get(store, "k", 1, &call, NULL, NULL), CS_OK);
  if (at % 2) {
    assert_int_equal(cs_queue_take(queue, &result, 1, CS_FOREVER, &count), CS_OK);
    expect_status(&result, CS_OK);
  }
  cs_scan_next_sync(scan, NULL, &result);
  expect_status(&result, CS_OK);
  cs_scan_free(scan);
  cs_cancel_unref(call.cancel);
  if (at % 3) assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  cs_store_unref(store);
  cs_queue_unref(queue);
  assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
}

static void test_a_thousand_cycles_leave_nothing_behind(void** state) {
  int at, threads, descriptors;
  size_t bytes;
  long pages;
  (void)state;
  for (at = 0; at < 50; ++at) cycle(at); /* what is kept for ever is there now */
  threads = entries_of("/proc/self/task");
  descriptors = entries_of("/proc/self/fd");
  bytes = bytes_in_use();
  pages = resident_pages();
  for (at = 0; at < 1000; ++at) cycle(at);
  assert_int_equal(entries_of("/proc/self/task"), threads);
  assert_int_equal(entries_of("/proc/self/fd"), descriptors);
  if (bytes == 0) return; /* a sanitizer keeps freed memory, and finds leaks itself */
  /* Less than the smallest object a cycle, and room for what the C library keeps for the threads
   * that it may start anew, should more of them be at work at once than ever before. */
  assert_true(bytes_in_use() < bytes + 1000 * 16);
  assert_true(resident_pages() < pages + 1024);
}

int test_cycles(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_thousand_cycles_leave_nothing_behind),
  };
  return cmocka_run_group_tests_name("cycles", tests, NULL, NULL);
}
