#include "stores/leveldb/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "stores/leveldb/engine_status.h"

namespace chainstore {
namespace {

FileDescriptor OpenDirectory(const std::string& path) {
  return FileDescriptor(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool IsTable(std::string_view name) { return name.ends_with(".ldb") || name.ends_with(".sst"); }

}  // namespace

Database::Database(DatabaseSettings settings, Runtime* runtime)
    : settings_(std::move(settings)),
      block_cache_(leveldb::NewLRUCache(settings_.block_cache_bytes)),
      filter_(settings_.bloom_bits > 0 ? leveldb::NewBloomFilterPolicy(settings_.bloom_bits)
                                       : nullptr),
      env_(settings_.env, runtime),
      options_(settings_.options) {
  options_.env = &env_;
  options_.block_cache = block_cache_.get();
  options_.filter_policy = filter_.get();
  options_.create_if_missing = true;
}

Database::~Database() { Close(); }

Result<std::unique_ptr<Database>> Database::Open(DatabaseSettings settings, Runtime* runtime) {
  std::unique_ptr<Database> self(new Database(std::move(settings), runtime));
  WriterLock lock(self->mutex_);
  if (Status status = self->OpenLocked("open"); !status.ok()) return status;
  return self;
}

Failure Database::Fail(const char* operation, const leveldb::Status& status) const {
  return EngineFailure(settings_.store, operation, settings_.directory, status);
}

Failure Database::FailErrno(const char* operation, int error_number, std::string what) const {
  Failure failure(CodeOfErrno(error_number), std::move(what));
  return failure.Store(settings_.store).Op(operation).Path(settings_.directory).Errno(error_number);
}

Status Database::Broken(const char* operation) const {
  Failure failure(Code::kIo, "the database could not be opened again after a failed write");
  return failure.Store(settings_.store).Op(operation).Path(settings_.directory);
}

bool Database::LacksCurrent() const {
  if (env_.target()->FileExists(settings_.directory + "/CURRENT")) return false;
  bool data = false;
  const FileDescriptor folder = OpenDirectory(settings_.directory);
  if (!folder) return false;
  (void)ForEachEntry(folder.get(), [&data](const char* name, unsigned char) {
    data = data || IsTable(name) || IsEngineLog(name);
    return !data;
  });
  return data;
}

Status Database::OpenLocked(const char* operation) {
  if (LacksCurrent()) {
    return Failure(Code::kCorrupt, "LevelDB: the file CURRENT is missing beside its data")
        .Store(settings_.store)
        .Op(operation)
        .Path(settings_.directory)
        .Hint(kRepairHint);
  }
  env_.ForgetFailures();
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options_, settings_.directory, &db);
  if (status.ok()) {
    db_.reset(db);
    return Code::kOk;
  }
  if (!env_.locked_elsewhere()) return Fail(operation, status);
  return Failure(Code::kBusy, "in use by another process")
      .Store(settings_.store)
      .Op(operation)
      .Path(settings_.directory)
      .Hint("close it there, or give each process a directory of its own");
}

Status Database::Reopen(const char* operation) {
  WriterLock lock(mutex_);
  if (db_ && !env_.write_failed()) return Code::kOk;
  if (db_) {
    if (Status status = CheckRoom(operation); !status.ok()) return status;
    db_.reset();
  }
  Status status = OpenLocked(operation);
  if (status.ok()) reopened_.fetch_add(1, std::memory_order_relaxed);
  return status;
}

Status Database::CheckRoom(const char* operation) const {
  // What an opening writes: the logs as tables, a new manifest and a new log.
  uint64_t needed = uint64_t{256} << 10;
  const FileDescriptor folder = OpenDirectory(settings_.directory);
  if (!folder) return FailErrno(operation, errno, "cannot open the directory");
  (void)ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
    struct stat info;
    const bool counts = IsEngineLog(name) || std::string_view(name).starts_with("MANIFEST-");
    if (counts && fstatat(folder.get(), name, &info, 0) == 0) {
      needed += static_cast<uint64_t>(info.st_size);
    }
    return true;
  });
  const FileDescriptor probe(
      open(settings_.scratch.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  int error = probe ? posix_fallocate(probe.get(), 0, static_cast<off_t>(needed)) : errno;
  if (probe) unlink(settings_.scratch.c_str());
  if (error == 0 || error == EOPNOTSUPP || error == EINVAL) return Code::kOk;
  Failure failure = FailErrno(operation, error, "no room to go on after a failed write");
  return failure.Hint("make room; the store goes on by itself");
}

Status Database::Write(const char* operation, leveldb::WriteBatch* batch, bool sync) {
  leveldb::WriteOptions options;
  options.sync = sync;
  // More than once only if writes of other threads fail at the same time, again and again.
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    {
      ReaderLock lock(mutex_);
      if (db_ && !env_.write_failed()) {
        const leveldb::Status status = db_->Write(options, batch);
        if (!status.ok()) {
          env_.NoteWriteFailure();
          return Fail(operation, status);
        }
        // A failure since then may be of a write that stands before this one in the log.
        if (!env_.write_failed()) return Code::kOk;
      }
    }
    if (Status status = Reopen(operation); !status.ok()) return status;
  }
  return Broken(operation);
}

Status Database::SyncAll(const char* operation) {
  // By name, without LevelDB: a synced write of its own would only sync the newest log, while the
  // one before it may not be in a table yet. What is not in a log is in a table, and synced.
  const FileDescriptor folder = OpenDirectory(settings_.directory);
  if (!folder) return FailErrno(operation, errno, "cannot open the directory");
  int error = 0;
  const int listed = ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
    if (!IsEngineLog(name)) return true;
    const FileDescriptor log(openat(folder.get(), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    // One that is gone since the listing has become a table.
    if (!log && errno != ENOENT) error = errno;
    if (log && fdatasync(log.get()) != 0) error = errno;
    return error == 0;
  });
  if (error == 0) error = listed;
  if (error == 0 && fsync(folder.get()) != 0) error = errno;
  if (error == 0) return Code::kOk;
  env_.NoteWriteFailure();
  return FailErrno(operation, error, "cannot sync the log");
}

void Database::Close() {
  WriterLock lock(mutex_);
  db_.reset();
}

}  // namespace chainstore
