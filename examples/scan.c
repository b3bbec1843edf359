/* A batch, and an ordered scan of what it wrote, page by page. */
#include <chainstore.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int worked, const char* what) {
  if (worked) return;
  fprintf(stderr, "scan: %s failed\n", what);
  exit(1);
}

int main(void) {
  static const char* const fruit[] = {"fruit/pear", "fruit/apple", "fruit/fig", "fish/eel"};
  static const size_t sizes[] = {10, 11, 9, 8};
  cs_store* store = cs_memory_new(1000000, NULL, NULL);
  cs_batch* batch = cs_batch_new();
  cs_range range = CS_RANGE_INIT;
  cs_result page;
  cs_scan* scan;
  size_t i;

  check(store != NULL && batch != NULL, "open");
  for (i = 0; i < 4; ++i) check(cs_batch_put(batch, fruit[i], sizes[i], "x", 1) == CS_OK, "batch");
  check(cs_write_sync(store, batch, NULL, NULL) == CS_OK, "write");
  cs_batch_free(batch);

  range.prefix = "fruit/";
  range.prefix_size = 6;
  range.page_size = 2; /* small, to show more than one page */
  scan = cs_scan_new(store, &range, NULL);
  check(scan != NULL, "scan");
  while (cs_scan_next_sync(scan, NULL, &page) == CS_OK) { /* CS_END: nothing more */
    printf("page:");
    for (i = 0; i < page.count; ++i) {
      printf(" %.*s", (int)page.entries[i].key_size, (const char*)page.entries[i].key);
    }
    printf("\n");
    cs_result_release(&page);
  }
  cs_result_release(&page);
  cs_scan_free(scan);
  check(cs_store_close_sync(store, NULL, NULL) == CS_OK, "close");
  cs_store_unref(store);
  return 0;
}
