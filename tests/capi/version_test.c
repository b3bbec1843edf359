/* Section 1 of chainstore.h: versions, features, names of statuses. */
#include "capi_test.h"

static void test_abi_is_that_of_the_header(void** state) {
  (void)state;
  assert_int_equal(cs_abi(), CS_ABI);
  assert_string_equal(cs_library_version(), "0.1.0");
}

static void test_has_answers_one_or_zero_for_any_name(void** state) {
  (void)state;
  assert_int_equal(cs_has("memory"), 1);
  assert_int_equal(cs_has("custom"), 1);
  assert_int_equal(cs_has("floppy"), 0);
  assert_int_equal(cs_has(""), 0);
  assert_int_equal(cs_has(NULL), 0);
}

static void test_every_status_has_its_name(void** state) {
  static const struct {
    cs_status status;
    const char* name;
  } names[] = {
      {CS_OK, "CS_OK"},
      {CS_NOT_FOUND, "CS_NOT_FOUND"},
      {CS_END, "CS_END"},
      {CS_WOULD_BLOCK, "CS_WOULD_BLOCK"},
      {CS_TOO_SMALL, "CS_TOO_SMALL"},
      {CS_EXISTS, "CS_EXISTS"},
      {CS_INVALID, "CS_INVALID"},
      {CS_NO_MEMORY, "CS_NO_MEMORY"},
      {CS_CANCELLED, "CS_CANCELLED"},
      {CS_TIMEOUT, "CS_TIMEOUT"},
      {CS_CLOSED, "CS_CLOSED"},
      {CS_BUSY, "CS_BUSY"},
      {CS_UNSUPPORTED, "CS_UNSUPPORTED"},
      {CS_IO, "CS_IO"},
      {CS_CORRUPT, "CS_CORRUPT"},
      {CS_DENIED, "CS_DENIED"},
      {CS_TOO_LARGE, "CS_TOO_LARGE"},
      {CS_PARTIAL, "CS_PARTIAL"},
      {CS_DEADLOCK, "CS_DEADLOCK"},
      {CS_FORKED, "CS_FORKED"},
      {CS_INTERNAL, "CS_INTERNAL"},
      {CS_NO_SPACE, "CS_NO_SPACE"},
      {6, "CS_UNKNOWN"},
      {-17, "CS_UNKNOWN"},
      {INT32_MIN, "CS_UNKNOWN"},
  };
  size_t at;
  (void)state;
  for (at = 0; at < sizeof(names) / sizeof(names[0]); ++at) {
    assert_string_equal(cs_status_name(names[at].status), names[at].name);
  }
}

int test_version(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_abi_is_that_of_the_header),
      cmocka_unit_test(test_has_answers_one_or_zero_for_any_name),
      cmocka_unit_test(test_every_status_has_its_name),
  };
  return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
