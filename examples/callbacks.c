/* Asynchronous calls: a callback on a library thread, and a queue that any loop can take from. */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int worked, const char* what) {
  if (worked) return;
  fprintf(stderr, "callbacks: %s failed\n", what);
  exit(1);
}

/* Runs once for every started call, never on the stack of the function that started it. The
 * library releases the result when this returns; what must live longer is moved out. */
static void on_put(void* user_data, cs_result* result) {
  cs_queue* written = (cs_queue*)user_data;
  check(result->status == CS_OK, "put");
  cs_queue_wake(written);
}

int main(void) {
  enum { kCalls = 3 };
  static const char keys[kCalls][2] = {"a", "b", "c"};
  cs_store* store = cs_memory_new(1000000, NULL, NULL);
  cs_queue* queue = cs_queue_new(16, NULL);
  cs_result results[kCalls];
  size_t taken = 0, all = 0, i;

  check(store != NULL && queue != NULL, "open");

  /* The callback wakes the queue, and the take below returns: nothing is in it yet. */
  check(cs_put(store, "a", 1, "one", 3, NULL, on_put, queue) == CS_OK, "starting a put");
  check(cs_queue_take(queue, results, kCalls, CS_FOREVER, &taken) == CS_WOULD_BLOCK, "waiting");
  printf("put a: its callback ran\n");

  /* With a queue in the call there is no callback: results wait there, readable by their fd. */
  for (i = 0; i < kCalls; ++i) {
    cs_call call = CS_CALL_INIT;
    call.queue = queue;
    check(cs_get(store, keys[i], 1, &call, NULL, (void*)keys[i]) == CS_OK, "starting a get");
  }
  while (all < kCalls) {
    check(cs_queue_take(queue, results + all, kCalls - all, CS_FOREVER, &taken) == CS_OK, "take");
    all += taken;
  }
  for (i = 0; i < kCalls; ++i) {
    const char* key = (const char*)results[i].user_data; /* the order is that of completion */
    check((results[i].status == CS_OK) == (key[0] == 'a'), "get");
    cs_result_release(&results[i]);
  }
  printf("get a, b, c: 3 results taken from the queue, one of them a hit\n");

  check(cs_store_close_sync(store, NULL, NULL) == CS_OK, "close");
  cs_store_unref(store);
  /* The callback may still be on its way out of cs_queue_wake: the queue goes after it. */
  check(cs_runtime_wait(NULL, CS_FOREVER) == CS_OK, "waiting for the library's threads");
  cs_queue_unref(queue);
  return 0;
}
