// Database: an open LevelDB, which is closed and opened again after any failed write before
// another write is acknowledged. LevelDB itself goes on after a failed write behind what that left
// in the log, and finds nothing there at the next start: on a disk that was full, all that was
// acknowledged later is lost without an error. Opening again replays the log up to the failure and
// writes it into a table.
//
// Thread safety: any thread. Reads and writes share a lock that opening again takes for itself; no
// reader waits for a write, only for an opening. While there is no room to open again, reads go on
// with what is open.
// Invariant: a write that returned OK was appended to a log in which no earlier write has failed.
#pragma once

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "base/shared_mutex.h"
#include "stores/leveldb/engine_env.h"

namespace chainstore {

struct DatabaseSettings {
  std::string store;         // its name, for failures
  std::string directory;     // absolute
  std::string scratch;       // a file that it may make and remove, in the same file system
  leveldb::Options options;  // env, block_cache and filter_policy are set by Database
  size_t block_cache_bytes = size_t{8} << 20;
  int bloom_bits = 0;                           // 0: no filter
  leveldb::Env* env = leveldb::Env::Default();  // what EngineEnv passes on to
};

class Database {
 public:
  // The runtime outlives it. Failures: kCorrupt, kBusy, kDenied, kNoSpace, kIo ...
  static Result<std::unique_ptr<Database>> Open(DatabaseSettings settings, Runtime* runtime);
  ~Database();

  // Runs `read(db)`, which returns a Status.
  template <class Work>
  Status Read(const char* operation, Work&& read) CS_EXCLUDES(mutex_) {
    {
      ReaderLock lock(mutex_);
      if (db_) return read(*db_);
    }
    // An opening failed before: perhaps it works now.
    if (Status status = Reopen(operation); !status.ok()) return status;
    ReaderLock lock(mutex_);
    return db_ ? read(*db_) : Broken(operation);
  }
  // Atomically. OK also if it had to be written twice.
  Status Write(const char* operation, leveldb::WriteBatch* batch, bool sync) CS_EXCLUDES(mutex_);
  // Makes every acknowledged write durable, also those that were not synced, and the names of all
  // files with them. Also after Close.
  Status SyncAll(const char* operation);
  // Waits for background work.
  void Close() CS_EXCLUDES(mutex_);

  Failure Fail(const char* operation, const leveldb::Status& status) const;
  // How often it was opened again.
  uint64_t reopened() const noexcept { return reopened_.load(std::memory_order_relaxed); }

 private:
  Database(DatabaseSettings settings, Runtime* runtime);
  Status OpenLocked(const char* operation) CS_REQUIRES(mutex_);
  // Closes and opens again, unless another thread has done so in between.
  Status Reopen(const char* operation) CS_EXCLUDES(mutex_);
  // Whether there is a table or a log but no CURRENT: LevelDB would begin anew and delete them.
  bool LacksCurrent() const;
  // Whether what an opening writes has room: kNoSpace, or OK.
  Status CheckRoom(const char* operation) const;
  Status Broken(const char* operation) const;
  Failure FailErrno(const char* operation, int error_number, std::string what) const;

  const DatabaseSettings settings_;
  const std::unique_ptr<leveldb::Cache> block_cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  EngineEnv env_;
  leveldb::Options options_;
  std::atomic<uint64_t> reopened_{0};
  SharedMutex mutex_;
  std::unique_ptr<leveldb::DB> db_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
