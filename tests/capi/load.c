/* Fills the table of functions from the library that CS_DLOPEN names. */
#define CS_LOADER
#include "capi_test.h"

#ifdef CS_DLOPEN
#include <dlfcn.h>
#include <stdio.h>

struct cs_loaded cs_loaded;

static void* load(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (!symbol) {
    fprintf(stderr, "%s is not in the library\n", name);
    exit(1);
  }
  return symbol;
}

void load_library(void) {
  void* library = dlopen(CS_DLOPEN, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  /* POSIX: a function's address from dlsym may be stored through a pointer to void pointer. */
#define CS_SYMBOL(name) *(void**)&cs_loaded.name = load(library, #name);
#include "symbol_table.inc"
#undef CS_SYMBOL
}
#endif
