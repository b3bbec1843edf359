#include "stores/owned_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <thread>

#include "core/store.h"
#include "support/child_process.h"
#include "support/temporary_directory.h"

namespace chainstore {
namespace {

using ::testing::HasSubstr;
using Sharing = OwnedDirectory::Sharing;
using Opened = Result<std::unique_ptr<OwnedDirectory>>;

OwnedDirectory::Request For(const std::string& path, bool cache = false) {
  OwnedDirectory::Request request;
  request.path = path;
  request.store = "test:" + path;
  request.engine = "test";
  request.cache = cache;
  request.boot_id = "boot-1";
  return request;
}

Status SyncOk() { return Code::kOk; }

void ExpectFailure(const Opened& opened, Code code, const char* message) {
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), code) << opened.status().ToString();
  EXPECT_THAT(opened.status().ToString(), HasSubstr(message));
  EXPECT_THAT(opened.status().ToString(), HasSubstr("test:"));
}

TEST(OwnedDirectoryTest, MakesTheDirectoryWithItsParentsAndFindsItsRealPath) {
  const TemporaryDirectory root;
  ASSERT_EQ(symlink(".", (root / "link").c_str()), 0);
  Opened opened = OwnedDirectory::Open(For(root / "link/a//b/"));
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  std::unique_ptr<char, decltype(&free)> real(realpath((root / "a/b").c_str(), nullptr), &free);
  EXPECT_EQ((*opened)->path(), real.get());
  EXPECT_EQ((*opened)->StatePath("journal"), std::string(real.get()) + "/.chainstore/journal");
  EXPECT_EQ(ReadTestFile(root / "a/b/.chainstore/mode"), "durability=full\n");
}

TEST(OwnedDirectoryTest, RefusesASecondStoreHoweverThePathIsSpelled) {
  const TemporaryDirectory root;
  Opened first = OwnedDirectory::Open(For(root / "a"));
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(symlink("a", (root / "link").c_str()), 0);
  for (const char* spelled : {"a", "a/.", "./a/", "../", "link"}) {
    const std::string path = spelled == std::string("../") ? root / "a/../a" : root / spelled;
    ExpectFailure(OwnedDirectory::Open(For(path)), Code::kBusy, "share the handle");
  }
  EXPECT_TRUE((*first)->Close(nullptr).ok());
  EXPECT_TRUE(OwnedDirectory::Open(For(root / "link")).ok());
}

TEST(OwnedDirectoryTest, GivesEachPartOfASharedDirectoryOnce) {
  const TemporaryDirectory root;
  OwnedDirectory::Request request = For(root / "a");
  request.sharing = Sharing::kOtherProcesses;
  request.part = "one";
  Opened one = OwnedDirectory::Open(request);
  ASSERT_TRUE(one.ok());
  ExpectFailure(OwnedDirectory::Open(request), Code::kBusy, "already open");
  request.part = "two";
  Opened two = OwnedDirectory::Open(request);
  EXPECT_TRUE(two.ok()) << two.status().ToString();
  request.part = "";
  ExpectFailure(OwnedDirectory::Open(request), Code::kBusy, "already open");
  request.part = "three";
  request.engine = "other";
  ExpectFailure(OwnedDirectory::Open(request), Code::kBusy, "a test store");
}

TEST(OwnedDirectoryTest, IsExclusiveAcrossProcessesAndFreeOnceTheOtherWasKilled) {
  const TemporaryDirectory root;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = StartChild([&] {
    const Opened opened = OwnedDirectory::Open(For(root / "a"));
    char byte = opened.ok() ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) return 1;
    for (;;) pause();
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  ExpectFailure(OwnedDirectory::Open(For(root / "a")), Code::kBusy, "another process");
  kill(child, SIGKILL);
  EXPECT_EQ(WaitChild(child), 1000 + SIGKILL);
  const Opened opened = OwnedDirectory::Open(For(root / "a"));
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  close(ready[0]);
  close(ready[1]);
}

TEST(OwnedDirectoryTest, LetsOtherProcessesInIfTheEngineCanShare) {
  const TemporaryDirectory root;
  OwnedDirectory::Request request = For(root / "a", true);
  request.sharing = Sharing::kOtherProcesses;
  Opened mine = OwnedDirectory::Open(request);
  ASSERT_TRUE(mine.ok());
  EXPECT_EQ(RunInChild([&] {
              Opened opened = OwnedDirectory::Open(request);
              if (!opened.ok()) return 1;
              // Not the last one: it cannot say that the cache is clean.
              bool synced = false;
              (void)(*opened)->Close([&synced] {
                synced = true;
                return SyncOk();
              });
              return synced ? 2 : 0;
            }),
            0);
  bool synced = false;
  EXPECT_TRUE((*mine)
                  ->Close([&synced] {
                    synced = true;
                    return SyncOk();
                  })
                  .ok());
  EXPECT_TRUE(synced);
  EXPECT_EQ(ReadTestFile(root / "a/.chainstore/state"), "boot=boot-1 state=clean\n");
  // An exclusive owner keeps even those out.
  const Opened exclusive = OwnedDirectory::Open(For(root / "a", true));
  ASSERT_TRUE(exclusive.ok());
  EXPECT_EQ(RunInChild([&] { return OwnedDirectory::Open(request).status().Is(Code::kBusy); }), 1);
}

TEST(OwnedDirectoryTest, ForkedChildHoldsNothingOfItsParents) {
  const TemporaryDirectory root;
  auto opened = OwnedDirectory::Open(For(root / "a"));
  ASSERT_TRUE(opened.ok());
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t child = StartChild([&] {
    close(go[1]);
    char byte;
    if (read(go[0], &byte, 1) != 0) return 1;  // until the parent has let go
    (*opened)->SetOwner(nullptr);
    opened->reset();  // the parent's: this must not disturb who owns it now
    return OwnedDirectory::Open(For(root / "a")).status().Is(Code::kBusy) ? 0 : 2;
  });
  close(go[0]);
  opened->reset();
  auto again = OwnedDirectory::Open(For(root / "a"));
  EXPECT_TRUE(again.ok()) << "a child that was forked meanwhile keeps the lock";
  close(go[1]);
  EXPECT_EQ(WaitChild(child), 0);
}

// A store with nothing in it but its directory.
class Owner final : public Store {
 public:
  Owner(Ref<Runtime> runtime, std::unique_ptr<OwnedDirectory> directory)
      : Store("owner", std::move(runtime)), directory_(std::move(directory)) {
    directory_->SetOwner(this);
  }
  uint32_t caps() const noexcept override { return 0; }
  Limits limits() const noexcept override { return {}; }
  void Get(const Key&, const Read&, const Call&, Done<Answer> done) noexcept override {
    done(Answer());
  }
  void Put(const Key&, const Payload&, const Call&, Done<Receipt> done) noexcept override {
    done(Receipt());
  }
  void Del(const Key&, const Call&, Done<Receipt> done) noexcept override { done(Receipt()); }

 private:
  void CloseSelf(const Call&, Done<Status> done) noexcept override {
    done(directory_->Close(nullptr));
  }
  const std::unique_ptr<OwnedDirectory> directory_;
};

TEST(OwnedDirectoryTest, WaitsForAStoreThatItsLastUserHasJustLetGoOf) {
  const TemporaryDirectory root;
  for (int round = 0; round < 50; ++round) {
    Opened opened = OwnedDirectory::Open(For(root / "a"));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    MakeRef<Owner>(RuntimeSlot::Default().Acquire(), std::move(*opened));
  }
  EXPECT_TRUE(RuntimeSlot::Default().WaitGone(Clock::System().DeadlineAfterMs(10'000)));
}

TEST(OwnedDirectoryTest, WaitsLongerThanTheGraceForAStoreThatIsEnding) {
  const TemporaryDirectory root;
  Opened first = OwnedDirectory::Open(For(root / "a"));
  ASSERT_TRUE(first.ok());
  OwnedDirectory* const directory = first->get();
  auto owner = MakeRef<Owner>(RuntimeSlot::Default().Acquire(), std::move(*first));
  // Ending, but held up by a call that is under way for longer than a moment.
  GatePass pass(owner->gate());
  owner->Close(Call(), [](Status&&) {});
  ASSERT_TRUE(owner->ending());
  std::thread late([&] {
    const int64_t until =
        Clock::System().DeadlineAfterMs(static_cast<uint64_t>(DirectoryClaims::kGraceMs) + 100);
    Mutex mutex;
    CondVar never;
    MutexLock lock(mutex);
    while (never.WaitUntil(mutex, until)) {
    }
    GatePass gone(std::move(pass));
  });
  const Opened second = OwnedDirectory::Open(For(root / "a"));
  EXPECT_TRUE(second.ok()) << second.status().ToString();
  EXPECT_NE(second->get(), directory);
  late.join();
}

// ---- Durability ----

TEST(OwnedDirectoryTest, KeepsTheDurabilityThatItWasMadeWith) {
  const TemporaryDirectory root;
  { ASSERT_TRUE(OwnedDirectory::Open(For(root / "full", false)).ok()); }
  { ASSERT_TRUE(OwnedDirectory::Open(For(root / "cache", true)).ok()); }
  ExpectFailure(OwnedDirectory::Open(For(root / "full", true)), Code::kInvalid,
                "made with durability=full");
  ExpectFailure(OwnedDirectory::Open(For(root / "cache", false)), Code::kInvalid,
                "made with durability=cache");
  EXPECT_TRUE(OwnedDirectory::Open(For(root / "full", false)).ok());
  EXPECT_TRUE(OwnedDirectory::Open(For(root / "cache", true)).ok());
}

TEST(OwnedDirectoryTest, CountsADirectoryWithContentAndWithoutAMarkAsFull) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "a").c_str(), 0777), 0);
  WriteTestFile(root / "a/data", "kept");
  ExpectFailure(OwnedDirectory::Open(For(root / "a", true)), Code::kInvalid, "empty directory");
  EXPECT_FALSE(Exists(root / "a/.chainstore/mode"));
  EXPECT_TRUE(OwnedDirectory::Open(For(root / "a", false)).ok());
  EXPECT_EQ(ReadTestFile(root / "a/data"), "kept");
}

TEST(OwnedDirectoryTest, RefusesADamagedMark) {
  const TemporaryDirectory root;
  { ASSERT_TRUE(OwnedDirectory::Open(For(root / "a")).ok()); }
  for (const std::string& bad :
       {std::string("durability=fu"), std::string(), std::string(9999, 'x')}) {
    WriteTestFile(root / "a/.chainstore/mode", bad);
    const Opened opened = OwnedDirectory::Open(For(root / "a"));
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.status().ToString(), HasSubstr("mark"));
  }
}

class CacheTest : public ::testing::Test {
 protected:
  // Opens the cache under `boot`; true: what was in it is still there.
  bool Survives(const char* boot, bool* emptied) {
    OwnedDirectory::Request request = For(root_ / "a", true);
    request.boot_id = boot;
    Opened opened = OwnedDirectory::Open(request);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return false;
    *emptied = (*opened)->emptied();
    const bool there = Exists(root_ / "a/folder/data");
    EXPECT_EQ(there, Exists(root_ / "a/top"));
    EXPECT_FALSE(Exists(root_ / "a/.chainstore/aside"));
    if (!there) Fill();
    return there;
  }
  void Fill() {
    mkdir((root_ / "a/folder").c_str(), 0777);
    WriteTestFile(root_ / "a/folder/data", "data");
    WriteTestFile(root_ / "a/top", "data");
    WriteTestFile(root_ / "a/.chainstore/journal", "not the cache's");
  }
  const TemporaryDirectory root_;
};

TEST_F(CacheTest, IsKeptAfterAKilledProcessAndEmptiedAfterAKilledMachine) {
  bool emptied = true;
  EXPECT_FALSE(Survives("boot-1", &emptied));
  EXPECT_FALSE(emptied) << "it was new";
  EXPECT_TRUE(Survives("boot-1", &emptied));
  EXPECT_FALSE(emptied);
  EXPECT_FALSE(Survives("boot-2", &emptied));
  EXPECT_TRUE(emptied);
  EXPECT_TRUE(Survives("boot-2", &emptied));
  EXPECT_FALSE(emptied);
  EXPECT_TRUE(Exists(root_ / "a/.chainstore/journal")) << "only the store's own content goes";
}

TEST_F(CacheTest, IsKeptAcrossBootsAfterACleanClose) {
  bool emptied = true;
  EXPECT_FALSE(Survives("boot-1", &emptied));
  Opened opened = OwnedDirectory::Open(For(root_ / "a", true));
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE((*opened)->Close(SyncOk).ok());
  EXPECT_TRUE(Survives("boot-2", &emptied));
  EXPECT_FALSE(emptied);
  // Open again, and not closed clean: the old "clean" must not vouch for what came after it.
  EXPECT_FALSE(Survives("boot-3", &emptied));
  EXPECT_TRUE(emptied);
}

TEST_F(CacheTest, IsNotCleanIfItCouldNotBeSynced) {
  bool emptied = true;
  EXPECT_FALSE(Survives("boot-1", &emptied));
  Opened opened = OwnedDirectory::Open(For(root_ / "a", true));
  ASSERT_TRUE(opened.ok());
  const Status closed = (*opened)->Close([]() -> Status { return Failure(Code::kIo, "no"); });
  EXPECT_TRUE(closed.Is(Code::kIo));
  EXPECT_FALSE(Survives("boot-2", &emptied));
  EXPECT_TRUE(emptied);
}

TEST_F(CacheTest, IsEmptiedIfItsStateCannotBeReadOrTheBootIsUnknown) {
  bool emptied = true;
  EXPECT_FALSE(Survives("boot-1", &emptied));
  WriteTestFile(root_ / "a/.chainstore/state", "boot=boot-1");
  EXPECT_FALSE(Survives("boot-1", &emptied));
  EXPECT_TRUE(emptied);
  EXPECT_FALSE(Survives("", &emptied));
  EXPECT_FALSE(Survives("", &emptied)) << "two unknown boots are not the same one";
}

TEST_F(CacheTest, FinishesAnEmptyingThatWasCutShort) {
  bool emptied = true;
  EXPECT_FALSE(Survives("boot-1", &emptied));
  ASSERT_EQ(mkdir((root_ / "a/.chainstore/aside").c_str(), 0777), 0);
  ASSERT_EQ(rename((root_ / "a/top").c_str(), (root_ / "a/.chainstore/aside/0").c_str()), 0);
  EXPECT_FALSE(Survives("boot-2", &emptied));
  EXPECT_TRUE(emptied);
}

TEST(OwnedDirectoryTest, TellsTheBootOfTheRunningSystem) {
  EXPECT_EQ(OwnedDirectory::BootId().size(), 36u);
  EXPECT_EQ(OwnedDirectory::BootId(), OwnedDirectory::BootId());
}

// ---- Bad input ----

TEST(OwnedDirectoryTest, RefusesWhatCannotBeADirectory) {
  const TemporaryDirectory root;
  WriteTestFile(root / "file", "kept");
  ASSERT_EQ(symlink("nowhere", (root / "dangling").c_str()), 0);
  ASSERT_EQ(symlink("loop", (root / "loop").c_str()), 0);
  ExpectFailure(OwnedDirectory::Open(For(root / "file")), Code::kInvalid, "is a file");
  ExpectFailure(OwnedDirectory::Open(For(root / "file/below")), Code::kInvalid, "Not a directory");
  ExpectFailure(OwnedDirectory::Open(For(root / "dangling")), Code::kInvalid, "cannot be");
  ExpectFailure(OwnedDirectory::Open(For(root / "loop")), Code::kInvalid, "cannot be");
  ExpectFailure(OwnedDirectory::Open(For(root / std::string(300, 'x'))), Code::kInvalid,
                "too long");
  ExpectFailure(OwnedDirectory::Open(For("")), Code::kInvalid, "empty");
  ExpectFailure(OwnedDirectory::Open(For(std::string("a\0b", 3))), Code::kInvalid, "NUL");
  EXPECT_EQ(ReadTestFile(root / "file"), "kept");
}

TEST(OwnedDirectoryTest, OwnsAFileIfAskedAndKeepsItsMarksBesideIt) {
  const TemporaryDirectory root;
  WriteTestFile(root / "file", "kept");
  OwnedDirectory::Request request = For(root / "file");
  request.allow_file = true;
  {
    Opened opened = OwnedDirectory::Open(request);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    EXPECT_TRUE((*opened)->is_file());
    EXPECT_EQ((*opened)->StatePath("x").substr((*opened)->path().size()), ".chainstore/x");
    EXPECT_TRUE(Exists(root / "file.chainstore/mode"));
    ExpectFailure(OwnedDirectory::Open(request), Code::kBusy, "share the handle");
  }
  request.cache = true;
  ExpectFailure(OwnedDirectory::Open(request), Code::kInvalid, "durability");
}

TEST(OwnedDirectoryTest, SaysThatPermissionIsMissing) {
  const TemporaryDirectory root;
  ASSERT_EQ(chmod(root.path().c_str(), 0755), 0);
  ASSERT_EQ(mkdir((root / "closed").c_str(), 0700), 0);
  ASSERT_EQ(mkdir((root / "readable").c_str(), 0555), 0);
  const auto code_of = [&](const std::string& path) {
    const Opened opened = OwnedDirectory::Open(For(path));
    const bool clear = opened.status().Is(Code::kDenied) &&
                       opened.status().ToString().find("permission") != std::string::npos;
    return clear ? 0 : 1;
  };
  EXPECT_EQ(RunInChild([&] {
              // Root may do everything: as nobody, who may not.
              if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 100;
              if (getuid() != 65534 && chmod((root / "closed").c_str(), 0) != 0) return 101;
              return code_of(root / "closed/below") + 2 * code_of(root / "readable") +
                     4 * code_of(root / "readable/new");
            }),
            0);
  chmod((root / "closed").c_str(), 0700);
}

TEST(OwnedDirectoryTest, SaysThatTheFileSystemIsReadOnly) {
  const TemporaryDirectory root;
  if (mount("none", root.path().c_str(), "tmpfs", MS_RDONLY, "size=64k") != 0) {
    GTEST_SKIP() << "mounting a read-only file system needs root";
  }
  const Opened there = OwnedDirectory::Open(For(root.path()));
  const Opened below = OwnedDirectory::Open(For(root / "a"));
  umount(root.path().c_str());
  ExpectFailure(there, Code::kDenied, "Read-only");
  ExpectFailure(below, Code::kDenied, "can be written");
}

}  // namespace
}  // namespace chainstore
