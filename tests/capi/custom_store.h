/* What the tests of custom stores share: one that does as it is told, and what it saw. */
#ifndef CUSTOM_STORE_H
#define CUSTOM_STORE_H

#include "capi_test.h"

/* A store of one key's worth: what it does is told by `mode`. */
enum mode { ANSWER, FORWARD, FORWARD_ELSEWHERE, KEEP, TWICE, NO_VALUE, BLOCK };
struct custom {
  enum mode mode;
  uint32_t caps;
  cs_store* inner;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  cs_request* kept[4];
  int kept_count;
  int submits[9];
  uint32_t wait;
  cs_call call;
  cs_status blocked;
  int released;
  int cancelled;
  int handlers; /* that were given to cs_request_on_cancel by the store itself */
  int cancel_released;
  int no_handler; /* KEEP without cs_request_on_cancel */
  int keep_close; /* a CS_OP_CLOSE is kept too */
  int range_end;  /* the last scan's first byte of `end`, 0: none */
};
#define CUSTOM_INIT(mode, caps, inner)                                                          \
  {                                                                                             \
    mode, caps, inner, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {NULL}, 0, {0}, 99, \
        CS_CALL_INIT, 0, 0, 0, 0, 0, 0, 0, 0                                                    \
  }

/* Waits until a count that the store keeps is so high. */
void wait_until(struct custom* self, const int* count, int least);
/* Opens `self` around its inner store, if it has one. */
cs_store* open_custom(struct custom* self);
/* Closes it, which it must have been asked once, and waits until it and its handlers were released:
 * one that tells of an end may still run when the caller has his answer. */
void end_custom(struct custom* self, cs_store* store);
/* Ends a request; `text` (may be NULL) is the value. */
void answer(cs_request* request, cs_status status, const char* text);
/* The functions that it is made of. */
void submit(void* context, cs_request* request);
void release_custom(void* context);
/* A function for cs_request_on_cancel, and its release function. */
void note_cancel(void* user_data);
void release_cancel(void* user_data);

/* The errors that cs_on_error told. */
struct seen {
  struct gate gate;
  int count;
  char message[256];
};
#define SEEN_INIT \
  { GATE_INIT, 0, "" }
void note_error(void* user_data, const cs_error* error);

#endif
