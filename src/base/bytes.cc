#include "base/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace chainstore {

uint64_t HashBytes(Bytes bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace chainstore
