#include "custom_store.h"

#include <stdio.h>

void note_cancel(void* user_data) {
  struct custom* self = user_data;
  pthread_mutex_lock(&self->mutex);
  ++self->cancelled;
  pthread_mutex_unlock(&self->mutex);
}

void release_cancel(void* user_data) {
  struct custom* self = user_data;
  pthread_mutex_lock(&self->mutex);
  ++self->cancel_released;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

void release_custom(void* context) {
  struct custom* self = context;
  pthread_mutex_lock(&self->mutex);
  ++self->released;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

void wait_until(struct custom* self, const int* count, int least) {
  pthread_mutex_lock(&self->mutex);
  while (*count < least) pthread_cond_wait(&self->changed, &self->mutex);
  pthread_mutex_unlock(&self->mutex);
}

void answer(cs_request* request, cs_status status, const char* text) {
  cs_result result = CS_RESULT_INIT;
  result.status = status;
  result.data = text;
  result.size = text ? strlen(text) : 0;
  result.total_size = result.size;
  cs_request_done(request, &result);
  assert_null(result.data);
}

static void submit_scan(struct custom* self, cs_request* request) {
  static const char* const keys[] = {"a", "b", "c"};
  cs_range range;
  size_t at;
  cs_request_range(request, &range);
  self->range_end = range.end_size ? *(const char*)range.end : 0;
  for (at = 0; at < 3; ++at) {
    const char* key = keys[range.flags & CS_SCAN_REVERSE ? 2 - at : at];
    cs_entry entry = {0};
    entry.key = key;
    entry.key_size = 1;
    entry.data = key;
    entry.size = 1;
    if (cs_request_add(request, &entry) == CS_END) break;
  }
  answer(request, at == 3 ? CS_END : CS_OK, NULL);
}

static void keep(struct custom* self, cs_request* request) {
  pthread_mutex_lock(&self->mutex);
  self->kept[self->kept_count++] = request;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

struct errand {
  cs_request* request;
  cs_store* to;
};
static void* run_errand(void* argument) {
  struct errand errand = *(struct errand*)argument;
  free(argument);
  cs_request_forward(errand.request, errand.to);
  return NULL;
}
static void forward_elsewhere(struct custom* self, cs_request* request) {
  struct errand* errand = malloc(sizeof(*errand));
  pthread_t thread;
  errand->request = request;
  errand->to = self->inner;
  pthread_create(&thread, NULL, run_errand, errand);
  pthread_detach(thread);
}

void submit(void* context, cs_request* request) {
  struct custom* self = context;
  const uint32_t op = cs_request_op(request);
  cs_result result = CS_RESULT_INIT;
  pthread_mutex_lock(&self->mutex);
  ++self->submits[op];
  self->wait = cs_request_call(request, &self->call);
  pthread_mutex_unlock(&self->mutex);
  if (op == CS_OP_CLOSE) {
    if (self->keep_close) {
      keep(self, request);
    } else {
      answer(request, CS_OK, NULL);
    }
    return;
  }
  switch (self->mode) {
    case FORWARD:
      cs_request_forward(request, self->inner);
      return;
    case FORWARD_ELSEWHERE:
      forward_elsewhere(self, request);
      return;
    case KEEP:
      if (!self->no_handler) {
        assert_int_equal(cs_request_on_cancel(request, note_cancel, self, release_cancel), CS_OK);
        assert_int_equal(cs_request_on_cancel(request, note_cancel, self, NULL), CS_INVALID);
        pthread_mutex_lock(&self->mutex);
        ++self->handlers;
        pthread_mutex_unlock(&self->mutex);
      }
      keep(self, request);
      return;
    case NO_VALUE:
      answer(request, CS_OK, NULL);
      return;
    case BLOCK:
      self->blocked = cs_get_sync(self->inner, "k", 1, NULL, &result);
      cs_result_release(&result);
      answer(request, CS_NOT_FOUND, NULL);
      return;
    default:
      break;
  }
  if (op == CS_OP_SCAN) {
    submit_scan(self, request);
  } else if (op == CS_OP_GET) {
    answer(request, CS_OK, "hello");
  } else if (op == CS_OP_PUT || op == CS_OP_DEL) {
    answer(request, CS_OK, NULL);
  } else {
    answer(request, CS_UNSUPPORTED, NULL);
  }
  if (self->mode == TWICE) answer(request, CS_OK, "again");
}

cs_store* open_custom(struct custom* self) {
  cs_store_ops ops = CS_STORE_OPS_INIT;
  cs_error* error = NULL;
  cs_store* store;
  ops.caps = self->caps;
  ops.submit = submit;
  ops.release = release_custom;
  store = cs_custom_new("mine", &ops, self, self->inner ? &self->inner : NULL, self->inner ? 1 : 0,
                        NULL, &error);
  assert_null(error);
  assert_non_null(store);
  return store;
}

void end_custom(struct custom* self, cs_store* store) {
  close_store(store);
  wait_until(self, &self->released, 1);
  wait_until(self, &self->cancel_released, self->handlers);
  assert_int_equal(self->submits[CS_OP_CLOSE], 1);
}

void note_error(void* user_data, const cs_error* error) {
  struct seen* seen = user_data;
  ++seen->count;
  snprintf(seen->message, sizeof(seen->message), "%s", cs_error_message(error));
  open_gate(&seen->gate);
}
