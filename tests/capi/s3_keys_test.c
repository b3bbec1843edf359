/* cs_options_set_s3_keys: keys for an S3 store by a function of the user's. No server is needed:
 * what a pre-signed URL carries is what the function gave. */
#include <stdio.h>

#include "capi_test.h"

/* What the function says, and what became of it. */
struct source {
  cs_status says;
  cs_s3_keys keys;
  int asked;
  int released;
  uint32_t struct_size;
  cs_status blocking; /* what a blocking call in it was answered */
  cs_store* other;    /* whom that asked */
  struct gate* gate;  /* where it waits; NULL: it does not */
};

static cs_status provide(void* user_data, cs_s3_keys* keys) {
  struct source* source = user_data;
  const cs_s3_keys empty = {keys->struct_size, 0, 0, NULL, NULL, NULL};
  assert_memory_equal(keys, &empty, sizeof(empty));
  ++source->asked;
  source->struct_size = keys->struct_size;
  if (source->gate) pass_gate(source->gate);
  if (source->other) {
    cs_result result;
    cs_get_sync(source->other, "k", 1, NULL, &result);
    source->blocking = result.status;
    cs_result_release(&result);
  }
  *keys = source->keys;
  return source->says;
}

/* May come on the library's last thread, which only the kernel sees end: hence the atomic. */
static void on_release(void* user_data) {
  __atomic_add_fetch(&((struct source*)user_data)->released, 1, __ATOMIC_RELEASE);
}

static struct source source_of(cs_status says, const char* id, const char* secret) {
  struct source source;
  memset(&source, 0, sizeof(source));
  source.says = says;
  source.keys.access_key = id;
  source.keys.secret_key = secret;
  return source;
}

static cs_options* options_of(struct source* source) {
  cs_options* options = cs_options_new();
  cs_options_set(options, "endpoint", "http://127.0.0.1:1");
  assert_int_equal(cs_options_set_s3_keys(options, provide, source, on_release), CS_OK);
  return options;
}

static cs_store* open_with(struct source* source) {
  cs_options* options = options_of(source);
  cs_store* store = cs_s3_new("bucket", options, NULL);
  cs_options_free(options);
  assert_non_null(store);
  return store;
}

/* Closes it, and waits until nothing of the library has the source any more. */
static void close_with(cs_store* store, struct source* source) {
  close_store(store);
  assert_int_equal(cs_runtime_wait(NULL, 10000), CS_OK);
  assert_int_equal(__atomic_load_n(&source->released, __ATOMIC_ACQUIRE), 1);
}

/* Whether the URL that the store signs has `text` in it; fails the test if there is none. */
static int url_has(cs_store* store, const char* text) {
  cs_error* error = NULL;
  cs_value* url = cs_s3_presign(store, "GET", "k", 1, 60000, NULL, &error);
  char copy[2048];
  size_t size = 0;
  const void* data;
  if (!url) fail_msg("%s", cs_error_message(error));
  data = cs_value_data(url, &size);
  assert_true(size < sizeof(copy));
  memcpy(copy, data, size);
  copy[size] = '\0';
  cs_value_unref(url);
  assert_null(strstr(copy, "unspoken"));
  return strstr(copy, text) != NULL;
}

static void expect_refusal(struct source source, cs_status status, const char* what) {
  cs_store* store = open_with(&source);
  cs_error* error = NULL;
  assert_null(cs_s3_presign(store, "GET", "k", 1, 60000, NULL, &error));
  assert_int_equal(cs_error_status(error), status);
  assert_int_equal(cs_error_is_retryable(error), status != CS_DENIED);
  if (!strstr(cs_error_message(error), what)) fail_msg("%s", cs_error_message(error));
  assert_null(strstr(cs_error_message(error), "unspoken"));
  cs_error_unref(error);
  close_with(store, &source);
  assert_int_equal(source.asked, 1);
}

static void test_it_is_asked_once_and_its_keys_are_kept(void** state) {
  struct source source = source_of(CS_OK, "FIRST", "unspoken");
  cs_store* store;
  (void)state;
  if (!cs_has("s3")) skip();
  source.keys.session_token = "TOKEN";
  store = open_with(&source);
  assert_int_equal(source.asked, 0);
  assert_true(url_has(store, "X-Amz-Credential=FIRST%2F"));
  source.keys.access_key = "SECOND";
  assert_true(url_has(store, "X-Amz-Credential=FIRST%2F"));
  assert_true(url_has(store, "&X-Amz-Security-Token=TOKEN&"));
  assert_int_equal(source.asked, 1);
  assert_int_equal(source.struct_size, sizeof(cs_s3_keys));
  assert_int_equal(source.released, 0);
  close_with(store, &source);
}

static void test_keys_that_have_expired_are_asked_for_again(void** state) {
  struct source source = source_of(CS_OK, "FIRST", "unspoken");
  cs_store* store;
  (void)state;
  if (!cs_has("s3")) skip();
  source.keys.expires_at_ms = 1;
  store = open_with(&source);
  assert_true(url_has(store, "X-Amz-Credential=FIRST%2F"));
  source.keys.access_key = "SECOND";
  assert_true(url_has(store, "X-Amz-Credential=SECOND%2F"));
  assert_int_equal(source.asked, 2);
  close_with(store, &source);
}

static void test_what_it_says_reaches_the_caller(void** state) {
  struct source broken = source_of(CS_OK, "id", "unspoken");
  (void)state;
  if (!cs_has("s3")) skip();
  expect_refusal(source_of(CS_NOT_FOUND, NULL, NULL), CS_DENIED, "looked at: your function");
  expect_refusal(source_of(CS_DENIED, "id", "unspoken"), CS_DENIED, "it answered CS_DENIED");
  expect_refusal(source_of(CS_CLOSED, NULL, NULL), CS_DENIED, "it answered CS_CLOSED");
  expect_refusal(source_of(CS_IO, NULL, NULL), CS_IO, "it answered CS_IO");
  expect_refusal(source_of(CS_BUSY, NULL, NULL), CS_BUSY, "it answered CS_BUSY");
  expect_refusal(source_of(CS_TIMEOUT, NULL, NULL), CS_TIMEOUT, "it answered CS_TIMEOUT");
  expect_refusal(source_of(CS_OK, NULL, "unspoken"), CS_DENIED, "no access key");
  expect_refusal(source_of(CS_OK, "id", ""), CS_DENIED, "no secret key");
  broken.keys.session_token = "unspoken\r\nx-evil: 1";
  expect_refusal(broken, CS_DENIED, "line break");
}

static void test_it_stands_for_all_other_places(void** state) {
  static const char* const others[][2] = {
      {"credentials", "environment"}, {"credentials", "anonymous"}, {"profile", "p"}};
  size_t at;
  (void)state;
  if (!cs_has("s3")) skip();
  for (at = 0; at < 3; ++at) {
    struct source source = source_of(CS_OK, "id", "unspoken");
    cs_options* options = options_of(&source);
    cs_error* error = NULL;
    cs_options_set(options, others[at][0], others[at][1]);
    assert_null(cs_s3_new("bucket", options, &error));
    assert_int_equal(cs_error_status(error), CS_INVALID);
    cs_error_unref(error);
    assert_int_equal(source.released, 0);
    cs_options_free(options);
    assert_int_equal(source.released, 1);
  }
}

static void test_it_can_be_replaced_and_taken_back(void** state) {
  struct source first = source_of(CS_OK, "FIRST", "unspoken");
  struct source second = source_of(CS_OK, "SECOND", "unspoken");
  cs_options* options = options_of(&first);
  (void)state;
  assert_int_equal(cs_options_set_s3_keys(NULL, provide, &first, on_release), CS_INVALID);
  assert_int_equal(cs_options_set_s3_keys(options, provide, &second, on_release), CS_OK);
  assert_int_equal(first.released, 1);
  if (cs_has("s3")) {
    cs_store* store = cs_s3_new("bucket", options, NULL);
    assert_true(url_has(store, "X-Amz-Credential=SECOND%2F"));
    assert_int_equal(cs_options_set_s3_keys(options, NULL, NULL, NULL), CS_OK);
    assert_int_equal(second.released, 0); /* the store has it */
    close_store(store);
    assert_int_equal(cs_runtime_wait(NULL, 10000), CS_OK);
  } else {
    assert_int_equal(cs_options_set_s3_keys(options, NULL, NULL, NULL), CS_OK);
  }
  assert_int_equal(second.released, 1);
  cs_options_free(options);
  assert_int_equal(first.released + second.released, 2);
}

static void test_a_description_shows_that_there_is_one(void** state) {
  struct source source = source_of(CS_OK, "id", "unspoken");
  cs_store* store;
  cs_value* text;
  char copy[1024];
  size_t size = 0;
  const void* data;
  (void)state;
  if (!cs_has("s3")) skip();
  store = open_with(&source);
  text = cs_store_describe(store, NULL);
  data = cs_value_data(text, &size);
  assert_true(size < sizeof(copy));
  memcpy(copy, data, size);
  copy[size] = '\0';
  assert_non_null(strstr(copy, "credentials=***"));
  cs_value_unref(text);
  close_with(store, &source);
  assert_int_equal(source.asked, 0);
}

static void test_it_may_not_block_in_the_library(void** state) {
  struct source source = source_of(CS_OK, "id", "unspoken");
  cs_store* store;
  (void)state;
  if (!cs_has("s3")) skip();
  source.other = open_memory();
  store = open_with(&source);
  assert_true(url_has(store, "X-Amz-Credential=id%2F"));
  assert_int_equal(source.blocking, CS_DEADLOCK);
  close_store(source.other);
  close_with(store, &source);
}

static void test_a_call_waits_for_it_no_longer_than_it_may(void** state) {
  struct gate gate = GATE_INIT;
  struct source source = source_of(CS_OK, "id", "unspoken");
  cs_call call = CS_CALL_INIT;
  cs_store* store;
  cs_result result;
  (void)state;
  if (!cs_has("s3")) skip();
  source.gate = &gate;
  store = open_with(&source);
  call.timeout_ms = 30;
  cs_get_sync(store, "k", 1, &call, &result);
  expect_status(&result, CS_TIMEOUT);
  open_gate(&gate);
  close_with(store, &source);
  assert_int_equal(source.asked, 1);
}

int test_s3_keys(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_is_asked_once_and_its_keys_are_kept),
      cmocka_unit_test(test_keys_that_have_expired_are_asked_for_again),
      cmocka_unit_test(test_what_it_says_reaches_the_caller),
      cmocka_unit_test(test_it_stands_for_all_other_places),
      cmocka_unit_test(test_it_can_be_replaced_and_taken_back),
      cmocka_unit_test(test_a_description_shows_that_there_is_one),
      cmocka_unit_test(test_it_may_not_block_in_the_library),
      cmocka_unit_test(test_a_call_waits_for_it_no_longer_than_it_may),
  };
  return cmocka_run_group_tests_name("s3_keys", tests, NULL, NULL);
}
