/* A user's program: puts a value, gets it back, closes. Exit code 0 only if all of it worked. */
#include <chainstore.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  cs_error* error = NULL;
  cs_result result;
  int same;
  cs_store* store = cs_memory_new(1u << 20, NULL, &error);
  if (store == NULL) {
    fprintf(stderr, "%s\n", cs_error_message(error));
    cs_error_unref(error);
    return 1;
  }
  if (cs_put_sync(store, "k", 1, "value", 5, NULL, NULL) != CS_OK) return 2;
  if (cs_get_sync(store, "k", 1, NULL, &result) != CS_OK) return 3;
  same = result.size == 5 && memcmp(result.data, "value", 5) == 0;
  cs_result_release(&result);
  if (cs_store_close_sync(store, NULL, NULL) != CS_OK) return 4;
  cs_store_unref(store);
  printf("chainstore %s: %s\n", cs_library_version(), same ? "the value came back" : "wrong value");
  return same ? 0 : 5;
}
