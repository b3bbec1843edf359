/* Section 10 of chainstore.h: constructors of engines and of stores around stores. What each of
 * them promises as a store is the contract suite's matter; here it is handles, arguments and
 * options. */
#include <stdio.h>

#include "capi_test.h"

typedef cs_store* (*constructor)(const char* folder, const cs_options* options, cs_error** error);

static cs_store* new_filesystem(const char* folder, const cs_options* options, cs_error** error) {
  return cs_filesystem_new(folder, options, error);
}
static cs_store* new_lmdb(const char* folder, const cs_options* options, cs_error** error) {
  return cs_lmdb_new(folder, NULL, options, error);
}
static cs_store* new_leveldb(const char* folder, const cs_options* options, cs_error** error) {
  return cs_leveldb_new(folder, options, error);
}

static const struct engine {
  const char* name;
  constructor open;
} engines[] = {{"filesystem", new_filesystem}, {"lmdb", new_lmdb}, {"leveldb", new_leveldb}};

/* The engine, or NULL (and a check that it says so) if this build has it not. LMDB's map is kept
 * small: sanitizers leave little address space. */
static cs_store* open_engine(const struct engine* engine, const char* folder) {
  cs_options* options = cs_options_new();
  cs_error* error = NULL;
  cs_store* store;
  if (strcmp(engine->name, "lmdb") == 0) cs_options_set(options, "map_size", "64MiB");
  store = engine->open(folder, options, &error);
  cs_options_free(options);
  if (cs_has(engine->name)) {
    if (!store) fail_msg("%s", cs_error_message(error));
  } else {
    assert_null(store);
    assert_int_equal(cs_error_status(error), CS_UNSUPPORTED);
    assert_non_null(strstr(cs_error_message(error), engine->name));
    cs_error_unref(error);
  }
  return store;
}

static void test_every_engine_keeps_what_it_was_given(void** state) {
  size_t at;
  (void)state;
  for (at = 0; at < 3; ++at) {
    char* folder = make_folder();
    cs_store* store = open_engine(&engines[at], folder);
    if (store) {
      struct waiter waiter = WAITER_INIT;
      cs_result result;
      put_text(store, "k", "kept");
      cs_get_try(store, "k", 1, &result); /* on a disk: it would have to wait */
      expect_status(&result, CS_WOULD_BLOCK);
      assert_int_equal(cs_get(store, "k", 1, NULL, complete, &waiter), CS_OK);
      assert_int_equal(wait_for(&waiter, 1), CS_OK);
      assert_memory_equal(waiter.result.data, "kept", 4);
      assert_int_equal(waiter.result.tier, 1);
      cs_result_release(&waiter.result);
      close_store(store);
      assert_int_equal(cs_runtime_wait(NULL, CS_FOREVER), CS_OK);
      store = open_engine(&engines[at], folder);
      expect_text(store, "k", "kept");
      close_store(store);
    }
    remove_folder(folder);
  }
}

static void test_two_stores_on_one_directory_are_busy(void** state) {
  size_t at;
  (void)state;
  for (at = 0; at < 3; ++at) {
    char* folder = make_folder();
    cs_store* store = open_engine(&engines[at], folder);
    cs_error* error = NULL;
    if (store) {
      assert_null(engines[at].open(folder, NULL, &error));
      assert_int_equal(cs_error_status(error), CS_BUSY);
      cs_error_unref(error);
      put_text(store, "k", "still fine");
      close_store(store);
    }
    remove_folder(folder);
  }
}

static void test_a_path_that_cannot_be_is_refused(void** state) {
  size_t at;
  (void)state;
  for (at = 0; at < 3; ++at) {
    static const char* const paths[] = {NULL, ""};
    char* folder = make_folder();
    char file_path[4200];
    cs_error* error = NULL;
    FILE* file;
    size_t which;
    for (which = 0; which < 2; ++which) {
      assert_null(engines[at].open(paths[which], NULL, &error));
      assert_int_equal(cs_error_status(error), CS_INVALID);
      cs_error_unref(error);
      error = NULL;
    }
    if (cs_has(engines[at].name)) {
      snprintf(file_path, sizeof(file_path), "%s/file", folder);
      file = fopen(file_path, "w");
      assert_non_null(file);
      fputs("no database", file);
      fclose(file);
      assert_null(engines[at].open(file_path, NULL, &error));
      assert_true(cs_error_status(error) < 0);
      assert_non_null(strstr(cs_error_message(error), "file"));
      cs_error_unref(error);
    }
    remove_folder(folder);
  }
}

static void ignore_line(void* user_data, int32_t level, const char* message, size_t size) {
  (void)user_data, (void)level, (void)message, (void)size;
}

static void test_unknown_options_are_refused_by_every_constructor(void** state) {
  cs_options* options = cs_options_new();
  cs_store* inner = open_memory();
  char* folder = make_folder();
  cs_store* made[12];
  cs_error* errors[12] = {NULL};
  size_t at;
  (void)state;
  cs_options_set(options, "no_such_option", "1");
  made[0] = cs_memory_new(1u << 20, options, &errors[0]);
  made[1] = cs_filesystem_new(folder, options, &errors[1]);
  made[2] = cs_lru_new(inner, 1u << 20, options, &errors[2]);
  made[3] = cs_chain_new(&inner, 1, options, &errors[3]);
  made[4] = cs_write_behind_new(inner, options, &errors[4]);
  made[5] = cs_has("lmdb") ? cs_lmdb_new(folder, NULL, options, &errors[5]) : NULL;
  made[6] = cs_has("leveldb") ? cs_leveldb_new(folder, options, &errors[6]) : NULL;
  made[7] = cs_timeout_new(inner, 1, options, &errors[7]);
  made[8] = cs_fault_new(inner, options, &errors[8]);
  made[9] = cs_logging_new(inner, ignore_line, NULL, NULL, options, &errors[9]);
  made[10] = cs_metrics_new(inner, "name", options, &errors[10]);
  made[11] = cs_key_hash_new(inner, "sha256", options, &errors[11]);
  for (at = 0; at < 12; ++at) {
    assert_null(made[at]);
    if (!errors[at]) continue;
    assert_int_equal(cs_error_status(errors[at]), CS_INVALID);
    assert_non_null(strstr(cs_error_message(errors[at]), "no_such_option"));
    cs_error_unref(errors[at]);
  }
  assert_true(errors[4] && errors[7] && errors[8] && errors[9] && errors[10] && errors[11]);
  cs_options_free(options);
  put_text(inner, "k", "v"); /* nothing was closed by the failures */
  close_store(inner);
  remove_folder(folder);
}

static void test_wrapping_takes_references_of_its_own(void** state) {
  cs_store *memory = open_memory(), *lru, *chain, *inner;
  (void)state;
  lru = cs_lru_new(memory, 1u << 20, NULL, NULL);
  assert_non_null(lru);
  chain = cs_chain_new(&lru, 1, NULL, NULL);
  assert_non_null(chain);
  inner = cs_store_inner(chain, 0);
  assert_ptr_equal(inner, lru);
  cs_store_unref(inner);
  assert_null(cs_store_inner(chain, 1));
  inner = cs_store_inner(lru, 0);
  assert_ptr_equal(inner, memory);
  cs_store_unref(inner);
  assert_null(cs_store_inner(memory, 0));
  put_text(chain, "k", "v");
  expect_text(memory, "k", "v");
  cs_store_unref(memory); /* ours; the wrappers have theirs */
  cs_store_unref(lru);
  expect_text(chain, "k", "v");
  close_store(chain);
}

static void test_close_closes_what_no_other_open_store_wraps(void** state) {
  cs_store *shared = open_memory(), *own = open_memory(), *first, *second, *stores[2];
  cs_result result;
  (void)state;
  stores[0] = own;
  stores[1] = shared;
  first = cs_chain_new(stores, 2, NULL, NULL);
  second = cs_chain_new(&shared, 1, NULL, NULL);
  assert_non_null(first);
  assert_non_null(second);
  put_text(first, "k", "v");
  assert_int_equal(cs_store_close_sync(first, NULL, NULL), CS_OK);
  cs_get_sync(own, "k", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  expect_text(shared, "k", "v"); /* `second` has it too */
  expect_text(second, "k", "v");
  assert_int_equal(cs_store_close_sync(second, NULL, NULL), CS_OK);
  cs_get_sync(shared, "k", 1, NULL, &result);
  expect_status(&result, CS_CLOSED);
  cs_store_unref(first);
  cs_store_unref(second);
  cs_store_unref(own);
  cs_store_unref(shared);
}

/* `error` is taken by its address: it is written while the other argument is evaluated. */
static void expect_invalid(cs_store* made, cs_error** error, cs_status status) {
  assert_null(made);
  assert_non_null(*error);
  assert_int_equal(cs_error_status(*error), status);
  cs_error_unref(*error);
  *error = NULL;
}

static void test_wrapping_nothing_is_invalid(void** state) {
  cs_store *memory = open_memory(), *stores[33];
  cs_error* error = NULL;
  size_t at;
  (void)state;
  expect_invalid(cs_lru_new(NULL, 1, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_lru_new(memory, 0, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_write_behind_new(NULL, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_timeout_new(NULL, 1, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_timeout_new(memory, 0, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_logging_new(NULL, ignore_line, NULL, NULL, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_fault_new(NULL, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_key_hash_new(NULL, "sha256", NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_key_hash_new(memory, NULL, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_key_hash_new(memory, "md5", NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_chain_new(NULL, 0, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_chain_new(NULL, 1, NULL, &error), &error, CS_INVALID);
  expect_invalid(cs_chain_new(&memory, 0, NULL, &error), &error, CS_INVALID);
  stores[0] = memory;
  stores[1] = NULL;
  expect_invalid(cs_chain_new(stores, 2, NULL, &error), &error, CS_INVALID);
  stores[1] = memory;
  expect_invalid(cs_chain_new(stores, 2, NULL, &error), &error, CS_INVALID);
  for (at = 0; at < 33; ++at) stores[at] = memory;
  expect_invalid(cs_chain_new(stores, 33, NULL, &error), &error, CS_INVALID);
  assert_int_equal(cs_store_close_sync(memory, NULL, NULL), CS_OK);
  expect_invalid(cs_lru_new(memory, 1u << 20, NULL, &error), &error, CS_CLOSED);
  expect_invalid(cs_chain_new(&memory, 1, NULL, &error), &error, CS_CLOSED);
  expect_invalid(cs_write_behind_new(memory, NULL, &error), &error, CS_CLOSED);
  expect_invalid(cs_timeout_new(memory, 1, NULL, &error), &error, CS_CLOSED);
  expect_invalid(cs_fault_new(memory, NULL, &error), &error, CS_CLOSED);
  cs_store_unref(memory);
}

static void test_caps_tell_what_a_store_can(void** state) {
  const uint32_t all = (CS_CAP_LOOP << 1) - 1;
  char* folder = make_folder();
  cs_store* memory = open_memory();
  cs_store* files = cs_filesystem_new(folder, NULL, NULL);
  (void)state;
  assert_int_equal(cs_store_caps(memory) & ~all, 0);
  assert_int_equal(cs_store_caps(memory) & CS_CAP_DURABLE, 0);
  assert_true((cs_store_caps(memory) & CS_CAP_SCAN) && (cs_store_caps(memory) & CS_CAP_TTL));
  assert_int_equal(cs_store_caps(files) & ~all, 0);
  assert_true((cs_store_caps(files) & CS_CAP_DURABLE) && (cs_store_caps(files) & CS_CAP_SCAN));
  assert_int_equal(cs_store_caps(files) & (CS_CAP_TRY | CS_CAP_ATOMIC_BATCH), 0);
  close_store(memory);
  close_store(files);
  remove_folder(folder);
}

static void test_a_chain_answers_from_the_nearest_store(void** state) {
  char* folder = make_folder();
  cs_store *stores[2], *chain;
  cs_result result;
  (void)state;
  stores[0] = open_memory();
  stores[1] = cs_filesystem_new(folder, NULL, NULL);
  chain = cs_chain_new(stores, 2, NULL, NULL);
  assert_non_null(chain);
  put_text(chain, "k", "v");
  assert_int_equal(cs_flush_sync(chain, NULL, 0, NULL, NULL), CS_OK);
  expect_text(stores[1], "k", "v");
  assert_int_equal(cs_get_sync(chain, "k", 1, NULL, &result), CS_OK);
  assert_int_equal(result.tier, 1);
  cs_result_release(&result);
  cs_del_sync(stores[0], "k", 1, NULL, NULL);
  assert_int_equal(cs_get_sync(chain, "k", 1, NULL, &result), CS_OK);
  assert_int_equal(result.tier, 2);
  cs_result_release(&result);
  cs_del_sync(chain, "k", 1, NULL, NULL);
  assert_int_equal(cs_flush_sync(chain, NULL, 0, NULL, NULL), CS_OK);
  expect_text(stores[0], "k", NULL);
  expect_text(stores[1], "k", NULL);
  assert_int_equal(cs_store_close_sync(chain, NULL, NULL), CS_OK);
  cs_store_unref(chain);
  cs_store_unref(stores[0]);
  cs_store_unref(stores[1]);
  remove_folder(folder);
}

static void test_write_behind_is_drained_by_close(void** state) {
  cs_store *memory = open_memory(), *behind;
  cs_call call = CS_CALL_INIT;
  cs_result result;
  char key[16];
  int at;
  (void)state;
  assert_ptr_equal(cs_store_ref(memory), memory);
  behind = cs_write_behind_new(memory, NULL, NULL);
  assert_non_null(behind);
  call.ack = CS_ACK_DELIVERED;
  cs_put_sync(behind, "now", 3, "v", 1, &call, &result);
  expect_status(&result, CS_OK);
  expect_text(memory, "now", "v"); /* it is there when the call completes */
  call.ack = CS_ACK_JOURNALED;
  cs_put_sync(behind, "k", 1, "v", 1, &call, &result);
  expect_status(&result, CS_UNSUPPORTED); /* in memory there is no journal */
  for (at = 0; at < 100; ++at) {
    snprintf(key, sizeof(key), "key%d", at);
    put_text(behind, key, key);
  }
  expect_text(behind, "key99", "key99");
  assert_int_equal(cs_flush_sync(behind, NULL, 0, NULL, NULL), CS_OK);
  for (at = 0; at < 100; ++at) {
    snprintf(key, sizeof(key), "key%d", at);
    expect_text(memory, key, key);
  }
  close_store(behind);
  cs_store_unref(memory);
  cs_store_unref(memory);
}

int test_stores(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_engine_keeps_what_it_was_given),
      cmocka_unit_test(test_two_stores_on_one_directory_are_busy),
      cmocka_unit_test(test_a_path_that_cannot_be_is_refused),
      cmocka_unit_test(test_unknown_options_are_refused_by_every_constructor),
      cmocka_unit_test(test_wrapping_takes_references_of_its_own),
      cmocka_unit_test(test_close_closes_what_no_other_open_store_wraps),
      cmocka_unit_test(test_wrapping_nothing_is_invalid),
      cmocka_unit_test(test_caps_tell_what_a_store_can),
      cmocka_unit_test(test_a_chain_answers_from_the_nearest_store),
      cmocka_unit_test(test_write_behind_is_drained_by_close),
  };
  return cmocka_run_group_tests_name("stores", tests, NULL, NULL);
}
