// What LevelDB's statuses mean to a caller. It tells kinds (not found, corruption, I/O error ...)
// and a line of English; the errno behind an I/O error is recovered from that line's end, which its
// Env makes with strerror, exactly as it is compared here.
#pragma once

#include <leveldb/status.h>

#include <string_view>

#include "base/status.h"

namespace chainstore {

// The errno of the file operation that failed; 0: the status does not come from one.
int EngineErrno(const leveldb::Status& status);

// The failure of an operation that LevelDB answered with `status`, which is not OK. For a status
// that is an answer to the caller (a key that is not there) there are other ways.
Failure EngineFailure(std::string_view store, std::string_view operation,
                      std::string_view directory, const leveldb::Status& status);

inline constexpr char kRepairHint[] =
    "leveldb::RepairDB saves what can still be read; a cache may simply be deleted";

}  // namespace chainstore
