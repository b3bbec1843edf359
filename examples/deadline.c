/* Timeouts and cancel tokens: every call may carry both, and still completes exactly once. */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int worked, const char* what) {
  if (worked) return;
  fprintf(stderr, "deadline: %s failed\n", what);
  exit(1);
}

int main(void) {
  cs_store* store = cs_memory_new(1000000, NULL, NULL);
  cs_cancel* cancel = cs_cancel_new();
  cs_call call = CS_CALL_INIT;
  cs_result result;

  check(store != NULL && cancel != NULL, "open");

  call.timeout_ms = 250; /* for the whole call, through every layer */
  call.ttl_ms = 60000;   /* the entry is gone a minute after it was put */
  check(cs_put_sync(store, "k", 1, "v", 1, &call, NULL) == CS_OK, "put");
  check(cs_stat_sync(store, "k", 1, NULL, &result) == CS_OK && result.expires_at_ms > 0, "stat");
  printf("put k with a timeout and a time to live: CS_OK\n");
  cs_result_release(&result);

  call.cancel = cancel;
  cs_cancel_fire(cancel); /* from any thread; every call that has the token */
  printf("get k with a token that has fired: %s\n",
         cs_status_name(cs_get_sync(store, "k", 1, &call, &result)));
  cs_result_release(&result);

  printf("get k without waiting: %s\n", cs_status_name(cs_get_try(store, "k", 1, &result)));
  cs_result_release(&result);

  cs_cancel_unref(cancel);
  check(cs_store_close_sync(store, NULL, NULL) == CS_OK, "close");
  cs_store_unref(store);
  return 0;
}
