/* A manager of your own in one function: it compresses what goes down, and restores what comes up.
 * Whatever it does not change it forwards, with all that the call carried. */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int worked, const char* what) {
  if (worked) return;
  fprintf(stderr, "compress: %s failed\n", what);
  exit(1);
}

/* Run lengths: a count and a byte, again and again. A real one would use zstd. */
static size_t squeeze(const unsigned char* in, size_t size, unsigned char* out) {
  size_t at = 0, used = 0;
  while (at < size) {
    size_t run = 1;
    while (at + run < size && run < 255 && in[at + run] == in[at]) ++run;
    out[used++] = (unsigned char)run;
    out[used++] = in[at];
    at += run;
  }
  return used;
}

static cs_value* expand(const unsigned char* in, size_t size) {
  size_t at, total = 0, used = 0;
  unsigned char* out;
  cs_value* value;
  for (at = 0; at + 1 < size; at += 2) total += in[at];
  out = malloc(total + 1);
  if (out == NULL) return NULL;
  for (at = 0; at + 1 < size; at += 2) {
    memset(out + used, in[at + 1], in[at]);
    used += in[at];
  }
  value = cs_value_wrap(out, total, free, out, NULL);
  if (value == NULL) free(out);
  return value;
}

/* On a library thread, with what the inner store had. */
static void restore(void* user_data, cs_result* result) {
  cs_request* request = user_data;
  if (result->status == CS_OK) {
    cs_value* value = expand(result->data, result->size);
    cs_value_unref(result->value);
    result->value = value;
    if (value == NULL) result->status = CS_NO_MEMORY;
  }
  cs_request_done(request, result); /* expiry, version and tier are passed on with it */
}

static void finish(void* user_data, cs_result* result) { cs_request_done(user_data, result); }

/* Asks the inner store on behalf of a request; if it cannot, that is the answer. */
static void started(cs_request* request, cs_status status) {
  cs_result answer = CS_RESULT_INIT;
  if (status == CS_OK) return;
  answer.status = status;
  cs_request_done(request, &answer);
}

static void put(cs_request* request, cs_store* inner, const cs_call* call) {
  size_t key_size, size;
  const void* key = cs_request_key(request, &key_size);
  const unsigned char* data = cs_value_data(cs_request_value(request), &size);
  unsigned char* small = malloc(2 * size + 1);
  if (small == NULL) {
    started(request, CS_NO_MEMORY);
    return;
  }
  size = squeeze(data, size, small);
  started(request, cs_put(inner, key, key_size, small, size, call, finish, request));
  free(small);
}

static void submit(void* context, cs_request* request) {
  cs_store* inner = context;
  const void* key;
  size_t size;
  cs_call call;
  cs_request_call(request, &call); /* time left, token, flags, ttl: for the call below */
  switch (cs_request_op(request)) {
    case CS_OP_GET:
      key = cs_request_key(request, &size);
      started(request, cs_get(inner, key, size, &call, restore, request));
      return;
    case CS_OP_PUT:
      put(request, inner, &call);
      return;
    case CS_OP_STAT: /* the size below is another one: it is made of a get */
      started(request, CS_UNSUPPORTED);
      return;
    default:
      cs_request_forward(request, inner);
  }
}

int main(void) {
  static const char text[] = "aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb";
  cs_store_ops ops = CS_STORE_OPS_INIT;
  cs_store* memory = cs_memory_new(1000000, NULL, NULL);
  cs_store* store;
  cs_result result;

  ops.submit = submit;
  ops.caps = CS_CAP_TTL;
  check(memory != NULL, "open");
  store = cs_custom_new("compress", &ops, memory, &memory, 1, NULL, NULL);
  check(store != NULL, "compress");

  check(cs_put_sync(store, "k", 1, text, sizeof(text) - 1, NULL, NULL) == CS_OK, "put");
  check(cs_stat_sync(memory, "k", 1, NULL, &result) == CS_OK, "stat");
  printf("stored: %d bytes\n", (int)result.total_size);
  cs_result_release(&result);
  check(cs_get_sync(store, "k", 1, NULL, &result) == CS_OK, "get");
  printf("read: %d bytes, %s\n", (int)result.size,
         memcmp(result.data, text, result.size) == 0 ? "the same" : "another text");
  cs_result_release(&result);
  check(cs_get_range_sync(store, "k", 1, 18, 4, NULL, &result) == CS_OK, "range");
  printf("range: %.*s\n", (int)result.size, (const char*)result.data);
  cs_result_release(&result);

  check(cs_store_close_sync(store, NULL, NULL) == CS_OK, "close"); /* memory with it */
  cs_store_unref(store);
  cs_store_unref(memory);
  return 0;
}
