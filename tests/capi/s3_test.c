/* cs_s3_new and cs_s3_presign: what can be said of them without a server. What the store does is
 * the matter of tests/stores/s3 and, against a real server, of tests/s3. */
#include <stdio.h>

#include "capi_test.h"

static cs_store* open_s3(const char* bucket, const char* endpoint, cs_error** error) {
  cs_options* options = cs_options_new();
  cs_store* store;
  cs_options_set(options, "endpoint", endpoint);
  cs_options_set(options, "access_key", "id");
  cs_options_set(options, "secret_key", "unspoken");
  cs_options_set(options, "attempts", "1");
  store = cs_s3_new(bucket, options, error);
  cs_options_free(options);
  return store;
}

static void test_a_build_without_it_says_so(void** state) {
  cs_error* error = NULL;
  cs_store* store = open_s3("bucket", "http://127.0.0.1:1", &error);
  (void)state;
  if (cs_has("s3")) {
    assert_non_null(store);
    close_store(store);
  } else {
    assert_null(store);
    assert_int_equal(cs_error_status(error), CS_UNSUPPORTED);
    assert_non_null(strstr(cs_error_message(error), "s3"));
    cs_error_unref(error);
  }
}

static void test_a_bucket_that_cannot_be_is_refused(void** state) {
  static const char* const buckets[] = {NULL, "", "a/b"};
  size_t at;
  (void)state;
  for (at = 0; at < 3; ++at) {
    cs_error* error = NULL;
    assert_null(open_s3(buckets[at], "http://127.0.0.1:1", &error));
    assert_int_equal(cs_error_status(error), at < 2 || cs_has("s3") ? CS_INVALID : CS_UNSUPPORTED);
    cs_error_unref(error);
  }
}

static void expect_detail(const cs_error* error, const char* name, const char* text) {
  size_t size = 0;
  const void* detail = cs_error_detail(error, name, &size);
  assert_non_null(detail);
  assert_int_equal(size, strlen(text));
  assert_memory_equal(detail, text, size);
}

static void test_an_error_has_its_details_and_no_secret(void** state) {
  cs_store* store;
  cs_result result;
  (void)state;
  if (!cs_has("s3")) skip();
  store = open_s3("bucket", "http://127.0.0.1:1", NULL);
  cs_get_sync(store, "k", 1, NULL, &result);
  assert_int_equal(result.status, CS_IO);
  assert_true(cs_error_is_retryable(result.error));
  expect_detail(result.error, "store", "s3:bucket");
  expect_detail(result.error, "attempt", "1");
  assert_null(strstr(cs_error_message(result.error), "unspoken"));
  cs_result_release(&result);
  close_store(store);
}

static void test_presigned_urls(void** state) {
  cs_store *store, *memory = open_memory();
  cs_error* error = NULL;
  cs_value* url;
  char text[1024];
  (void)state;
  assert_null(cs_s3_presign(memory, "GET", "k", 1, 60000, NULL, &error));
  assert_int_equal(cs_error_status(error), cs_has("s3") ? CS_INVALID : CS_UNSUPPORTED);
  cs_error_unref(error);
  close_store(memory);
  if (!cs_has("s3")) return;
  store = open_s3("bucket", "http://127.0.0.1:9000", NULL);
  url = cs_s3_presign(store, "GET", "a b", 3, 60000, NULL, &error);
  assert_non_null(url);
  {
    size_t size = 0;
    const void* data = cs_value_data(url, &size);
    assert_true(size < sizeof(text));
    memcpy(text, data, size);
    text[size] = '\0';
  }
  assert_ptr_equal(strstr(text, "http://127.0.0.1:9000/bucket/a%20b?X-Amz-Algorithm="), text);
  assert_non_null(strstr(text, "&X-Amz-Expires=60&"));
  assert_non_null(strstr(text, "&X-Amz-Signature="));
  assert_null(strstr(text, "unspoken"));
  cs_value_unref(url);
  assert_null(cs_s3_presign(store, "POST", "k", 1, 60000, NULL, NULL));
  assert_null(cs_s3_presign(store, NULL, "k", 1, 60000, NULL, NULL));
  assert_null(cs_s3_presign(store, "GET", "k", 0, 60000, NULL, NULL));
  assert_null(cs_s3_presign(store, "GET", "k", 1, 999, NULL, NULL));
  assert_null(cs_s3_presign(store, "GET", "k", 1, UINT64_C(604801000), NULL, &error));
  assert_int_equal(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  close_store(store);
}

int test_s3(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_build_without_it_says_so),
      cmocka_unit_test(test_a_bucket_that_cannot_be_is_refused),
      cmocka_unit_test(test_an_error_has_its_details_and_no_secret),
      cmocka_unit_test(test_presigned_urls),
  };
  return cmocka_run_group_tests_name("s3", tests, NULL, NULL);
}
