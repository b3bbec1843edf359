// ParseIsoTime: the moments in credentials ("2026-05-29T00:21:43Z", ISO 8601 as AWS writes it).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace chainstore::s3 {

// Unix time in milliseconds; -1: no such moment. A fraction of a second is dropped; the zone is Z,
// "UTC" (old SSO caches) or an offset (+01:00, +0100).
int64_t ParseIsoTime(Bytes text) noexcept;

}  // namespace chainstore::s3
