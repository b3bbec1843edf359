/* What every file of this suite includes: the public header, cmocka, and a few helpers. Built with
 * CS_DLOPEN the same tests reach every function through a table that dlsym has filled. */
#ifndef CAPI_TEST_H
#define CAPI_TEST_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chainstore.h"

#ifdef CS_DLOPEN
struct cs_loaded {
#define CS_SYMBOL(name) __typeof__(&name) name;
#include "symbol_table.inc"
#undef CS_SYMBOL
};
extern struct cs_loaded cs_loaded;
#ifndef CS_LOADER
#include "symbol_redirects.inc"
#endif
#endif

#ifdef CS_DLOPEN
void load_library(void);
#endif

/* ---- Helpers (support.c) ---- */

/* A place where one completion is waited for. The result is moved there. */
struct waiter {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int completions;
  cs_result result;
  pthread_t thread; /* where the completion ran */
};
#define WAITER_INIT \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, CS_RESULT_INIT, pthread_self() }

/* A cs_done whose user_data is a waiter. */
void complete(void* user_data, cs_result* result);
/* Waits for `completions` of them; returns the last one's status. */
cs_status wait_for(struct waiter* waiter, int completions);

/* A gate that a thread waits at until another one opens it. */
struct gate {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int open;
};
#define GATE_INIT \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 }
void open_gate(struct gate* gate);
void pass_gate(struct gate* gate);

cs_store* open_memory(void);
/* A new, empty folder of this test's own; remove_folder takes it away with all that is in it. */
char* make_folder(void);
void remove_folder(char* path);
/* Closes and unrefs. */
void close_store(cs_store* store);

void put_text(cs_store* store, const char* key, const char* text);
/* Fails the test unless `key` holds `text`; NULL: unless it is missing. */
void expect_text(cs_store* store, const char* key, const char* text);
/* Fails the test unless the status is that one and the error goes with it; releases the result. */
void expect_status(cs_result* result, cs_status status);

uint64_t now_ms(void);

/* One function per file: runs its tests and returns how many failed. */
int test_version(void);
int test_text(void);
int test_traces(void);
int test_values(void);
int test_results(void);
int test_errors(void);
int test_arguments(void);
int test_waiting_calls(void);
int test_started_calls(void);
int test_cancel(void);
int test_queues(void);
int test_batches(void);
int test_scans(void);
int test_close(void);
int test_deadlock(void);
int test_events(void);
int test_options(void);
int test_runtimes(void);
int test_stores(void);
int test_managers(void);
int test_s3(void);
int test_s3_keys(void);
int test_metrics(void);
int test_forks(void);
int test_cycles(void);
int test_custom(void);
int test_custom_answers(void);
int test_custom_ends(void);
int test_custom_managers(void);

#endif
