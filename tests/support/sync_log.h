// SyncLog: which files were synced (fsync, fdatasync), by this process, while it listens. The two
// calls are replaced in the test program, so that it also sees those of the engines' libraries.
// Thread safety: any thread; one SyncLog at a time.
#pragma once

#include <string>
#include <vector>

namespace chainstore {

class SyncLog {
 public:
  SyncLog();
  ~SyncLog();
  // The paths so far, in order; forgets them.
  std::vector<std::string> Take();
};

}  // namespace chainstore
