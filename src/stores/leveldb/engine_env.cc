#include "stores/leveldb/engine_env.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "stores/leveldb/engine_status.h"

namespace chainstore {
namespace {

// Passes everything on, notes failures, and syncs the folder with the first sync of a log.
// LevelDB uses a file from one thread at a time, under its own lock.
class NotedFile final : public leveldb::WritableFile {
 public:
  NotedFile(EngineEnv* env, std::string name, leveldb::WritableFile* file)
      : env_(*env), name_(std::move(name)), folder_is_synced_(!IsEngineLog(name_)), file_(file) {}

  leveldb::Status Append(const leveldb::Slice& data) override { return Noted(file_->Append(data)); }
  leveldb::Status Close() override { return Noted(file_->Close()); }
  leveldb::Status Flush() override { return Noted(file_->Flush()); }
  leveldb::Status Sync() override {
    leveldb::Status status = file_->Sync();
    if (status.ok() && !folder_is_synced_) {
      status = SyncFolderOf(name_);
      folder_is_synced_ = status.ok();
    }
    return Noted(std::move(status));
  }

 private:
  leveldb::Status Noted(leveldb::Status status) {
    if (!status.ok()) env_.NoteWriteFailure();
    return status;
  }

  EngineEnv& env_;
  const std::string name_;
  bool folder_is_synced_;
  const std::unique_ptr<leveldb::WritableFile> file_;
};

leveldb::Status ErrnoStatus(const std::string& path, int error_number) {
  return leveldb::Status::IOError(path, strerror(error_number));
}

}  // namespace

bool IsEngineLog(std::string_view name) noexcept { return name.ends_with(".log"); }

leveldb::Status SyncFolderOf(const std::string& path) {
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  const FileDescriptor file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file || fsync(file.get()) != 0) return ErrnoStatus(folder, errno);
  return leveldb::Status::OK();
}

void EngineEnv::ForgetFailures() noexcept {
  write_failed_.store(false, std::memory_order_release);
  locked_elsewhere_.store(false);
}

leveldb::Status EngineEnv::NewRandomAccessFile(const std::string& name,
                                               leveldb::RandomAccessFile** out) {
  leveldb::Status status = target()->NewRandomAccessFile(name, out);
  if (!status.IsNotFound()) return status;
  return leveldb::Status::Corruption("a table file is missing", name);
}

leveldb::Status EngineEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** out) {
  leveldb::Status status = target()->NewWritableFile(name, out);
  if (status.ok()) *out = new NotedFile(this, name, *out);
  return status;
}

leveldb::Status EngineEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** out) {
  leveldb::Status status = target()->NewAppendableFile(name, out);
  if (status.ok()) *out = new NotedFile(this, name, *out);
  return status;
}

leveldb::Status EngineEnv::RenameFile(const std::string& from, const std::string& to) {
  leveldb::Status status = target()->RenameFile(from, to);
  // CURRENT names the new manifest from here on: LevelDB, told of a failure now, would delete that.
  if (status.ok() && to.ends_with("/CURRENT") && !SyncFolderOf(to).ok()) NoteWriteFailure();
  return status;
}

leveldb::Status EngineEnv::LockFile(const std::string& name, leveldb::FileLock** lock) {
  leveldb::Status status = target()->LockFile(name, lock);
  // A lock of this very process has no errno.
  const int error_number = EngineErrno(status);
  locked_elsewhere_.store(status.IsIOError() && (error_number == 0 || error_number == EAGAIN));
  return status;
}

void EngineEnv::Schedule(void (*function)(void*), void* argument) {
  // Not the slow lane: its workers may all be writes that wait for this very compaction.
  runtime_.Post(Lane::kBackground, [function, argument] { function(argument); });
}

void EngineEnv::StartThread(void (*function)(void*), void* argument) {
  runtime_.Post(Lane::kSlow, [function, argument] { function(argument); });
}

}  // namespace chainstore
