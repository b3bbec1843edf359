#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capi_test.h"

void complete(void* user_data, cs_result* result) {
  struct waiter* waiter = user_data;
  pthread_mutex_lock(&waiter->mutex);
  cs_result_release(&waiter->result);
  cs_result_move(&waiter->result, result);
  waiter->thread = pthread_self();
  ++waiter->completions;
  pthread_cond_broadcast(&waiter->changed);
  pthread_mutex_unlock(&waiter->mutex);
}

cs_status wait_for(struct waiter* waiter, int completions) {
  cs_status status;
  pthread_mutex_lock(&waiter->mutex);
  while (waiter->completions < completions) pthread_cond_wait(&waiter->changed, &waiter->mutex);
  status = waiter->result.status;
  pthread_mutex_unlock(&waiter->mutex);
  return status;
}

void open_gate(struct gate* gate) {
  pthread_mutex_lock(&gate->mutex);
  gate->open = 1;
  pthread_cond_broadcast(&gate->changed);
  pthread_mutex_unlock(&gate->mutex);
}

void pass_gate(struct gate* gate) {
  pthread_mutex_lock(&gate->mutex);
  while (!gate->open) pthread_cond_wait(&gate->changed, &gate->mutex);
  pthread_mutex_unlock(&gate->mutex);
}

cs_store* open_memory(void) {
  cs_error* error = NULL;
  cs_store* store = cs_memory_new(64u << 20, NULL, &error);
  if (!store) fail_msg("%s", cs_error_message(error));
  return store;
}

char* make_folder(void) {
  const char* parent = getenv("TMPDIR");
  char* path = malloc(4096);
  snprintf(path, 4096, "%s/capi_test.XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(path)) fail_msg("cannot make %s", path);
  return path;
}

static void remove_tree(const char* path) {
  struct stat info;
  if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
    DIR* folder = opendir(path);
    const struct dirent* each;
    while (folder && (each = readdir(folder)) != NULL) {
      char below[4096];
      if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0) continue;
      if (snprintf(below, sizeof(below), "%s/%s", path, each->d_name) < (int)sizeof(below)) {
        remove_tree(below);
      }
    }
    if (folder) closedir(folder);
  }
  remove(path);
}

void remove_folder(char* path) {
  remove_tree(path);
  free(path);
}

void close_store(cs_store* store) {
  assert_int_equal(cs_store_close_sync(store, NULL, NULL), CS_OK);
  cs_store_unref(store);
}

void put_text(cs_store* store, const char* key, const char* text) {
  cs_result result;
  cs_put_sync(store, key, strlen(key), text, strlen(text), NULL, &result);
  expect_status(&result, CS_OK);
}

void expect_text(cs_store* store, const char* key, const char* text) {
  cs_result result;
  cs_get_sync(store, key, strlen(key), NULL, &result);
  if (text && result.status == CS_OK) {
    assert_int_equal(result.size, strlen(text));
    assert_memory_equal(result.data, text, result.size);
  }
  expect_status(&result, text ? CS_OK : CS_NOT_FOUND);
}

void expect_status(cs_result* result, cs_status status) {
  if (result->status != status) {
    fail_msg("%s, not %s: %s", cs_status_name(result->status), cs_status_name(status),
             cs_error_message(result->error));
  }
  if (status < 0) {
    assert_non_null(result->error);
    assert_int_equal(cs_error_status(result->error), status);
    assert_string_not_equal(cs_error_message(result->error), "");
  } else {
    assert_null(result->error);
  }
  cs_result_release(result);
}

uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
