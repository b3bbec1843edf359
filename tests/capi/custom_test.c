/* Stores that are a function of the user's: what they are asked, and what their answers become. */
#include "custom_store.h"

static void expect_refused(const char* name, const cs_store_ops* ops, const char* why) {
  cs_error* error = NULL;
  assert_null(cs_custom_new(name, ops, NULL, NULL, 0, NULL, &error));
  assert_non_null(error);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  assert_non_null(strstr(cs_error_message(error), why));
  cs_error_unref(error);
}

static void test_what_cannot_be_a_store_is_refused(void** state) {
  struct {
    cs_store_ops ops;
    uint64_t later;
  } future = {CS_STORE_OPS_INIT, 0};
  cs_store_ops ops = CS_STORE_OPS_INIT;
  (void)state;
  expect_refused("mine", NULL, "ops is NULL");
  expect_refused("mine", &ops, "submit is NULL");
  ops.submit = submit;
  expect_refused(NULL, &ops, "name");
  expect_refused("a name", &ops, "name");
  ops.caps = 1u << 30;
  expect_refused("mine", &ops, "unknown capability");
  ops.caps = CS_CAP_ATOMIC_BATCH;
  expect_refused("mine", &ops, "ATOMIC_BATCH");
  ops.caps = 0;
  ops.struct_size = 0;
  expect_refused("mine", &ops, "struct_size");
  future.ops.submit = submit;
  future.ops.struct_size = (uint32_t)sizeof(future);
  future.later = 1;
  expect_refused("mine", &future.ops, "does not know");
}

static void test_a_struct_of_the_future_that_says_nothing_new_is_taken(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, 0, NULL);
  struct {
    cs_store_ops ops;
    uint64_t later;
  } future = {CS_STORE_OPS_INIT, 0};
  cs_store* store;
  (void)state;
  future.ops.submit = submit;
  future.ops.release = release_custom;
  future.ops.struct_size = (uint32_t)sizeof(future);
  store = cs_custom_new("mine", &future.ops, &self, NULL, 0, NULL, NULL);
  assert_non_null(store);
  end_custom(&self, store);
}

static void test_an_answer_at_once_reaches_every_kind_of_call(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, 0, NULL);
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  (void)state;
  expect_text(store, "k", "hello");
  assert_int_equal(self.wait, CS_WAIT_HERE);
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_memory_equal(waiter.result.data, "hello", 5);
  cs_result_release(&waiter.result);
  assert_int_equal(self.wait, CS_WAIT_LATER);
  self.wait = 99; /* without CS_CAP_TRY it does not hear of a call that must not wait */
  assert_int_equal(cs_get_try(store, "k", 1, &result), CS_WOULD_BLOCK);
  assert_int_equal(self.wait, 99);
  end_custom(&self, store);
}

static void test_what_it_cannot_is_made_of_what_it_can(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, 0, NULL);
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  cs_call call = CS_CALL_INIT;
  cs_error* error = NULL;
  (void)state;
  assert_int_equal(cs_get_range_sync(store, "k", 1, 1, 3, NULL, &result), CS_OK);
  assert_int_equal(result.size, 3);
  assert_memory_equal(result.data, "ell", 3);
  assert_int_equal(result.total_size, 5);
  cs_result_release(&result);
  assert_int_equal(self.submits[CS_OP_GET_RANGE], 0);
  assert_int_equal(cs_stat_sync(store, "k", 1, NULL, &result), CS_OK);
  assert_int_equal(result.total_size, 5);
  assert_null(result.value);
  cs_result_release(&result);
  assert_int_equal(cs_flush_sync(store, NULL, 0, NULL, &result), CS_OK);
  call.ttl_ms = 1000;
  assert_int_equal(cs_put_sync(store, "k", 1, "v", 1, &call, &result), CS_UNSUPPORTED);
  expect_status(&result, CS_UNSUPPORTED);
  assert_null(cs_scan_new(store, NULL, &error));
  assert_int_equal(cs_error_status(error), CS_UNSUPPORTED);
  cs_error_unref(error);
  end_custom(&self, store);
}

static void test_scans_page_by_page(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, CS_CAP_SCAN | CS_CAP_ORDERED, NULL);
  cs_store* store = open_custom(&self);
  cs_range range = CS_RANGE_INIT;
  cs_result page = CS_RESULT_INIT;
  cs_scan* scan;
  (void)state;
  range.page_size = 2;
  scan = cs_scan_new(store, &range, NULL);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(page.count, 2);
  cs_result_release(&page);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(page.count, 1);
  assert_memory_equal(page.entries[0].key, "c", 1);
  cs_result_release(&page);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_END);
  cs_result_release(&page);
  cs_scan_free(scan);
  end_custom(&self, store);
}

static void test_scans_backwards_page_by_page(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, CS_CAP_SCAN | CS_CAP_ORDERED, NULL);
  cs_store* store = open_custom(&self);
  cs_range range = CS_RANGE_INIT;
  cs_result page = CS_RESULT_INIT;
  cs_scan* scan;
  (void)state;
  range.flags = CS_SCAN_REVERSE;
  range.page_size = 2;
  scan = cs_scan_new(store, &range, NULL);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(page.count, 2);
  assert_memory_equal(page.entries[0].key, "c", 1);
  assert_memory_equal(page.entries[1].key, "b", 1);
  cs_result_release(&page);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_OK);
  assert_int_equal(page.count, 1);
  assert_memory_equal(page.entries[0].key, "a", 1);
  cs_result_release(&page);
  assert_int_equal(self.range_end, 'b'); /* the second page was asked for as what is below b */
  assert_int_equal(cs_scan_next_sync(scan, NULL, &page), CS_END);
  cs_result_release(&page);
  cs_scan_free(scan);
  end_custom(&self, store);
}

static void test_forwarding_carries_the_whole_call(void** state) {
  struct custom self = CUSTOM_INIT(FORWARD, CS_CAP_TTL | CS_CAP_TRY | CS_CAP_RANGE, open_memory());
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  cs_call call = CS_CALL_INIT;
  cs_cancel* token = cs_cancel_new();
  cs_store* inner;
  (void)state;
  call.ttl_ms = 3600000;
  call.timeout_ms = 60000;
  call.cancel = token;
  call.flags = CS_CALL_IF_ABSENT;
  assert_int_equal(cs_put_sync(store, "k", 1, "value", 5, &call, &result), CS_OK);
  cs_result_release(&result);
  assert_int_equal(self.call.flags, CS_CALL_IF_ABSENT);
  assert_true(self.call.timeout_ms > 0 && self.call.timeout_ms <= 60000);
  assert_true(self.call.ttl_ms > 0 && self.call.ttl_ms <= 3600000);
  assert_ptr_equal(self.call.cancel, token);
  assert_int_equal(cs_put_sync(store, "k", 1, "other", 5, &call, &result), CS_EXISTS);
  cs_result_release(&result);
  assert_int_equal(cs_get_try(store, "k", 1, &result), CS_OK);
  assert_int_equal(self.wait, CS_WAIT_NEVER);
  assert_true(result.expires_at_ms != 0);
  cs_result_release(&result);
  assert_int_equal(cs_get_range_sync(store, "k", 1, 1, 2, NULL, &result), CS_OK);
  assert_int_equal(result.size, 2);
  cs_result_release(&result);
  inner = cs_store_inner(store, 0);
  assert_ptr_equal(inner, self.inner);
  cs_store_unref(inner);
  cs_cancel_unref(token);
  end_custom(&self, store);
  /* Nobody else wrapped it: it was closed too. */
  assert_int_equal(cs_get_sync(self.inner, "k", 1, NULL, &result), CS_CLOSED);
  cs_result_release(&result);
  cs_store_unref(self.inner);
}

static void test_answers_that_cannot_be_are_named(void** state) {
  struct custom self = CUSTOM_INIT(NO_VALUE, 0, NULL);
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  (void)state;
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_INTERNAL);
  assert_non_null(strstr(cs_error_message(result.error), "mine: get"));
  cs_result_release(&result);
  self.mode = FORWARD; /* to NULL */
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, &result), CS_INVALID);
  assert_non_null(strstr(cs_error_message(result.error), "inner"));
  cs_result_release(&result);
  end_custom(&self, store);
}

static void test_submit_may_block_only_for_a_caller_who_waits_there(void** state) {
  struct custom self = CUSTOM_INIT(BLOCK, 0, open_memory());
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  (void)state;
  expect_text(store, "k", NULL);
  assert_int_equal(self.blocked, CS_NOT_FOUND);
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_NOT_FOUND);
  assert_int_equal(self.blocked, CS_DEADLOCK);
  cs_result_release(&waiter.result);
  end_custom(&self, store);
  cs_store_unref(self.inner);
}

static void test_describes_itself_by_its_name(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, 0, NULL);
  cs_store* store = open_custom(&self);
  cs_value* text = cs_store_describe(store, NULL);
  size_t size;
  (void)state;
  assert_non_null(cs_value_data(text, &size));
  assert_int_equal(size, 11);
  assert_memory_equal(cs_value_data(text, NULL), "custom:mine", 11);
  cs_value_unref(text);
  end_custom(&self, store);
}

int test_custom(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_cannot_be_a_store_is_refused),
      cmocka_unit_test(test_a_struct_of_the_future_that_says_nothing_new_is_taken),
      cmocka_unit_test(test_an_answer_at_once_reaches_every_kind_of_call),
      cmocka_unit_test(test_what_it_cannot_is_made_of_what_it_can),
      cmocka_unit_test(test_scans_page_by_page),
      cmocka_unit_test(test_scans_backwards_page_by_page),
      cmocka_unit_test(test_forwarding_carries_the_whole_call),
      cmocka_unit_test(test_answers_that_cannot_be_are_named),
      cmocka_unit_test(test_submit_may_block_only_for_a_caller_who_waits_there),
      cmocka_unit_test(test_describes_itself_by_its_name),
  };
  return cmocka_run_group_tests_name("custom", tests, NULL, NULL);
}
