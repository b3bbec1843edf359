// What LMDB's return codes mean to a caller: the status, and what can be done about it.
// Thread safety: functions without state.
#pragma once

#include <string>

#include "base/status.h"

namespace chainstore::lmdb {

// `rc` is a code of LMDB (negative) or an errno.
Code CodeOf(int rc) noexcept;

// A failure that names the cause in words; the caller adds store, operation and path. `what` says
// what could not be done.
Failure FailureOf(int rc, std::string what);

// LMDB says EIO where a full disk cut a write short; then this is ENOSPC, else `rc`.
int SharpenWriteError(int rc, const std::string& path) noexcept;

}  // namespace chainstore::lmdb
