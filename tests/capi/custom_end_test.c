/* Custom stores: every way to end a request, and every way not to. */
#include "custom_store.h"

static void test_one_that_never_answers_holds_nobody_up(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, NULL);
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  call.timeout_ms = 20;
  assert_int_equal(cs_get_sync(store, "k", 1, &call, &result), CS_TIMEOUT);
  assert_non_null(strstr(cs_error_message(result.error), "mine"));
  cs_result_release(&result);
  assert_int_equal(cs_get(store, "k", 1, &call, complete, &waiter), CS_OK);
  assert_int_equal(wait_for(&waiter, 1), CS_TIMEOUT);
  cs_result_release(&waiter.result);
  wait_until(&self, &self.cancel_released, 2);
  assert_int_equal(self.cancelled, 2);
  assert_int_equal(cs_store_close_sync(store, NULL, &result), CS_OK);
  cs_result_release(&result);
  cs_store_unref(store);
  /* Answers after close are dropped; with the last of them the store goes. */
  assert_int_equal(self.released, 0);
  answer(self.kept[0], CS_OK, "late");
  assert_int_equal(self.released, 0);
  answer(self.kept[1], CS_OK, "late");
  wait_until(&self, &self.released, 1);
  assert_int_equal(self.cancel_released, 2);
}

static void test_an_answer_later_from_a_thread_of_the_users(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, NULL);
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  (void)state;
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  answer(self.kept[0], CS_OK, "later");
  assert_int_equal(wait_for(&waiter, 1), CS_OK);
  assert_false(pthread_equal(waiter.thread, pthread_self()));
  assert_memory_equal(waiter.result.data, "later", 5);
  cs_result_release(&waiter.result);
  assert_int_equal(self.cancelled, 0);
  assert_int_equal(self.cancel_released, 1);
  end_custom(&self, store);
}

static void test_a_token_reaches_the_store(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, NULL);
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  cs_cancel* token = cs_cancel_new();
  cs_call call = CS_CALL_INIT;
  (void)state;
  call.cancel = token;
  assert_int_equal(cs_get(store, "k", 1, &call, complete, &waiter), CS_OK);
  cs_cancel_fire(token);
  assert_int_equal(wait_for(&waiter, 1), CS_CANCELLED);
  cs_result_release(&waiter.result);
  wait_until(&self, &self.cancel_released, 1);
  assert_int_equal(self.cancelled, 1);
  answer(self.kept[0], CS_NOT_FOUND, NULL);
  cs_cancel_unref(token);
  end_custom(&self, store);
}

static void test_one_that_is_asked_not_to_wait_and_does_not_answer(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, CS_CAP_TRY, NULL);
  struct seen seen = SEEN_INIT;
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  (void)state;
  assert_int_equal(cs_on_error(store, note_error, &seen, NULL), CS_OK);
  assert_int_equal(cs_get_try(store, "k", 1, &result), CS_WOULD_BLOCK);
  assert_null(result.value);
  cs_result_release(&result);
  assert_int_equal(self.wait, CS_WAIT_NEVER);
  answer(self.kept[0], CS_OK, "late"); /* dropped, and named: it had no time left at all */
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: get: a request of CS_WAIT_NEVER"));
  assert_int_equal(self.cancelled, 0);
  assert_int_equal(self.cancel_released, 1);
  end_custom(&self, store);
}

static void test_a_late_write_that_failed_is_told(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, NULL);
  struct seen seen = SEEN_INIT;
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  assert_int_equal(cs_on_error(store, note_error, &seen, NULL), CS_OK);
  call.timeout_ms = 10;
  assert_int_equal(cs_get_sync(store, "k", 1, &call, &result), CS_TIMEOUT);
  cs_result_release(&result);
  assert_int_equal(cs_put_sync(store, "k", 1, "v", 1, &call, &result), CS_TIMEOUT);
  cs_result_release(&result);
  assert_int_equal(cs_del_sync(store, "k", 1, &call, &result), CS_TIMEOUT);
  cs_result_release(&result);
  answer(self.kept[0], CS_IO, NULL); /* nobody lost anything by these two */
  answer(self.kept[2], CS_OK, NULL);
  answer(self.kept[1], CS_IO, NULL);
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: put"));
  end_custom(&self, store);
  assert_int_equal(seen.count, 1);
}

static void test_to_ask_for_the_end_when_it_was(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, NULL);
  cs_store* store = open_custom(&self);
  cs_result result = CS_RESULT_INIT;
  cs_call call = CS_CALL_INIT;
  (void)state;
  self.no_handler = 1;
  call.timeout_ms = 10;
  assert_int_equal(cs_get_sync(store, "k", 1, &call, &result), CS_TIMEOUT);
  cs_result_release(&result);
  assert_int_equal(cs_request_on_cancel(self.kept[0], note_cancel, &self, release_cancel), CS_OK);
  wait_until(&self, &self.cancel_released, 1);
  assert_int_equal(self.cancelled, 1);
  assert_int_equal(cs_request_on_cancel(self.kept[0], note_cancel, &self, NULL), CS_INVALID);
  answer(self.kept[0], CS_NOT_FOUND, NULL);
  end_custom(&self, store);
}

static void answer_at_its_end(void* user_data) {
  struct custom* self = user_data;
  answer(self->kept[0], CS_NOT_FOUND, NULL);
  note_cancel(self);
}

static void test_who_is_told_of_the_end_may_answer_there(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, NULL);
  struct waiter waiter = WAITER_INIT;
  cs_store* store = open_custom(&self);
  cs_cancel* token = cs_cancel_new();
  cs_call call = CS_CALL_INIT;
  (void)state;
  self.no_handler = 1;
  call.cancel = token;
  assert_int_equal(cs_get(store, "k", 1, &call, complete, &waiter), CS_OK);
  assert_int_equal(cs_request_on_cancel(self.kept[0], answer_at_its_end, &self, release_cancel),
                   CS_OK);
  cs_cancel_fire(token);
  assert_int_equal(wait_for(&waiter, 1), CS_CANCELLED);
  cs_result_release(&waiter.result);
  wait_until(&self, &self.cancel_released, 1);
  assert_int_equal(self.cancelled, 1);
  cs_cancel_unref(token);
  end_custom(&self, store);
}

static void* get_for_ever(void* store) {
  cs_result result;
  cs_get_sync(store, "k", 1, NULL, &result);
  expect_status(&result, CS_CANCELLED);
  return NULL;
}

static void test_a_close_that_is_not_answered_ends_with_its_time(void** state) {
  struct custom self = CUSTOM_INIT(KEEP, 0, open_memory());
  struct waiter waiter = WAITER_INIT;
  struct seen seen = SEEN_INIT;
  cs_store* store = open_custom(&self);
  cs_call call = CS_CALL_INIT;
  cs_result result;
  pthread_t thread;
  (void)state;
  self.keep_close = 1;
  assert_int_equal(cs_on_error(store, note_error, &seen, NULL), CS_OK);
  /* Neither has a limit of its own. */
  assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
  pthread_create(&thread, NULL, get_for_ever, store);
  wait_until(&self, &self.kept_count, 2);
  call.timeout_ms = 20;
  cs_store_close_sync(store, &call, &result);
  expect_status(&result, CS_TIMEOUT);
  assert_int_equal(wait_for(&waiter, 1), CS_CANCELLED);
  cs_result_release(&waiter.result);
  pthread_join(thread, NULL);
  cs_store_close_sync(store, NULL, &result); /* waits for the first, which its deadline ends */
  expect_status(&result, CS_TIMEOUT);
  cs_get_sync(self.inner, "k", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  wait_until(&self, &self.kept_count, 3);
  answer(self.kept[2], CS_IO, NULL);
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: close"));
  answer(self.kept[1], CS_NOT_FOUND, NULL);
  answer(self.kept[0], CS_NOT_FOUND, NULL);
  cs_store_unref(store);
  wait_until(&self, &self.released, 1);
  assert_int_equal(self.submits[CS_OP_CLOSE], 1);
  cs_store_unref(self.inner);
}

static void test_an_answer_twice_is_caught_and_named(void** state) {
  struct custom self = CUSTOM_INIT(TWICE, 0, NULL);
  struct seen seen = SEEN_INIT;
  cs_store* store = open_custom(&self);
  (void)state;
  assert_int_equal(cs_on_error(store, note_error, &seen, NULL), CS_OK);
  expect_text(store, "k", "hello");
  pass_gate(&seen.gate);
  assert_non_null(strstr(seen.message, "mine: get: cs_request_done"));
  assert_int_equal(cs_on_error(store, NULL, NULL, NULL), CS_OK);
  self.mode = ANSWER;
  end_custom(&self, store);
}

int test_custom_ends(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_that_never_answers_holds_nobody_up),
      cmocka_unit_test(test_an_answer_later_from_a_thread_of_the_users),
      cmocka_unit_test(test_a_token_reaches_the_store),
      cmocka_unit_test(test_one_that_is_asked_not_to_wait_and_does_not_answer),
      cmocka_unit_test(test_a_late_write_that_failed_is_told),
      cmocka_unit_test(test_to_ask_for_the_end_when_it_was),
      cmocka_unit_test(test_who_is_told_of_the_end_may_answer_there),
      cmocka_unit_test(test_a_close_that_is_not_answered_ends_with_its_time),
      cmocka_unit_test(test_an_answer_twice_is_caught_and_named),
  };
  return cmocka_run_group_tests_name("custom ends", tests, NULL, NULL);
}
