// FaultyEnv: LevelDB's own Env, with files that fail to be written when a test says so. A failing
// append leaves half of its bytes behind, as a full disk does.
// Thread safety: any thread.
#pragma once

#include <leveldb/env.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"

namespace chainstore {

class FaultyEnv final : public leveldb::EnvWrapper {
 public:
  enum class Op { kOpen, kAppend, kSync };
  // The errno that the operation on the file fails with; 0: it goes well.
  using Faults = std::function<int(Op op, const std::string& name)>;

  FaultyEnv() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  void Set(Faults faults) CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    faults_ = std::move(faults);
  }
  // The next `count` operations of this kind on a file with this ending fail.
  void FailNext(int count, Op op, std::string ending, int error_number) {
    Set([=](Op at, const std::string& name) mutable {
      return at == op && name.ends_with(ending) && count > 0 && count-- > 0 ? error_number : 0;
    });
  }
  void Heal() { Set(nullptr); }

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override {
    *out = nullptr;
    if (const int error = Ask(Op::kOpen, name); error != 0) return Failed(name, error);
    leveldb::Status status = target()->NewWritableFile(name, out);
    if (status.ok()) *out = new File(this, name, *out);
    return status;
  }

 private:
  class File final : public leveldb::WritableFile {
   public:
    File(FaultyEnv* env, std::string name, leveldb::WritableFile* file)
        : env_(*env), name_(std::move(name)), file_(file) {}
    leveldb::Status Append(const leveldb::Slice& data) override {
      const int error = env_.Ask(Op::kAppend, name_);
      if (error == 0) return file_->Append(data);
      (void)file_->Append(leveldb::Slice(data.data(), data.size() / 2));
      (void)file_->Flush();
      return Failed(name_, error);
    }
    leveldb::Status Close() override { return file_->Close(); }
    leveldb::Status Flush() override { return file_->Flush(); }
    leveldb::Status Sync() override {
      const int error = env_.Ask(Op::kSync, name_);
      return error == 0 ? file_->Sync() : Failed(name_, error);
    }

   private:
    FaultyEnv& env_;
    const std::string name_;
    const std::unique_ptr<leveldb::WritableFile> file_;
  };

  static leveldb::Status Failed(const std::string& name, int error) {
    return leveldb::Status::IOError(name, strerror(error));
  }
  int Ask(Op op, const std::string& name) CS_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return faults_ ? faults_(op, name) : 0;
  }

  Mutex mutex_;
  Faults faults_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
