// DirectoryClaims: which directories are in use by stores of this process, by device and inode, so
// that no spelling of a path opens one twice.
// Thread safety: any thread. Nothing calls out under its lock. A forked child starts with none: its
// copies of the parent's lock files are closed, so that only the parent holds what it locked.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace chainstore {

class Store;

class DirectoryClaims {
 public:
  using Id = uint64_t;  // 0: none
  struct Claim {
    dev_t device = 0;
    ino_t inode = 0;
    std::string engine;  // "lmdb"
    std::string part;    // of the directory: a bucket; empty: the whole of it
  };
  enum class Outcome : uint8_t { kClaimed, kSameTaken, kOtherEngine };

  static DirectoryClaims& Process();

  // Waits for a holder that is on its way out. One that was let go by its last user but for a chain
  // that is just ending looks like any other: it gets a moment, too.
  Outcome Add(const Claim& claim, Id* id, std::string* holder_engine) CS_EXCLUDES(mutex_);
  void Remove(Id id) CS_EXCLUDES(mutex_);
  // Who holds the claim; it must outlive it. What Add looks at to see whether it is ending.
  void SetOwner(Id id, const Store* owner) CS_EXCLUDES(mutex_);
  // Opens (makes) a lock file that a forked child closes; -1: errno says why. Opened under the
  // lock, so that no fork comes between the file and its place in the list.
  int OpenLockFile(int directory, const char* name) CS_EXCLUDES(mutex_);
  // In a child of the process that opened it: nothing, it is closed already.
  void CloseLockFile(int fd) CS_EXCLUDES(mutex_);

  static constexpr int64_t kGraceMs = 200;
  static constexpr int64_t kEndingMs = 10'000;

 private:
  struct Held {
    Id id;
    Claim claim;
    const Store* owner;
  };
  Held* FindRivalLocked(const Claim& claim) CS_REQUIRES(mutex_);
  static void BeforeFork();
  static void AfterForkInParent();
  static void AfterForkInChild();

  Mutex mutex_;
  CondVar changed_;
  Id next_id_ CS_GUARDED_BY(mutex_) = 1;
  std::vector<Held> held_ CS_GUARDED_BY(mutex_);
  std::vector<int> lock_files_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
