/* The quick start: an LRU of 500 MB of working data over LMDB, chained in front of a remote store.
 * With S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY (and S3_REGION, S3_ENDPOINT) set, the remote store
 * is that bucket, below the prefix chainstore-quickstart/; else a directory plays it. One line per
 * step; any surprise ends the program with code 1.
 *
 * usage: quickstart DIRECTORY   (made if absent; the two stores go below it) */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int step = 0;

static void say(const char* what) { printf("%2d. %s\n", ++step, what); }

static void fail(const char* what, const cs_error* error) {
  fprintf(stderr, "quickstart: %s%s%s\n", what, error ? ": " : "",
          error ? cs_error_message(error) : "");
  exit(1);
}

static void check(cs_status status, const char* what) {
  if (status != CS_OK) fail(what, NULL);
}

/* `error` is read here, after the constructor that fills it in has run. */
static cs_store* opened(cs_store* store, cs_error* const* error, const char* what) {
  if (store == NULL) fail(what, *error);
  return store;
}

/* Whether `store` holds exactly these bytes under the key; 0: it has no such key. */
static int holds(cs_store* store, const char* key, const void* data, size_t size) {
  cs_result result = CS_RESULT_INIT;
  int found = 0;
  if (cs_get_sync(store, key, strlen(key), NULL, &result) < 0) fail("get", result.error);
  if (result.status == CS_OK) {
    if (result.size != size || memcmp(result.data, data, size) != 0) fail("other bytes", NULL);
    found = 1;
  }
  cs_result_release(&result); /* the value's memory goes back here, whatever the status */
  return found;
}

static void expect(int is, int should_be, const char* what) {
  if (is != should_be) fail(what, NULL);
  say(what);
}

/* A back-fill runs in the background and nobody is told when it is done, so this looks again and
 * again, for ten seconds at most. */
static int appears(cs_store* store, const char* key, const void* data, size_t size) {
  const time_t give_up = time(NULL) + 10;
  while (!holds(store, key, data, size)) {
    if (time(NULL) > give_up) return 0;
  }
  return 1;
}

/* What the environment says of `name` becomes the option `option`. */
static void take(cs_options* options, const char* option, const char* name) {
  const char* value = getenv(name);
  if (value && cs_options_set(options, option, value) != CS_OK) fail(name, NULL);
}

static cs_store* open_bucket(const char* bucket) {
  cs_options* options = cs_options_new();
  cs_error* error = NULL;
  cs_store* store;
  take(options, "access_key", "S3_ACCESS_KEY");
  take(options, "secret_key", "S3_SECRET_KEY");
  take(options, "region", "S3_REGION");
  take(options, "endpoint", "S3_ENDPOINT");
  cs_options_set(options, "prefix", "chainstore-quickstart/");
  store = opened(cs_s3_new(bucket, options, &error), &error, "cannot open the bucket");
  cs_options_free(options);
  /* No server has been asked yet. What a run before this one has left goes; and wrong keys or a
   * wrong name end the program here, not in the background. */
  {
    cs_result result;
    if (cs_del_sync(store, "k", 1, NULL, &result) < 0) fail("the bucket", result.error);
    cs_result_release(&result);
  }
  return store;
}

int main(int argc, char** argv) {
  static const unsigned char numbers[3] = {1, 2, 3};
  static const char wish[] = "hope you enjoy";
  const size_t wish_size = sizeof(wish) - 1;
  char path[4096];
  cs_error* error = NULL;
  cs_store *disk, *working, *remote, *links[2], *chain;
  const char* bucket = getenv("S3_BUCKET");

  if (argc != 2 || strlen(argv[1]) > sizeof(path) - 16) {
    fputs("usage: quickstart DIRECTORY\n", stderr);
    return 64;
  }
  sprintf(path, "%s/disk", argv[1]);
  disk = opened(cs_lmdb_new(path, NULL, NULL, &error), &error, "cannot open the disk store");
  working =
      opened(cs_lru_new(disk, 500u * 1000 * 1000, NULL, &error), &error, "cannot make the LRU");
  if (bucket) {
    remote = open_bucket(bucket);
  } else {
    sprintf(path, "%s/remote", argv[1]);
    remote = opened(cs_filesystem_new(path, NULL, &error), &error, "cannot open the remote store");
  }
  links[0] = working;
  links[1] = remote;
  chain = opened(cs_chain_new(links, 2, NULL, &error), &error, "cannot make the chain");
  say(bucket ? "open: an LRU of 500 MB over LMDB, in front of the S3 bucket"
             : "open: an LRU of 500 MB over LMDB, in front of a local directory that plays the "
               "remote store");

  /* A write is acknowledged when the disk store has it; the remote store gets it afterwards. */
  check(cs_put_sync(chain, "k", 1, numbers, sizeof(numbers), NULL, NULL), "put k");
  say("put k = 1 2 3 through the chain");
  expect(holds(disk, "k", numbers, 3), 1,
         "get k from the disk store: 1 2 3, as soon as put returns");
  expect(holds(chain, "k", numbers, 3), 1, "get k through the chain: 1 2 3");
  check(cs_flush_sync(chain, NULL, 0, NULL, NULL), "flush");
  say("flush the chain: everything acknowledged is delivered");
  expect(holds(remote, "k", numbers, 3), 1, "get k from the remote store: 1 2 3");
  check(cs_del_sync(chain, "k", 1, NULL, NULL), "del k");
  expect(holds(chain, "k", NULL, 0), 0, "del k through the chain: the chain has it no more");
  check(cs_flush_sync(chain, NULL, 0, NULL, NULL), "flush");
  expect(holds(disk, "k", NULL, 0) + holds(remote, "k", NULL, 0), 0,
         "nor, once that is delivered, the disk store or the remote store");

  check(cs_put_sync(chain, "hi", 2, wish, wish_size, NULL, NULL), "put hi");
  check(cs_flush_sync(chain, NULL, 0, NULL, NULL), "flush");
  expect(holds(remote, "hi", wish, wish_size), 1,
         "put hi = \"hope you enjoy\" and flush: the remote store has it");
  check(cs_del_sync(disk, "hi", 2, NULL, NULL), "del hi from the disk store");
  expect(holds(disk, "hi", wish, wish_size), 0,
         "del hi from the disk store only: it has nothing there");
  expect(holds(chain, "hi", wish, wish_size), 1,
         "get hi through the chain: \"hope you enjoy\", from the remote store");
  expect(appears(disk, "hi", wish, wish_size), 1,
         "get hi from the disk store: it is back, filled from below");

  check(cs_store_close_sync(chain, NULL, NULL), "close"); /* and all that the chain wraps */
  cs_store_unref(chain);
  cs_store_unref(remote);
  cs_store_unref(working);
  cs_store_unref(disk);
  say("close: the data is on disk");
  return 0;
}
