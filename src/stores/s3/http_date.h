// ParseHttpDate: the date that HTTP servers send ("Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace chainstore::s3 {

// Unix time in seconds; -1: no such date.
int64_t ParseHttpDate(Bytes text) noexcept;

}  // namespace chainstore::s3
