/* What a failure tells: a status to branch on, a message for people, details by name. */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>

static void show(const char* title, cs_error* error) {
  size_t size;
  const char* store = (const char*)cs_error_detail(error, "store", &size);
  printf("%s: %s%s\n  %s\n  store: %s\n", title, cs_status_name(cs_error_status(error)),
         cs_error_is_retryable(error) ? ", worth another try" : "", cs_error_message(error),
         store ? store : "none");
}

int main(void) {
  static const char large[4096] = "";
  cs_error* error = NULL;
  cs_result result;
  cs_store* store;
  cs_options* options = cs_options_new();

  if (options == NULL) return 1;
  /* An option that does not exist is refused, and the ones that do are listed. */
  if (cs_options_set(options, "shard", "4") != CS_OK) return 1;
  if (cs_memory_new(1000, options, &error) != NULL) return 1;
  show("a wrong option", error);
  cs_error_unref(error);
  cs_options_free(options);

  /* A failed call carries its error in the result. */
  store = cs_memory_new(1000, NULL, NULL);
  if (store == NULL) return 1;
  if (cs_put_sync(store, "k", 1, large, sizeof(large), NULL, &result) >= 0) return 1;
  show("a value that does not fit", result.error);
  cs_result_release(&result);

  /* Nothing there is an answer, not a failure: it has no error. */
  if (cs_get_sync(store, "k", 1, NULL, &result) != CS_NOT_FOUND || result.error != NULL) return 1;
  printf("a key that is not there: %s\n", cs_status_name(result.status));
  cs_result_release(&result);

  if (cs_store_close_sync(store, NULL, NULL) != CS_OK) return 1;
  cs_store_unref(store);
  return 0;
}
