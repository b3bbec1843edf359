/* Custom stores: what they may answer, what becomes of it, and what is named instead. */
#include "custom_store.h"

/* A store whose requests the test answers itself, one at a time. */
struct asked {
  struct custom self;
  struct waiter waiter;
  cs_store* store;
};
#define ASKED_INIT(caps) \
  { CUSTOM_INIT(KEEP, caps, NULL), WAITER_INIT, NULL }

static cs_request* ask(struct asked* asked, uint32_t op) {
  cs_call call = CS_CALL_INIT;
  cs_status status;
  if (!asked->store) asked->store = open_custom(&asked->self);
  asked->self.no_handler = 1;
  asked->self.kept_count = 0;
  asked->waiter.completions = 0;
  call.flags = op == CS_OP_PUT ? CS_CALL_IF_ABSENT : 0;
  if (op == CS_OP_PUT) {
    status = cs_put(asked->store, "k", 1, "v", 1, &call, complete, &asked->waiter);
  } else if (op == CS_OP_DEL) {
    status = cs_del(asked->store, "k", 1, NULL, complete, &asked->waiter);
  } else if (op == CS_OP_FLUSH) {
    status = cs_flush(asked->store, NULL, 0, NULL, complete, &asked->waiter);
  } else {
    status = cs_get(asked->store, "k", 1, NULL, complete, &asked->waiter);
  }
  assert_int_equal(status, CS_OK);
  assert_int_equal(asked->self.kept_count, 1);
  return asked->self.kept[0];
}

/* What the caller is answered when the store answers `given`, which is moved out. */
static cs_result* told(struct asked* asked, uint32_t op, cs_result* given) {
  cs_request_done(ask(asked, op), given);
  wait_for(&asked->waiter, 1);
  return &asked->waiter.result;
}

static void test_only_what_an_operation_has_can_be_its_answer(void** state) {
  static const struct {
    uint32_t op;
    cs_status given;
    cs_status told;
  } cases[] = {
      {CS_OP_GET, CS_NOT_FOUND, CS_NOT_FOUND},
      {CS_OP_GET, CS_OK, CS_INTERNAL}, /* without a value */
      {CS_OP_GET, CS_END, CS_INTERNAL},
      {CS_OP_GET, CS_EXISTS, CS_INTERNAL},
      {CS_OP_GET, CS_TOO_SMALL, CS_INTERNAL},
      {CS_OP_GET, CS_WOULD_BLOCK, CS_INTERNAL},
      {CS_OP_GET, CS_EXISTS + 1, CS_INTERNAL},
      {CS_OP_GET, CS_NO_SPACE - 1, CS_INTERNAL},
      {CS_OP_GET, CS_CORRUPT, CS_CORRUPT},
      {CS_OP_PUT, CS_OK, CS_OK},
      {CS_OP_PUT, CS_EXISTS, CS_EXISTS},
      {CS_OP_PUT, CS_NOT_FOUND, CS_INTERNAL},
      {CS_OP_PUT, CS_NO_SPACE, CS_NO_SPACE},
      {CS_OP_DEL, CS_OK, CS_OK},
      {CS_OP_DEL, CS_NOT_FOUND, CS_INTERNAL},
      {CS_OP_FLUSH, CS_OK, CS_OK},
      {CS_OP_FLUSH, CS_UNSUPPORTED, CS_OK},
      {CS_OP_FLUSH, CS_IO, CS_IO},
      {CS_OP_FLUSH, CS_END, CS_INTERNAL},
  };
  struct asked asked = ASKED_INIT(0);
  size_t at;
  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); ++at) {
    cs_result given = CS_RESULT_INIT;
    cs_result* result;
    given.status = cases[at].given;
    result = told(&asked, cases[at].op, &given);
    if (result->status < 0) assert_non_null(strstr(cs_error_message(result->error), "mine: "));
    expect_status(result, cases[at].told);
  }
  cs_request_done(ask(&asked, CS_OP_GET), NULL);
  wait_for(&asked.waiter, 1);
  assert_non_null(strstr(cs_error_message(asked.waiter.result.error), "NULL"));
  expect_status(&asked.waiter.result, CS_INTERNAL);
  end_custom(&asked.self, asked.store);
}

static void test_exists_is_no_answer_to_a_plain_put(void** state) {
  struct asked asked = ASKED_INIT(0);
  (void)state;
  ask(&asked, CS_OP_GET);
  answer(asked.self.kept[0], CS_NOT_FOUND, NULL);
  wait_for(&asked.waiter, 1);
  assert_int_equal(cs_put(asked.store, "k", 1, "v", 1, NULL, complete, &asked.waiter), CS_OK);
  answer(asked.self.kept[1], CS_EXISTS, NULL);
  assert_int_equal(wait_for(&asked.waiter, 2), CS_INTERNAL);
  cs_result_release(&asked.waiter.result);
  end_custom(&asked.self, asked.store);
}

static void test_an_error_of_the_stores_is_the_cause(void** state) {
  struct asked asked = ASKED_INIT(0);
  cs_result given = CS_RESULT_INIT;
  cs_result* result;
  (void)state;
  given.status = CS_DENIED;
  given.error = cs_error_new(CS_DENIED, "this source is read-only", 1, NULL);
  result = told(&asked, CS_OP_PUT, &given);
  assert_null(given.error); /* moved out */
  assert_memory_equal(cs_error_message(result->error), "mine: put: ", 11);
  assert_non_null(strstr(cs_error_message(result->error), "this source is read-only"));
  assert_int_equal(cs_error_is_retryable(result->error), 1);
  assert_non_null(cs_error_cause(result->error, 0));
  expect_status(result, CS_DENIED);
  end_custom(&asked.self, asked.store);
}

static void test_a_value_is_shared_and_what_is_known_of_it_told(void** state) {
  struct asked asked = ASKED_INIT(0);
  cs_result given = CS_RESULT_INIT;
  cs_value* value = cs_value_new("hello", 5, NULL);
  cs_result* result;
  (void)state;
  given.value = cs_value_ref(value);
  given.expires_at_ms = 4102444800000;
  given.version = 7;
  given.flags = CS_RESULT_STALE;
  result = told(&asked, CS_OP_GET, &given);
  assert_int_equal(result->status, CS_OK);
  assert_ptr_equal(result->data, cs_value_data(value, NULL)); /* nothing was copied */
  assert_int_equal(result->total_size, 5);
  assert_int_equal(result->expires_at_ms, 4102444800000);
  assert_int_equal(result->version, 7);
  assert_int_equal(result->flags & CS_RESULT_STALE, CS_RESULT_STALE);
  cs_result_release(result);
  cs_value_unref(value);
  end_custom(&asked.self, asked.store);
}

static void test_a_request_that_was_ended_cannot_be_forwarded(void** state) {
  struct asked asked = ASKED_INIT(0);
  struct seen seen = SEEN_INIT;
  cs_request* request = ask(&asked, CS_OP_GET);
  (void)state;
  assert_int_equal(cs_on_error(asked.store, note_error, &seen, NULL), CS_OK);
  answer(request, CS_NOT_FOUND, NULL);
  assert_int_equal(wait_for(&asked.waiter, 1), CS_NOT_FOUND);
  cs_request_forward(request, asked.store);
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: get: cs_request_forward"));
  assert_int_equal(asked.waiter.completions, 1);
  end_custom(&asked.self, asked.store);
}

static void test_null_is_harmless(void** state) {
  cs_result given = CS_RESULT_INIT;
  cs_call call;
  cs_range range;
  size_t size = 1;
  uint64_t offset = 1, length = 1;
  (void)state;
  given.value = cs_value_new("v", 1, NULL);
  cs_request_done(NULL, &given); /* released all the same */
  assert_null(given.value);
  cs_request_forward(NULL, NULL);
  assert_int_equal(cs_request_op(NULL), 0);
  assert_int_equal(cs_request_call(NULL, &call), CS_WAIT_NEVER);
  assert_non_null(cs_request_key(NULL, &size));
  assert_int_equal(size, 0);
  assert_null(cs_request_value(NULL));
  cs_request_range(NULL, &range);
  assert_int_equal(range.prefix_size, 0);
  cs_request_range(NULL, NULL);
  cs_request_slice(NULL, &offset, &length);
  assert_int_equal(offset, 0);
  assert_int_equal(cs_request_add(NULL, NULL), CS_INVALID);
  assert_int_equal(cs_request_on_cancel(NULL, note_cancel, NULL, NULL), CS_INVALID);
}

static cs_status add(cs_request* request, const char* key, cs_value* value) {
  cs_entry entry = {0};
  entry.key = key;
  entry.key_size = strlen(key);
  entry.value = value;
  entry.data = value ? NULL : "v";
  entry.size = value ? 0 : 1;
  return cs_request_add(request, &entry);
}

static void test_a_page_takes_only_what_belongs_to_it(void** state) {
  struct asked asked = ASKED_INIT(CS_CAP_SCAN | CS_CAP_ORDERED);
  cs_range range = CS_RANGE_INIT;
  cs_request* request = ask(&asked, CS_OP_GET);
  cs_scan* scan;
  (void)state;
  assert_int_equal(add(request, "ka", NULL), CS_INVALID); /* no scan */
  answer(request, CS_NOT_FOUND, NULL);
  wait_for(&asked.waiter, 1);
  range.prefix = "k";
  range.prefix_size = 1;
  range.page_size = 2;
  scan = cs_scan_new(asked.store, &range, NULL);
  assert_int_equal(cs_scan_next(scan, NULL, complete, &asked.waiter), CS_OK);
  request = asked.self.kept[1];
  assert_int_equal(cs_request_add(request, NULL), CS_INVALID);
  assert_int_equal(add(request, "", NULL), CS_INVALID);
  assert_int_equal(add(request, "a", NULL), CS_OK); /* passed by */
  assert_int_equal(add(request, "kb", NULL), CS_OK);
  assert_int_equal(add(request, "kb", NULL), CS_INVALID);
  assert_int_equal(add(request, "ka", NULL), CS_INVALID);
  assert_int_equal(add(request, "kc", NULL), CS_OK);
  assert_int_equal(add(request, "kd", NULL), CS_END);
  answer(request, CS_END, NULL); /* but one did not fit: there is more */
  assert_int_equal(wait_for(&asked.waiter, 2), CS_OK);
  assert_int_equal(asked.waiter.result.count, 2);
  assert_memory_equal(asked.waiter.result.entries[0].key, "kb", 2);
  cs_result_release(&asked.waiter.result);
  assert_int_equal(cs_scan_next(scan, NULL, complete, &asked.waiter), CS_OK);
  request = asked.self.kept[2];
  cs_request_range(request, &range);
  assert_int_equal(range.start_size, 3);
  assert_memory_equal(range.start, "kc\0", 3);
  assert_int_equal(add(request, "kc", NULL), CS_OK); /* had already: passed by */
  answer(request, CS_OK, NULL);                      /* no page is empty but the last */
  assert_int_equal(wait_for(&asked.waiter, 3), CS_END);
  cs_result_release(&asked.waiter.result);
  cs_scan_free(scan);
  end_custom(&asked.self, asked.store);
}

static void test_large_values_end_a_page(void** state) {
  struct asked asked = ASKED_INIT(CS_CAP_SCAN | CS_CAP_ORDERED);
  char* bytes = calloc(1, 8u << 20);
  cs_value* value = cs_value_wrap(bytes, 8u << 20, free, bytes, NULL);
  cs_scan* scan;
  (void)state;
  answer(ask(&asked, CS_OP_GET), CS_NOT_FOUND, NULL);
  wait_for(&asked.waiter, 1);
  scan = cs_scan_new(asked.store, NULL, NULL);
  assert_int_equal(cs_scan_next(scan, NULL, complete, &asked.waiter), CS_OK);
  assert_int_equal(add(asked.self.kept[1], "a", value), CS_OK);
  assert_int_equal(add(asked.self.kept[1], "b", NULL), CS_END);
  answer(asked.self.kept[1], CS_OK, NULL);
  assert_int_equal(wait_for(&asked.waiter, 2), CS_OK);
  assert_ptr_equal(asked.waiter.result.entries[0].data, bytes);
  cs_result_release(&asked.waiter.result);
  cs_scan_free(scan);
  cs_value_unref(value);
  end_custom(&asked.self, asked.store);
}

static void test_a_page_of_another_call_is_looked_at_too(void** state) {
  struct asked asked = ASKED_INIT(CS_CAP_SCAN | CS_CAP_ORDERED);
  cs_entry entries[2] = {{0}, {0}};
  cs_result given = CS_RESULT_INIT;
  cs_scan* scan;
  (void)state;
  answer(ask(&asked, CS_OP_GET), CS_NOT_FOUND, NULL);
  wait_for(&asked.waiter, 1);
  entries[0].key = "b";
  entries[1].key = "a";
  entries[0].key_size = entries[1].key_size = 1;
  given.entries = entries;
  given.count = 2;
  scan = cs_scan_new(asked.store, NULL, NULL);
  assert_int_equal(cs_scan_next(scan, NULL, complete, &asked.waiter), CS_OK);
  cs_request_done(asked.self.kept[1], &given);
  assert_int_equal(wait_for(&asked.waiter, 2), CS_INTERNAL);
  assert_non_null(strstr(cs_error_message(asked.waiter.result.error), "order of the keys"));
  cs_result_release(&asked.waiter.result);
  cs_scan_free(scan);
  end_custom(&asked.self, asked.store);
}

static void test_after_close_it_is_not_asked(void** state) {
  struct custom self = CUSTOM_INIT(ANSWER, CS_CAP_TTL | CS_CAP_SCAN, NULL);
  cs_store* store = open_custom(&self);
  cs_result result;
  (void)state;
  assert_int_equal(cs_store_caps(store), CS_CAP_TTL | CS_CAP_SCAN);
  assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  cs_get_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_put_sync(store, "k", 1, "v", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  assert_int_equal(self.submits[CS_OP_GET] + self.submits[CS_OP_PUT], 0);
  end_custom(&self, store);
}

int test_custom_answers(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_only_what_an_operation_has_can_be_its_answer),
      cmocka_unit_test(test_exists_is_no_answer_to_a_plain_put),
      cmocka_unit_test(test_an_error_of_the_stores_is_the_cause),
      cmocka_unit_test(test_a_value_is_shared_and_what_is_known_of_it_told),
      cmocka_unit_test(test_a_request_that_was_ended_cannot_be_forwarded),
      cmocka_unit_test(test_null_is_harmless),
      cmocka_unit_test(test_a_page_takes_only_what_belongs_to_it),
      cmocka_unit_test(test_large_values_end_a_page),
      cmocka_unit_test(test_a_page_of_another_call_is_looked_at_too),
      cmocka_unit_test(test_after_close_it_is_not_asked),
  };
  return cmocka_run_group_tests_name("custom answers", tests, NULL, NULL);
}
