/* Sections 6 to 10 of chainstore.h: wrong arguments, structs from other versions, limits. */
#include "capi_test.h"

static void never(void* user_data, cs_result* result) {
  (void)result;
  *(int*)user_data = 1;
}

/* What a start function refuses: nothing completes. */
static void expect_refused(cs_store* store, const cs_call* call) {
  int completed = 0;
  assert_int_equal(cs_get(store, "k", 1, call, never, &completed), CS_INVALID);
  assert_int_equal(cs_put(store, "k", 1, "v", 1, call, never, &completed), CS_INVALID);
  assert_int_equal(cs_del(store, "k", 1, call, never, &completed), CS_INVALID);
  assert_int_equal(cs_stat(store, "k", 1, call, never, &completed), CS_INVALID);
  assert_int_equal(cs_flush(store, NULL, 0, call, never, &completed), CS_INVALID);
  assert_int_equal(cs_store_close(store, call, never, &completed), CS_INVALID);
  assert_int_equal(completed, 0);
}

/* The same of the functions that wait: an error says why. */
static void expect_invalid(cs_store* store, const cs_call* call) {
  cs_result result;
  assert_int_equal(cs_get_sync(store, "k", 1, call, &result), CS_INVALID);
  expect_status(&result, CS_INVALID);
  assert_int_equal(cs_put_sync(store, "k", 1, "v", 1, call, &result), CS_INVALID);
  expect_status(&result, CS_INVALID);
  assert_int_equal(cs_del_sync(store, "k", 1, call, NULL), CS_INVALID);
  assert_int_equal(cs_store_close_sync(store, call, &result), CS_INVALID);
  expect_status(&result, CS_INVALID);
}

static void test_a_null_store_is_refused_by_every_call(void** state) {
  cs_call call = CS_CALL_INIT;
  cs_result result;
  cs_batch* batch = cs_batch_new();
  cs_error* error = NULL;
  size_t size;
  (void)state;
  expect_refused(NULL, NULL);
  expect_refused(NULL, &call);
  expect_invalid(NULL, NULL);
  assert_int_equal(cs_write(NULL, batch, NULL, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_get_many(NULL, NULL, NULL, 0, NULL, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_get_range(NULL, "k", 1, 0, 1, NULL, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_get_try(NULL, "k", 1, &result), CS_INVALID);
  expect_status(&result, CS_INVALID);
  assert_int_equal(cs_get_into(NULL, "k", 1, NULL, NULL, 0, &size, &error), CS_INVALID);
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  error = NULL;
  assert_null(cs_scan_new(NULL, NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  assert_int_equal(cs_on_error(NULL, NULL, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_store_caps(NULL), 0);
  assert_null(cs_store_inner(NULL, 0));
  assert_null(cs_store_ref(NULL));
  cs_store_unref(NULL);
  cs_batch_free(batch);
}

static void test_a_result_that_would_be_lost_is_invalid(void** state) {
  cs_store* store = open_memory();
  (void)state;
  assert_int_equal(cs_get_sync(store, "k", 1, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_get_range_sync(store, "k", 1, 0, 1, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_stat_sync(store, "k", 1, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_get_many_sync(store, NULL, NULL, 0, NULL, NULL), CS_INVALID);
  assert_int_equal(cs_get_try(store, "k", 1, NULL), CS_INVALID);
  assert_int_equal(cs_put_sync(store, "k", 1, "v", 1, NULL, NULL), CS_OK);
  assert_int_equal(cs_del_sync(store, "k", 1, NULL, NULL), CS_OK);
  assert_int_equal(cs_flush_sync(store, NULL, 0, NULL, NULL), CS_OK);
  close_store(store);
}

static void test_a_key_has_1_to_1024_bytes(void** state) {
  cs_store* store = open_memory();
  char longest[1025];
  cs_result result;
  (void)state;
  memset(longest, 'k', sizeof(longest));
  cs_put_sync(store, longest, 1024, "v", 1, NULL, &result);
  expect_status(&result, CS_OK);
  cs_get_sync(store, longest, 1024, NULL, &result);
  expect_status(&result, CS_OK);
  cs_put_sync(store, longest, 1025, "v", 1, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_get_sync(store, longest, 1025, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_del_sync(store, longest, 1025, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_stat_sync(store, longest, SIZE_MAX, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_put_sync(store, "", 0, "v", 1, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_get_sync(store, NULL, 0, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_get_sync(store, NULL, 3, NULL, &result);
  expect_status(&result, CS_INVALID);
  close_store(store);
}

static void test_a_bad_key_of_a_started_call_is_a_completion(void** state) {
  cs_store* store = open_memory();
  struct waiter waiter = WAITER_INIT;
  (void)state;
  assert_int_equal(cs_get(store, "", 0, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_INVALID);
  assert_non_null(waiter.result.error);
  assert_int_equal(cs_put(store, NULL, 1, "v", 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 2), CS_INVALID);
  assert_int_equal(cs_put(store, "k", 1, NULL, 1, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 3), CS_INVALID);
  assert_int_equal(cs_put_value(store, "k", 1, NULL, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 4), CS_INVALID);
  assert_int_equal(cs_flush(store, NULL, 9, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 5), CS_INVALID);
  assert_int_equal(cs_write(store, NULL, NULL, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 6), CS_INVALID);
  cs_result_release(&waiter.result);
  expect_text(store, "k", NULL);
  close_store(store);
}

static void test_null_data_with_a_size_is_invalid(void** state) {
  cs_store* store = open_memory();
  cs_result result;
  (void)state;
  cs_put_sync(store, "k", 1, NULL, 3, NULL, &result);
  expect_status(&result, CS_INVALID);
  cs_put_value_sync(store, "k", 1, NULL, NULL, &result);
  expect_status(&result, CS_INVALID);
  expect_text(store, "k", NULL);
  cs_put_sync(store, "k", 1, NULL, 0, NULL, &result); /* that is empty */
  expect_status(&result, CS_OK);
  expect_text(store, "k", "");
  close_store(store);
}

static void test_a_struct_of_the_past_lacks_its_end(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  /* A version that knew struct_size and flags only: what follows is not looked at. */
  memset(&call, 0xff, sizeof(call));
  call.struct_size = (uint32_t)offsetof(cs_call, timeout_ms);
  call.flags = 0;
  cs_put_sync(store, "k", 1, "v", 1, &call, &result);
  assert_int_equal(result.expires_at_ms, 0);
  expect_status(&result, CS_OK);
  cs_get_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_a_struct_of_the_future_must_end_in_zeroes(void** state) {
  cs_store* store = open_memory();
  struct {
    cs_call known;
    unsigned char more[24];
  } call;
  cs_result result;
  (void)state;
  memset(&call, 0, sizeof(call));
  call.known.struct_size = (uint32_t)sizeof(call);
  cs_put_sync(store, "k", 1, "v", 1, &call.known, &result);
  expect_status(&result, CS_OK);
  call.more[23] = 1;
  expect_invalid(store, &call.known);
  expect_refused(store, &call.known);
  expect_text(store, "k", "v");
  close_store(store);
}

static void test_struct_size_that_is_none_is_invalid(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  (void)state;
  call.struct_size = 0;
  expect_invalid(store, &call);
  expect_refused(store, &call);
  call.struct_size = 3;
  expect_invalid(store, &call);
  call.struct_size = UINT32_MAX; /* nothing of that size is read */
  expect_invalid(store, &call);
  expect_refused(store, &call);
  close_store(store);
}

static void test_unknown_flags_and_reserved_fields_are_invalid(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  uint32_t bit;
  (void)state;
  for (bit = 7; bit < 32; ++bit) {
    call.flags = 1u << bit;
    expect_invalid(store, &call);
    expect_refused(store, &call);
  }
  call.flags = 0;
  call.reserved = 1;
  expect_invalid(store, &call);
  expect_refused(store, &call);
  call.reserved = 0;
  call.ack = 4;
  expect_invalid(store, &call);
  expect_refused(store, &call);
  close_store(store);
}

static void test_done_and_a_queue_contradict(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  (void)state;
  call.queue = cs_queue_new(1, NULL);
  expect_refused(store, &call);
  expect_invalid(store, &call); /* waiting and a queue: the same */
  cs_queue_unref(call.queue);
  close_store(store);
}

static void test_a_ttl_that_overflows_is_invalid(void** state) {
  static const uint64_t too_large[] = {(uint64_t)1 << 48, ((uint64_t)1 << 48) - 1, INT64_MAX,
                                       UINT64_MAX};
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  struct waiter waiter = WAITER_INIT;
  size_t at;
  (void)state;
  for (at = 0; at < 4; ++at) {
    call.ttl_ms = too_large[at];
    cs_put_sync(store, "k", 1, "v", 1, &call, &result);
    expect_status(&result, CS_INVALID);
    assert_int_equal(cs_put(store, "k", 1, "v", 1, &call, complete, &waiter), CS_OK);
    assert_int_equal(wait_for(&waiter, (int)at + 1), CS_INVALID);
  }
  cs_result_release(&waiter.result);
  expect_text(store, "k", NULL);
  call.ttl_ms = (uint64_t)1 << 47; /* some 4,000 years */
  cs_put_sync(store, "k", 1, "v", 1, &call, &result);
  expect_status(&result, CS_OK);
  cs_get_sync(store, "k", 1, &call, &result); /* a get does not look at it */
  assert_true(result.expires_at_ms > (int64_t)1 << 47);
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_journaled_needs_a_journal(void** state) {
  cs_store* store = open_memory();
  cs_call call = CS_CALL_INIT;
  cs_result result;
  (void)state;
  call.ack = CS_ACK_JOURNALED;
  cs_put_sync(store, "k", 1, "v", 1, &call, &result);
  expect_status(&result, CS_UNSUPPORTED);
  cs_del_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_UNSUPPORTED);
  expect_text(store, "k", NULL);
  call.ack = CS_ACK_DELIVERED;
  cs_put_sync(store, "k", 1, "v", 1, &call, &result);
  expect_status(&result, CS_OK);
  close_store(store);
}

static void test_a_store_needs_room(void** state) {
  cs_error* error = NULL;
  (void)state;
  assert_null(cs_memory_new(0, NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  assert_null(cs_memory_new(0, NULL, NULL));
}

int test_arguments(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_null_store_is_refused_by_every_call),
      cmocka_unit_test(test_a_result_that_would_be_lost_is_invalid),
      cmocka_unit_test(test_a_key_has_1_to_1024_bytes),
      cmocka_unit_test(test_a_bad_key_of_a_started_call_is_a_completion),
      cmocka_unit_test(test_null_data_with_a_size_is_invalid),
      cmocka_unit_test(test_a_struct_of_the_past_lacks_its_end),
      cmocka_unit_test(test_a_struct_of_the_future_must_end_in_zeroes),
      cmocka_unit_test(test_struct_size_that_is_none_is_invalid),
      cmocka_unit_test(test_unknown_flags_and_reserved_fields_are_invalid),
      cmocka_unit_test(test_done_and_a_queue_contradict),
      cmocka_unit_test(test_a_ttl_that_overflows_is_invalid),
      cmocka_unit_test(test_journaled_needs_a_journal),
      cmocka_unit_test(test_a_store_needs_room),
  };
  return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
