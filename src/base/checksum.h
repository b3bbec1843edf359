// CRC32C (Castagnoli, RFC 3720 appendix B.4), by ISA-L.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace chainstore {

// Of the whole of `bytes`; `seed` is the checksum of what came before them (0: nothing).
uint32_t Crc32c(Bytes bytes, uint32_t seed = 0) noexcept;

}  // namespace chainstore
