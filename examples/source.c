/* A store of your own in one function: a read-only source, as one behind HTTP would be. A thread
 * answers later, so that nobody waits who did not ask to; a memory store before it keeps copies. */
#include <chainstore.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int worked, const char* what) {
  if (worked) return;
  fprintf(stderr, "source: %s failed\n", what);
  exit(1);
}

/* What the server would say: the body of a path, or NULL for 404. */
static const char* fetch(const char* path, size_t size) {
  if (size == 10 && memcmp(path, "index.html", 10) == 0) return "<h1>Hello</h1>";
  return NULL;
}

static void* serve(void* argument) {
  cs_request* request = argument;
  cs_result answer = CS_RESULT_INIT;
  size_t size;
  const char* path = cs_request_key(request, &size);
  const char* body = fetch(path, size);
  printf("source: GET %.*s\n", (int)size, path);
  answer.status = body ? CS_OK : CS_NOT_FOUND;
  answer.data = body; /* copied: a body in a buffer of your own would be a cs_value_wrap */
  answer.size = body ? strlen(body) : 0;
  cs_request_done(request, &answer);
  return NULL;
}

static void submit(void* context, cs_request* request) {
  cs_result answer = CS_RESULT_INIT;
  pthread_t thread;
  (void)context;
  switch (cs_request_op(request)) {
    case CS_OP_GET:
      if (pthread_create(&thread, NULL, serve, request) == 0) {
        pthread_detach(thread);
        return;
      }
      answer.status = CS_BUSY;
      break;
    case CS_OP_PUT:
    case CS_OP_DEL:
      answer.status = CS_DENIED;
      answer.error = cs_error_new(CS_DENIED, "this source is read-only", 0, NULL);
      break;
    case CS_OP_CLOSE:
      break; /* CS_OK: nothing to do */
    default:
      answer.status = CS_UNSUPPORTED; /* a stat is made of a get */
  }
  cs_request_done(request, &answer);
}

static void show(cs_store* store, const char* path) {
  cs_call call = CS_CALL_INIT;
  cs_result result;
  call.timeout_ms = 10000; /* the source need not know: the caller is answered in time anyway */
  if (cs_get_sync(store, path, strlen(path), &call, &result) == CS_OK) {
    printf("%s: %.*s\n", path, (int)result.size, (const char*)result.data);
  } else {
    printf("%s: %s\n", path, cs_status_name(result.status));
  }
  cs_result_release(&result);
}

int main(void) {
  cs_store_ops ops = CS_STORE_OPS_INIT;
  cs_store* links[2];
  cs_store* chain;
  cs_result result;

  ops.submit = submit;
  links[0] = cs_memory_new(1000000, NULL, NULL);
  links[1] = cs_custom_new("source", &ops, NULL, NULL, 0, NULL, NULL);
  check(links[0] != NULL && links[1] != NULL, "open");
  chain = cs_chain_new(links, 2, NULL, NULL);
  check(chain != NULL, "chain");

  show(chain, "index.html");
  show(chain, "missing.html");
  cs_put_sync(links[1], "index.html", 10, "x", 1, NULL, &result);
  printf("put: %s\n", cs_error_message(result.error));
  cs_result_release(&result);

  check(cs_store_close_sync(chain, NULL, NULL) == CS_OK, "close");
  cs_store_unref(chain);
  cs_store_unref(links[0]);
  cs_store_unref(links[1]);
  return 0;
}
