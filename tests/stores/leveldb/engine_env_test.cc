#include "stores/leveldb/engine_env.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cerrno>

#include "stores/leveldb/faulty_env.h"
#include "support/child_process.h"
#include "support/event.h"
#include "support/temporary_directory.h"

namespace chainstore {
namespace {

class EngineEnvTest : public ::testing::Test {
 protected:
  const TemporaryDirectory folder_;
  const Ref<Runtime> runtime_ = MakeRef<RuntimeSlot>(RuntimeSettings{})->Acquire();
  FaultyEnv disk_;
  EngineEnv env_{&disk_, runtime_.get()};

  std::unique_ptr<leveldb::WritableFile> NewFile(const std::string& name) {
    leveldb::WritableFile* file = nullptr;
    EXPECT_TRUE(env_.NewWritableFile(folder_ / name, &file).ok());
    return std::unique_ptr<leveldb::WritableFile>(file);
  }
};

struct Seen {
  Event done;
  std::string thread;
  bool ours = false;
};
void Look(void* argument) {
  auto* seen = static_cast<Seen*>(argument);
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  seen->thread = name;
  seen->ours = Runtime::OnLibraryThread();
  seen->done.Set();
}

TEST_F(EngineEnvTest, RunsBackgroundWorkOnTheRuntimesThreads) {
  Seen scheduled, started;
  env_.Schedule(&Look, &scheduled);
  scheduled.done.Wait();
  EXPECT_TRUE(scheduled.ours);
  EXPECT_EQ(scheduled.thread, "cs-background");
  env_.StartThread(&Look, &started);
  started.done.Wait();
  EXPECT_TRUE(started.ours);
}

TEST_F(EngineEnvTest, NotesEveryFailedWriteUntilToldToForget) {
  for (const auto op : {FaultyEnv::Op::kAppend, FaultyEnv::Op::kSync}) {
    const auto file = NewFile("000003.log");
    EXPECT_TRUE(file->Append("good").ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_FALSE(env_.write_failed());
    disk_.FailNext(1, op, ".log", EIO);
    const bool append = op == FaultyEnv::Op::kAppend;
    EXPECT_FALSE((append ? file->Append("bad") : file->Sync()).ok());
    EXPECT_TRUE(env_.write_failed());
    EXPECT_TRUE((append ? file->Append("good") : file->Sync()).ok());
    EXPECT_TRUE(env_.write_failed()) << "what succeeds later changes nothing";
    env_.ForgetFailures();
    EXPECT_FALSE(env_.write_failed());
  }
}

TEST_F(EngineEnvTest, ATableThatIsMissingIsDamageAndNoMiss) {
  leveldb::RandomAccessFile* file = nullptr;
  const leveldb::Status status = env_.NewRandomAccessFile(folder_ / "000005.ldb", &file);
  EXPECT_TRUE(status.IsCorruption()) << status.ToString();
}

TEST_F(EngineEnvTest, TellsALockThatAnotherHoldsFromAFailure) {
  leveldb::FileLock* lock = nullptr;
  EXPECT_FALSE(env_.LockFile(folder_ / "no-folder/LOCK", &lock).ok());
  EXPECT_FALSE(env_.locked_elsewhere());
  ASSERT_TRUE(env_.LockFile(folder_ / "LOCK", &lock).ok());
  EXPECT_FALSE(env_.locked_elsewhere());
  leveldb::FileLock* second = nullptr;
  EXPECT_FALSE(env_.LockFile(folder_ / "LOCK", &second).ok());
  EXPECT_TRUE(env_.locked_elsewhere()) << "by this process";
  EXPECT_TRUE(env_.UnlockFile(lock).ok());
}

TEST_F(EngineEnvTest, ReplacesFilesAsItsTargetDoes) {
  NewFile("000001.dbtmp")->Append("MANIFEST-000001\n");
  EXPECT_TRUE(env_.RenameFile(folder_ / "000001.dbtmp", folder_ / "CURRENT").ok());
  EXPECT_TRUE(env_.FileExists(folder_ / "CURRENT"));
  EXPECT_FALSE(env_.RenameFile(folder_ / "none", folder_ / "CURRENT").ok());
}

}  // namespace
}  // namespace chainstore
