// Which library this is, and what it was built with.
#include <cstring>

#include "chainstore.h"

namespace {

// Only what works in this build.
constexpr const char* kFeatures[] = {
    "memory",  "filesystem", "chain",    "lru",   "write_behind", "metrics",
    "timeout", "logging",    "key_hash", "fault", "custom",
#ifdef CHAINSTORE_WITH_LMDB
    "lmdb",
#endif
#ifdef CHAINSTORE_WITH_LEVELDB
    "leveldb",
#endif
#ifdef CHAINSTORE_WITH_S3
    "s3",
#endif
};

}  // namespace

extern "C" {

uint32_t cs_abi(void) { return CS_ABI; }

const char* cs_library_version(void) { return "0.1.0"; }

int cs_has(const char* feature) {
  if (!feature) return 0;
  for (const char* each : kFeatures) {
    if (strcmp(each, feature) == 0) return 1;
  }
  return 0;
}

}  // extern "C"
