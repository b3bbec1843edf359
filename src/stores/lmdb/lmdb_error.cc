#include "stores/lmdb/lmdb_error.h"

#include <lmdb.h>
#include <sys/statvfs.h>

#include <cerrno>

namespace chainstore::lmdb {

Code CodeOf(int rc) noexcept {
  switch (rc) {
    case MDB_SUCCESS:
      return Code::kOk;
    case MDB_NOTFOUND:
      return Code::kNotFound;
    case MDB_KEYEXIST:
      return Code::kExists;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PAGE_FULL:
    case MDB_CURSOR_FULL:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
      return Code::kCorrupt;
    case MDB_MAP_FULL:
      return Code::kNoSpace;
    case MDB_BAD_VALSIZE:
    case MDB_TXN_FULL:
      return Code::kTooLarge;
    case MDB_INCOMPATIBLE:
      return Code::kUnsupported;
    case MDB_READERS_FULL:
    case MDB_DBS_FULL:
      return Code::kBusy;
    case MDB_PANIC:
      return Code::kIo;
    default:
      return rc > 0 ? CodeOfErrno(rc) : Code::kInternal;
  }
}

Failure FailureOf(int rc, std::string what) {
  Failure failure(CodeOf(rc), what + ": " + mdb_strerror(rc));
  failure.Detail(rc > 0 ? "errno" : "lmdb_code", std::to_string(rc));
  switch (rc) {
    case MDB_MAP_FULL:
      failure.Hint("delete entries, or open it with a larger map_size");
      break;
    case ENOSPC:
    case EDQUOT:
      failure.Hint("free disk space, then try again");
      break;
    case MDB_READERS_FULL:
      failure.Hint("too many processes read this file at once");
      break;
    case MDB_DBS_FULL:
      failure.Hint("too many buckets of one file are open at once");
      break;
    case MDB_TXN_FULL:
      failure.Hint("write it in several smaller batches");
      break;
    case MDB_PANIC:
      // Only a meta page that could neither be written nor put back leads here.
      failure.Hint("an earlier commit failed half-way; close the store and open it again");
      failure.Retryable(false);
      break;
    case ENOMEM:
      failure.Hint("allow more address space (ulimit -v), or set a smaller map_size");
      break;
    case MDB_VERSION_MISMATCH:
      failure.Hint("it was written by another version of LMDB");
      break;
    default:
      break;
  }
  return failure;
}

int SharpenWriteError(int rc, const std::string& path) noexcept {
  // The last write that did not fit leaves less than the pages of a small transaction.
  constexpr uint64_t kNearlyNothing = uint64_t{1} << 20;
  struct statvfs space;
  if (rc != EIO || statvfs(path.c_str(), &space) != 0) return rc;
  return uint64_t{space.f_bavail} * space.f_frsize < kNearlyNothing ? ENOSPC : rc;
}

}  // namespace chainstore::lmdb
