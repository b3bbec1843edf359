/* Section 7 of chainstore.h: scans. */
#include <stdio.h>

#include "capi_test.h"

/* A store with the keys a0 to a9, b, and one that is greater than all ASCII. */
static cs_store* open_with_keys(void) {
  cs_store* store = open_memory();
  char key[] = "a0";
  for (; key[1] <= '9'; ++key[1]) put_text(store, key, key);
  put_text(store, "b", "b");
  put_text(store, "\xff\xff", "end");
  return store;
}

/* The keys of the whole scan, a space after each. */
static void expect_keys(cs_store* store, const cs_range* range, const char* expected) {
  cs_scan* scan = cs_scan_new(store, range, NULL);
  char keys[256] = "";
  cs_result page;
  size_t at;
  assert_non_null(scan);
  while (cs_scan_next_sync(scan, NULL, &page) == CS_OK) {
    assert_true(page.count > 0);
    if (range && range->page_size) assert_true(page.count <= range->page_size);
    for (at = 0; at < page.count; ++at) {
      strncat(keys, page.entries[at].key, page.entries[at].key_size);
      strcat(keys, " ");
    }
    expect_status(&page, CS_OK);
  }
  assert_int_equal(page.count, 0);
  assert_null(page.entries);
  expect_status(&page, CS_END);
  cs_scan_next_sync(scan, NULL, &page); /* as often as you ask */
  expect_status(&page, CS_END);
  assert_string_equal(keys, expected);
  cs_scan_free(scan);
}

static void test_bounds_and_directions(void** state) {
  cs_store* store = open_with_keys();
  cs_range range = CS_RANGE_INIT;
  (void)state;
  expect_keys(store, NULL, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b \xff\xff ");
  range.prefix = "a";
  range.prefix_size = 1;
  range.page_size = 3;
  expect_keys(store, &range, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 ");
  range.start = "a3";
  range.start_size = 2;
  range.end = "a6";
  range.end_size = 2;
  expect_keys(store, &range, "a3 a4 a5 ");
  range.flags = CS_SCAN_REVERSE;
  range.page_size = 1;
  expect_keys(store, &range, "a5 a4 a3 "); /* start inclusive, end exclusive, also here */
  range.prefix = "\xff";
  range.start_size = range.end_size = 0;
  expect_keys(store, &range, "\xff\xff ");
  range.prefix = "c";
  expect_keys(store, &range, "");
  close_store(store);
}

static void test_entries_carry_what_is_known(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_range range = CS_RANGE_INIT;
  cs_scan* scan;
  cs_result page;
  (void)state;
  call.ttl_ms = 3600000;
  assert_int_equal(cs_put_sync(store, "k", 1, "value", 5, &call, NULL), CS_OK);
  scan = cs_scan_new(store, &range, NULL);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(page.count, 1);
  assert_memory_equal(page.entries[0].data, "value", 5);
  assert_non_null(page.entries[0].value);
  assert_int_equal(page.entries[0].total_size, 5);
  assert_true(page.entries[0].expires_at_ms > 0);
  assert_true(page.entries[0].version != 0);
  cs_scan_free(scan); /* the page does not need it */
  assert_memory_equal(page.entries[0].key, "k", 1);
  expect_status(&page, CS_OK);
  range.flags = CS_SCAN_KEYS_ONLY;
  scan = cs_scan_new(store, &range, NULL);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_null(page.entries[0].value);
  assert_null(page.entries[0].data);
  assert_int_equal(page.entries[0].total_size, 5);
  expect_status(&page, CS_OK);
  cs_scan_free(scan);
  close_store(store);
}

static void test_a_bad_range_is_invalid(void** state) {
  cs_store* store = open_memory();
  const cs_range good = CS_RANGE_INIT;
  cs_range range;
  char bound[1025] = "";
  cs_error* error = NULL;
  uint32_t bit;
  (void)state;
#define EXPECT_INVALID(change)                            \
  do {                                                    \
    range = good;                                         \
    change;                                               \
    assert_null(cs_scan_new(store, &range, &error));      \
    assert_int_equal(cs_error_status(error), CS_INVALID); \
    cs_error_unref(error);                                \
    error = NULL;                                         \
  } while (0)
  EXPECT_INVALID(range.struct_size = 0);
  EXPECT_INVALID(range.struct_size = UINT32_MAX);
  EXPECT_INVALID(range.reserved = 1);
  EXPECT_INVALID(range.page_size = 65537);
  EXPECT_INVALID(range.prefix_size = 1);
  EXPECT_INVALID(range.start_size = 1);
  EXPECT_INVALID(range.end_size = 1);
  EXPECT_INVALID((range.end = bound, range.end_size = 1025));
  for (bit = 2; bit < 32; ++bit) EXPECT_INVALID(range.flags = 1u << bit);
#undef EXPECT_INVALID
  range = good;
  range.struct_size = (uint32_t)offsetof(cs_range, prefix); /* from the past */
  range.prefix_size = 1;
  expect_keys(store, &range, "");
  close_store(store);
}

static void test_pages_complete_one_after_another(void** state) {
  cs_store* store = open_with_keys();
  cs_range range = CS_RANGE_INIT;
  struct waiter waiter = WAITER_INIT;
  cs_scan* scan;
  int pages = 0;
  size_t keys = 0;
  (void)state;
  range.page_size = 5;
  scan = cs_scan_new(store, &range, NULL);
  do {
    assert_int_equal(cs_scan_next(scan, NULL, complete, &waiter), CS_OK);
    wait_for(&waiter, ++pages);
    keys += waiter.result.count;
  } while (waiter.result.status == CS_OK);
  assert_int_equal(waiter.result.status, CS_END);
  assert_int_equal(keys, 12);
  cs_scan_free(scan);
  cs_result_release(&waiter.result);
  close_store(store);
}

struct scan_all {
  cs_scan* scan;
  struct waiter waiter;
  size_t keys;
  int refused;
};

static void next_page(void* user_data, cs_result* result) {
  struct scan_all* all = user_data;
  all->keys += result->count;
  if (result->status != CS_OK) {
    complete(&all->waiter, result);
    return;
  }
  /* In a page's completion the next may be started; it may be over before this function is. */
  if (cs_scan_next(all->scan, NULL, next_page, all) != CS_OK) {
    all->refused = 1;
    complete(&all->waiter, result);
  }
}

static void test_a_completion_may_start_the_next_page(void** state) {
  struct scan_all all = {NULL, WAITER_INIT, 0, 0};
  cs_store* store = open_with_keys();
  cs_range range = CS_RANGE_INIT;
  (void)state;
  range.page_size = 1;
  all.scan = cs_scan_new(store, &range, NULL);
  assert_int_equal(cs_scan_next(all.scan, NULL, next_page, &all), CS_OK);
  assert_int_equal(wait_for(&all.waiter, 1), CS_END);
  assert_int_equal(all.refused, 0);
  assert_int_equal(all.keys, 12);
  cs_scan_free(all.scan);
  cs_result_release(&all.waiter.result);
  close_store(store);
}

static void test_after_close_a_scan_is_closed(void** state) {
  cs_store* store = open_with_keys();
  cs_range range = CS_RANGE_INIT;
  cs_scan* scan;
  cs_result page;
  struct waiter waiter = WAITER_INIT;
  (void)state;
  range.page_size = 2;
  scan = cs_scan_new(store, &range, NULL);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  assert_memory_equal(page.entries[1].data, "a1", 2); /* what was answered stays */
  expect_status(&page, CS_OK);
  cs_scan_next_sync(scan, NULL, &page);
  expect_status(&page, CS_CLOSED);
  assert_int_equal(cs_scan_next(scan, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_CLOSED);
  cs_result_release(&waiter.result);
  cs_store_unref(store); /* the scan holds it */
  cs_scan_next_sync(scan, NULL, &page);
  expect_status(&page, CS_CLOSED);
  cs_scan_free(scan);
}

static void test_a_scan_of_nothing_and_by_nobody(void** state) {
  cs_result page;
  (void)state;
  assert_int_equal(cs_scan_next(NULL, NULL, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_scan_next_sync(NULL, NULL, &page), CS_INVALID);
  expect_status(&page, CS_INVALID);
  assert_int_equal(cs_scan_next_sync(NULL, NULL, NULL), CS_INVALID);
  cs_scan_free(NULL);
}

static void test_a_refused_page_may_be_asked_for_again(void** state) {
  cs_store* store = open_with_keys();
  cs_scan* scan = cs_scan_new(store, NULL, NULL);
  cs_call call = CS_CALL_INIT;
  cs_result page;
  (void)state;
  call.reserved = 1;
  assert_int_equal(cs_scan_next(scan, &call, complete, NULL), CS_INVALID);
  cs_scan_next_sync(scan, &call, &page);
  expect_status(&page, CS_INVALID);
  call.reserved = 0;
  call.flags = CS_CALL_NO_WAIT;
  cs_scan_next_sync(scan, &call, &page);
  expect_status(&page, CS_WOULD_BLOCK);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(page.count, 12);
  expect_status(&page, CS_OK);
  cs_scan_free(scan);
  close_store(store);
}

int test_scans(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bounds_and_directions),
      cmocka_unit_test(test_entries_carry_what_is_known),
      cmocka_unit_test(test_a_bad_range_is_invalid),
      cmocka_unit_test(test_pages_complete_one_after_another),
      cmocka_unit_test(test_a_completion_may_start_the_next_page),
      cmocka_unit_test(test_after_close_a_scan_is_closed),
      cmocka_unit_test(test_a_scan_of_nothing_and_by_nobody),
      cmocka_unit_test(test_a_refused_page_may_be_asked_for_again),
  };
  return cmocka_run_group_tests_name("scans", tests, NULL, NULL);
}
