// EngineEnv: the world that LevelDB sees. It passes nearly everything on to another Env (the
// library's own; in tests one that fails) and changes five things:
//  - background work runs on the runtime, so that no thread of the default environment is made:
//    that one stays for ever, without a name, with the signal mask of whoever came first;
//  - it notes every failed write, at the moment of the failure and before LevelDB lets the next
//    writer in (see Database);
//  - a new log's folder is synced with the log's first sync, and CURRENT's after it was replaced:
//    an acknowledged write must not stand in a file whose name a power loss takes away;
//  - a table file that is not there is damage, not "not found": LevelDB would pass that on as the
//    answer to a get;
//  - it tells a lock that somebody else holds from other failures.
// Thread safety: any thread.
#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <string>

#include "core/runtime.h"

namespace chainstore {

class EngineEnv final : public leveldb::EnvWrapper {
 public:
  // `target` and `runtime` outlive it.
  EngineEnv(leveldb::Env* target, Runtime* runtime)
      : leveldb::EnvWrapper(target), runtime_(*runtime) {}

  // Whether a write failed since the last ForgetFailures.
  bool write_failed() const noexcept { return write_failed_.load(std::memory_order_acquire); }
  void NoteWriteFailure() noexcept { write_failed_.store(true, std::memory_order_release); }
  void ForgetFailures() noexcept;
  // Whether the last failure to lock was another's lock.
  bool locked_elsewhere() const noexcept { return locked_elsewhere_.load(); }

  leveldb::Status NewRandomAccessFile(const std::string& name,
                                      leveldb::RandomAccessFile** out) override;
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
  void Schedule(void (*function)(void*), void* argument) override;
  void StartThread(void (*function)(void*), void* argument) override;

 private:
  Runtime& runtime_;
  std::atomic<bool> write_failed_{false};
  std::atomic<bool> locked_elsewhere_{false};
};

// Whether `name` (a path) is one of LevelDB's log files.
bool IsEngineLog(std::string_view name) noexcept;

// Makes the names in the folder of the file `path` durable.
leveldb::Status SyncFolderOf(const std::string& path);

}  // namespace chainstore
