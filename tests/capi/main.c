/* Runs every file's tests, but for those that are like the argument, if there is one. */
#include "capi_test.h"

int main(int argument_count, char** arguments) {
  static int (*const suites[])(void) = {
      test_version,   test_values,         test_results,       test_errors,
      test_arguments, test_waiting_calls,  test_started_calls, test_cancel,
      test_queues,    test_batches,        test_scans,         test_close,
      test_deadlock,  test_events,         test_options,       test_runtimes,
      test_stores,    test_managers,       test_metrics,       test_s3,
      test_forks,     test_cycles,         test_text,          test_traces,
      test_custom,    test_custom_answers, test_custom_ends,   test_custom_managers,
      test_s3_keys,
  };
  int failed = 0;
  size_t at;
#ifdef CS_DLOPEN
  load_library();
#endif
  if (argument_count > 1) cmocka_set_skip_filter(arguments[1]);
  for (at = 0; at < sizeof(suites) / sizeof(suites[0]); ++at) failed += suites[at]();
  return failed != 0;
}
