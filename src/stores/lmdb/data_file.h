// DataFile: what can be seen of an LMDB data file without LMDB, which maps whatever a header claims
// and would be killed (SIGBUS) by the first page that is not there.
// Thread safety: functions without state.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <string>

namespace chainstore::lmdb {

struct DataFile {
  enum class Kind : uint8_t {
    kAbsent,
    kEmpty,         // LMDB takes it for a new one
    kLmdb,          // both meta pages are there and plausible
    kOtherVersion,  // written by another version of LMDB
    kDamaged,       // an LMDB file, but its meta pages are impossible
    kOther,         // no LMDB file
    kNotAFile,      // a directory, a device, ...
  };
  Kind kind = Kind::kAbsent;
  std::string why;  // of kDamaged
};

// Returns 0 or an errno.
int InspectDataFile(const std::string& path, DataFile* out);

// A healthy file may end before its last page, if nothing was ever written to the free pages there.
// Such a file is extended (it stays sparse); one whose missing pages are in use was cut off: false,
// it is left as it was, and LMDB must not touch it again. `env` has just been opened.
bool CompleteDataFile(MDB_env* env, int* rc);

}  // namespace chainstore::lmdb
