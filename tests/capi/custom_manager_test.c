/* Custom stores around other stores: what passes through them. */
#include "custom_store.h"

static void test_forwarding_from_another_thread(void** state) {
  struct custom self = CUSTOM_INIT(FORWARD_ELSEWHERE, CS_CAP_TTL | CS_CAP_SCAN, open_memory());
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  cs_result result;
  cs_scan* scan;
  (void)state;
  put_text(store, "k", "value"); /* the caller waits here, the request goes on there */
  expect_text(store, "k", "value");
  expect_text(store, "none", NULL);
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_memory_equal(waiter.result.data, "value", 5);
  cs_result_release(&waiter.result);
  scan = cs_scan_new(store, NULL, NULL);
  assert_int_equal(cs_scan_next_sync(scan, NULL, &result), CS_OK);
  assert_int_equal(result.count, 1);
  cs_result_release(&result);
  cs_scan_free(scan);
  assert_int_equal(cs_del_sync(store, "k", 1, NULL, NULL), CS_OK);
  expect_text(self.inner, "k", NULL);
  assert_int_equal(cs_flush_sync(store, NULL, 0, NULL, NULL), CS_OK);
  end_custom(&self, store);
  cs_store_unref(self.inner);
}

static void test_forwarding_too_late_for_a_call_that_does_not_wait(void** state) {
  struct custom low = CUSTOM_INIT(ANSWER, CS_CAP_TRY, NULL);
  struct custom self = CUSTOM_INIT(KEEP, CS_CAP_TRY, NULL);
  struct seen seen = SEEN_INIT;
  cs_store* store;
  cs_result result;
  (void)state;
  self.inner = open_custom(&low);
  store = open_custom(&self);
  assert_int_equal(cs_on_error(store, note_error, &seen, NULL), CS_OK);
  assert_int_equal(cs_get_try(store, "k", 1, &result), CS_WOULD_BLOCK);
  cs_result_release(&result);
  cs_request_forward(self.kept[0], self.inner);
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: get: a request of CS_WAIT_NEVER"));
  assert_int_equal(low.submits[CS_OP_GET], 0); /* nobody is there to hear it */
  end_custom(&self, store);
  cs_store_unref(self.inner);
  wait_until(&low, &low.released, 1);
}

static void expect_tier(cs_store* store, uint32_t tier) {
  cs_call call = CS_CALL_INIT;
  cs_result result;
  call.flags = CS_CALL_NO_FILL;
  assert_int_equal(cs_get_sync(store, "k", 1, &call, &result), CS_OK);
  assert_int_equal(result.tier, tier);
  cs_result_release(&result);
  assert_int_equal(cs_stat_sync(store, "k", 1, &call, &result), CS_OK);
  assert_int_equal(result.tier, tier);
  cs_result_release(&result);
}

static void test_the_tier_that_answered_is_told_through_it(void** state) {
  cs_store* links[2];
  cs_store* outer[2];
  cs_store *store, *chain;
  struct custom self = CUSTOM_INIT(FORWARD, 0, NULL);
  (void)state;
  links[0] = open_memory();
  links[1] = open_memory();
  self.inner = cs_chain_new(links, 2, NULL, NULL);
  store = open_custom(&self);
  put_text(links[1], "k", "v"); /* as another program would: the first link has it not */
  expect_tier(store, 2);
  outer[0] = open_memory();
  outer[1] = store;
  chain = cs_chain_new(outer, 2, NULL, NULL);
  expect_tier(chain, 3);
  put_text(links[0], "k", "v");
  expect_tier(chain, 2);
  close_store(chain);
  wait_until(&self, &self.submits[CS_OP_CLOSE], 1);
  cs_store_unref(store);
  wait_until(&self, &self.released, 1);
  cs_store_unref(self.inner);
  cs_store_unref(links[0]);
  cs_store_unref(links[1]);
  cs_store_unref(outer[0]);
}

static void test_the_second_inner_store_is_the_second_tier(void** state) {
  struct custom self = CUSTOM_INIT(FORWARD, 0, NULL);
  cs_store_ops ops = CS_STORE_OPS_INIT;
  cs_store* inner[2];
  cs_store* store;
  (void)state;
  inner[0] = open_memory();
  inner[1] = open_memory();
  ops.submit = submit;
  ops.release = release_custom;
  store = cs_custom_new("mine", &ops, &self, inner, 2, NULL, NULL);
  put_text(inner[0], "k", "v");
  put_text(inner[1], "k", "v");
  self.inner = inner[0];
  expect_tier(store, 1);
  self.inner = inner[1];
  expect_tier(store, 2);
  end_custom(&self, store);
  cs_store_unref(inner[0]);
  cs_store_unref(inner[1]);
}

static void test_failures_below_reach_the_handler_above(void** state) {
  struct custom low = CUSTOM_INIT(TWICE, 0, NULL);
  struct custom self = CUSTOM_INIT(FORWARD, 0, NULL);
  struct seen seen = SEEN_INIT;
  cs_store* store;
  (void)state;
  self.inner = open_custom(&low);
  store = open_custom(&self);
  assert_int_equal(cs_on_error(store, note_error, &seen, NULL), CS_OK);
  expect_text(store, "k", "hello");
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: get: cs_request_done"));
  low.mode = ANSWER;
  end_custom(&self, store);
  cs_store_unref(self.inner);
  wait_until(&low, &low.released, 1);
  assert_int_equal(low.submits[CS_OP_CLOSE], 1);
}

static void test_metrics_below_are_seen_through_it(void** state) {
  cs_store* memory = open_memory();
  struct custom self = CUSTOM_INIT(FORWARD, 0, cs_metrics_new(memory, "below", NULL, NULL));
  cs_store* store = open_custom(&self);
  cs_value* text;
  (void)state;
  put_text(store, "k", "v");
  expect_text(store, "k", "v");
  text = cs_metrics_text(store, "prometheus", NULL);
  assert_non_null(
      strstr(cs_value_data(text, NULL), "chainstore_hits_total{name=\"below\",layer=\"1\"} 1"));
  cs_value_unref(text);
  end_custom(&self, store);
  cs_store_unref(self.inner);
  cs_store_unref(memory);
}

static void test_what_it_wraps_is_described(void** state) {
  cs_store* links[2];
  struct custom self = CUSTOM_INIT(FORWARD, 0, NULL);
  cs_store_ops ops = CS_STORE_OPS_INIT;
  cs_store *inner[2], *store;
  cs_value* text;
  char shown[1024] = "";
  const void* data;
  size_t size;
  (void)state;
  links[0] = open_memory();
  links[1] = open_memory();
  inner[0] = cs_chain_new(links, 2, NULL, NULL);
  inner[1] = open_memory();
  ops.submit = submit;
  ops.release = release_custom;
  store = cs_custom_new("mine", &ops, &self, inner, 2, NULL, NULL);
  text = cs_store_describe(store, NULL);
  data = cs_value_data(text, &size);
  assert_true(size < sizeof(shown));
  memcpy(shown, data, size);
  assert_memory_equal(shown, "custom:mine(memory:?", 20);
  assert_non_null(strstr(shown, " > "));
  assert_non_null(strstr(shown, ", memory:?"));
  assert_null(cs_store_open(shown, NULL, NULL));
  cs_value_unref(text);
  end_custom(&self, store);
  cs_store_unref(inner[0]);
  cs_store_unref(inner[1]);
  cs_store_unref(links[0]);
  cs_store_unref(links[1]);
}

int test_custom_managers(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forwarding_from_another_thread),
      cmocka_unit_test(test_forwarding_too_late_for_a_call_that_does_not_wait),
      cmocka_unit_test(test_the_tier_that_answered_is_told_through_it),
      cmocka_unit_test(test_the_second_inner_store_is_the_second_tier),
      cmocka_unit_test(test_failures_below_reach_the_handler_above),
      cmocka_unit_test(test_metrics_below_are_seen_through_it),
      cmocka_unit_test(test_what_it_wraps_is_described),
  };
  return cmocka_run_group_tests_name("custom managers", tests, NULL, NULL);
}
