// Environment: an LMDB file that is open in this process, shared by the stores of its buckets. LMDB
// must not have a file open twice in one process, so environments are found again by the device and
// inode of their data file.
// Thread safety: any thread. Every Open is followed by one Close; the last one ends it, when no
// store uses it any more. Invariant: one write transaction at a time, the leader's of the queue or
// that of an OpenBucket, under write_mutex_.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/mutex.h"
#include "base/ref.h"
#include "base/result.h"
#include "core/runtime.h"
#include "stores/lmdb/map_space.h"
#include "stores/lmdb/reader_pool.h"
#include "stores/lmdb/write_queue.h"

namespace chainstore::lmdb {

class Environment final : public RefCounted<Environment> {
 public:
  struct Settings {
    std::string path;      // canonical
    bool is_file = false;  // MDB_NOSUBDIR: the path is the data file, its lock file is PATH-lock
    bool cache = false;    // durability=cache: MDB_NOSYNC
    // 0: the largest map that the system allows, from kLargestMap downwards. A file that is open
    // already keeps the map that it has.
    uint64_t map_size = 0;
    std::string store;  // its name, for messages
  };

  // What may be opened: in a directory an LMDB file or none, as a file only an LMDB file.
  static Status CheckDataFile(const Settings& settings);
  static Result<Ref<Environment>> Open(const Settings& settings, Ref<Runtime> runtime);
  // May block: the last one ends the environment.
  void Close();
  ~Environment();

  // The handle of a named database (null: the unnamed one), made if it is not there. `flags` are
  // those that it was made with. Returns 0 or LMDB's code.
  int OpenBucket(const char* name, MDB_dbi* dbi, unsigned* flags) CS_EXCLUDES(write_mutex_);
  // Whether `key` of the unnamed database is no entry but the name of a database.
  bool NamesADatabase(Bytes key) CS_EXCLUDES(open_mutex_);

  // A transaction to read in. Returns 0 or LMDB's code.
  int Read(ReaderPool::Lease* lease);
  WriteQueue& writes() noexcept { return *writes_; }
  // Everything that was committed is on disk when it returns 0.
  int Sync() noexcept { return mdb_env_sync(env_, 1); }

  const std::string& path() const noexcept { return settings_.path; }
  uint32_t page_size() const noexcept { return page_size_; }
  uint64_t map_size() noexcept CS_EXCLUDES(write_mutex_);
  // Commits that wrote something, by this process.
  uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }

  static constexpr uint64_t kLargestMap = uint64_t{1} << 40;
  static constexpr uint64_t kSmallestMap = uint64_t{1} << 20;
  static constexpr unsigned kMaxBuckets = 128;
  // 64 KiB of lock file. LMDB's default of 126 is used up by two busy processes.
  static constexpr unsigned kMaxReaders = 1022;

 private:
  class Registry;
  struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    friend auto operator<=>(const FileId&, const FileId&) = default;
  };

  Environment(const Settings& settings, Ref<Runtime> runtime);
  Status Start();
  int OpenMap(uint64_t map_size);
  int OpenLargestMap();
  Status PrepareLockFile();
  std::string LockPath() const;

  void CommitGroup(std::span<Write* const> group) CS_EXCLUDES(write_mutex_);
  int RunTransaction(std::span<Write* const> writes, size_t* failed) CS_REQUIRES(write_mutex_);
  int BeginWrite(MDB_txn** txn) CS_REQUIRES(write_mutex_);
  int AdvanceTransaction(MDB_dbi dbi) CS_REQUIRES(write_mutex_);
  int AdoptMapSize() CS_REQUIRES(write_mutex_);

  const Settings settings_;
  const Ref<Runtime> runtime_;
  FileId file_;         // the registry's
  uint32_t users_ = 1;  // the registry's, under its lock
  MDB_env* env_ = nullptr;
  uint32_t page_size_ = 0;
  Ref<ReaderPool> readers_;
  Ref<WriteQueue> writes_;
  std::atomic<uint64_t> commits_{0};

  Mutex open_mutex_;  // LMDB: one mdb_dbi_open at a time
  std::map<std::string, MDB_dbi, std::less<>> buckets_ CS_GUARDED_BY(open_mutex_);
  Mutex write_mutex_;
  MapSpace space_ CS_GUARDED_BY(write_mutex_);
};

}  // namespace chainstore::lmdb
