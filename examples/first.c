/* The first program: 64 MB of memory in front of a directory, as one store. */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>

static cs_store* must(cs_store* store, cs_error* const* error) {
  if (store == NULL) {
    fprintf(stderr, "%s\n", cs_error_message(*error)); /* names store, operation and cause */
    exit(1);
  }
  return store;
}

int main(void) {
  cs_error* error = NULL;
  cs_store* memory = must(cs_memory_new(64000000, NULL, &error), &error);
  cs_store* cache = must(cs_lru_new(memory, 48000000, NULL, &error), &error);
  cs_store* files = must(cs_filesystem_new("first-data", NULL, &error), &error);
  cs_store* links[2] = {cache, files};
  cs_store* chain = must(cs_chain_new(links, 2, NULL, &error), &error);
  cs_result result;

  if (cs_put_sync(chain, "greeting", 8, "hello", 5, NULL, NULL) == CS_OK &&
      cs_get_sync(chain, "greeting", 8, NULL, &result) == CS_OK) {
    printf("%.*s, from store %u\n", (int)result.size, (const char*)result.data, result.tier);
    cs_result_release(&result);
  }
  cs_del_sync(chain, "greeting", 8, NULL, NULL);
  printf("%s\n", cs_status_name(cs_get_sync(chain, "greeting", 8, NULL, &result)));
  cs_result_release(&result);

  cs_store_close_sync(chain, NULL, NULL); /* delivers what is left; closes all that it wraps */
  cs_store_unref(chain);
  cs_store_unref(files);
  cs_store_unref(cache);
  cs_store_unref(memory);
  return 0;
}
