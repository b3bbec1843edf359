// What a crash, a hostile key, a busy neighbour or a broken environment may not do to the
// filesystem store.
#include <signal.h>
#include <sys/mount.h>

#include <map>
#include <random>
#include <thread>

#include "stores/filesystem/filesystem_fixture.h"
#include "support/child_process.h"

namespace chainstore {
namespace {

using ::testing::HasSubstr;

class FilesystemCrashTest : public FilesystemTest {};

TEST_F(FilesystemCrashTest, RemovesWhatACrashLeftInItsFolderForTemporaryFiles) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  EXPECT_TRUE(CloseStore(*store).ok());
  // A put that was cut short; a swap that was, before and after its exchange.
  WriteTestFile(*this / ".chainstore/tmp/0", "half a va");
  ASSERT_EQ(mkdir((*this / ".chainstore/tmp/1").c_str(), 0777), 0);
  ASSERT_EQ(link((*this / "a").c_str(), (*this / ".chainstore/tmp/1/%%").c_str()), 0);
  ASSERT_EQ(link((*this / "a").c_str(), (*this / ".chainstore/tmp/2").c_str()), 0);
  store = Open();
  EXPECT_EQ(GetText(*store, "a"), "1");
  EXPECT_FALSE(Exists(*this / ".chainstore/tmp/0"));
  EXPECT_FALSE(Exists(*this / ".chainstore/tmp/1"));
  EXPECT_FALSE(Exists(*this / ".chainstore/tmp/2"));
  EXPECT_EQ(Put(*store, "a", "2"), Code::kOk);
}

TEST_F(FilesystemCrashTest, PassesByATemporaryNameThatIsTaken) {
  auto store = Open();
  WriteTestFile(*this / ".chainstore/tmp/0", "somebody's");
  EXPECT_EQ(Put(*store, "a", "1"), Code::kOk);
  EXPECT_EQ(ReadTestFile(*this / ".chainstore/tmp/0"), "somebody's");
}

TEST_F(FilesystemCrashTest, AKilledWriterLeavesTheOldValueOrTheNewOneWhole) {
  const std::string old_value(20'000, 'o');
  for (int round = 0; round < 10; ++round) {
    {
      auto store = Open();
      ASSERT_EQ(Put(*store, "k", old_value), Code::kOk);
      ASSERT_TRUE(CloseStore(*store).ok());
    }
    int started[2];
    ASSERT_EQ(pipe(started), 0);
    const pid_t child = StartChild([&] {
      Options options;
      options.values["durability"] = "cache";
      Result<Ref<Store>> opened = NewFilesystemStore(root(), &options);
      if (!opened.ok()) return 1;
      for (int number = 0;; ++number) {
        const std::string value(20'000 + number % 7000, static_cast<char>('a' + number % 26));
        if (!PutInto(**opened, "k", value).status.ok()) return 2;
        if (!PutInto(**opened, number % 2 ? "k/below" : "k/below/more", value).status.ok())
          return 3;
        if (number == 5 + 3 * round && write(started[1], "x", 1) != 1) return 4;
      }
    });
    char byte;
    ASSERT_EQ(read(started[0], &byte, 1), 1);
    close(started[0]);
    close(started[1]);
    kill(child, SIGKILL);
    ASSERT_EQ(WaitChild(child), 1000 + SIGKILL);
    auto store = Open();
    for (const char* key : {"k", "k/below", "k/below/more"}) {
      const Answer answer = GetFrom(*store, key);
      ASSERT_TRUE(answer.status.ok()) << answer.status.ToString();
      const Bytes bytes = answer.value->bytes();
      EXPECT_EQ(bytes.find_first_not_of(bytes[0]), Bytes::npos) << "a torn value";
      EXPECT_GE(bytes.size(), 20'000u);
      EXPECT_EQ(Del(*store, key), Code::kOk);
    }
    EXPECT_EQ(ScanText(*store, Range()), "");
    ASSERT_TRUE(CloseStore(*store).ok());
  }
}

TEST_F(FilesystemCrashTest, SaysThatACacheWasEmptiedAfterACrashOfTheMachine) {
  ASSERT_TRUE(CloseStore(*Open()).ok());
  WriteTestFile(*this / "torn", "");
  WriteTestFile(*this / ".chainstore/state", "boot=another-boot state=open\n");
  auto store = Open();
  EXPECT_EQ(GetText(*store, "torn"), "(CS_NOT_FOUND)");
  EXPECT_EQ(Put(*store, "k", "v"), Code::kOk);
  EXPECT_EQ(GetText(*store, "k"), "v");
}

TEST_F(FilesystemCrashTest, NoKeyLeavesTheRoot) {
  // Everything that a key could reach outside stands ready to be hit.
  const TemporaryDirectory temporary(TemporaryDirectory::Fast());
  const std::string outside = temporary / "outside";
  ASSERT_EQ(mkdir(outside.c_str(), 0777), 0);
  WriteTestFile(outside + "/a", "outside");
  Result<Ref<Store>> opened = TryOpen(outside + "/root", {{"durability", "cache"}});
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  ASSERT_EQ(symlink("..", (outside + "/root/l").c_str()), 0);
  std::mt19937 random(11);
  const std::string pieces[] = {"../",
                                "..",
                                "/",
                                "./",
                                ".",
                                "a",
                                "A",
                                "l/",
                                "%",
                                "%%",
                                "%2E",
                                "%2F",
                                "~",
                                std::string("\0", 1),
                                "\xff",
                                ".chainstore/",
                                "tmp/",
                                "root",
                                "outside/",
                                "lock",
                                std::string(250, 'x')};
  std::map<std::string, std::string> model;
  for (int round = 0; round < 10'000; ++round) {
    std::string key;
    for (size_t count = 1 + random() % 5; count > 0; --count) {
      key += pieces[random() % std::size(pieces)];
    }
    key.resize(std::min(key.size(), kMaxKeySize));
    const std::string value = "value " + std::to_string(round);
    // Through the planted link: refused; everything else is a key like any other.
    const Code expected = key.starts_with("l/") ? Code::kDenied : Code::kOk;
    ASSERT_EQ(Put(store, key, value), expected) << key;
    if (expected == Code::kOk) model[key] = value;
    if (model.size() > 200) {
      const auto victim = std::next(model.begin(), random() % 200);
      ASSERT_EQ(Del(store, victim->first), Code::kOk);
      model.erase(victim);
    }
  }
  for (const auto& [key, value] : model) ASSERT_EQ(GetText(store, key), value) << key;
  EXPECT_EQ(ReadTestFile(outside + "/a"), "outside");
  for (const std::string& folder : {outside, temporary.path()}) {
    size_t names = 0;
    const FileDescriptor descriptor = OpenFolder(AT_FDCWD, folder.c_str());
    EXPECT_EQ(ForEachEntry(descriptor.get(), [&](const char*, unsigned char) { return ++names; }),
              0);
    EXPECT_EQ(names, folder == outside ? 2u : 1u) << folder;
  }
  EXPECT_EQ(ReadTestFile(outside + "/root/.chainstore/mode"), "durability=cache\n");
  EXPECT_TRUE(CloseStore(store).ok());
}

// Folders come and go below each other's hands: every value that is read must be one that was put
// under that very key, and nothing fails.
void HammerNestedKeys(Store& store, int rounds) {
  const std::string keys[] = {"a", "a/b", "a/b/c"};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      std::mt19937 random(number);
      for (int round = 0; round < rounds; ++round) {
        const std::string& key = keys[random() % 3];
        switch (random() % 4) {
          case 0:
            EXPECT_EQ(Del(store, key), Code::kOk);
            break;
          case 1: {
            const Answer answer = GetFrom(store, key);
            if (answer.status.Is(Code::kNotFound)) break;
            EXPECT_EQ(TextOf(answer), "of " + key);
            break;
          }
          case 2: {
            const Code code = Put(store, key, "of " + key, Call::kIfAbsent);
            EXPECT_TRUE(code == Code::kOk || code == Code::kExists) << CodeName(code);
            break;
          }
          default:
            EXPECT_EQ(Put(store, key, "of " + key), Code::kOk);
            break;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& key : keys) EXPECT_EQ(Put(store, key, "last"), Code::kOk);
  for (const std::string& key : keys) EXPECT_EQ(GetText(store, key), "last");
  EXPECT_EQ(ScanText(store, Range()), "a=last a/b=last a/b/c=last");
  for (const std::string& key : keys) EXPECT_EQ(Del(store, key), Code::kOk);
  EXPECT_EQ(ScanText(store, Range()), "");
  EXPECT_FALSE(Exists(store.directory() + "/a"));
}

TEST_F(FilesystemCrashTest, KeysBelowEachOtherAreWrittenByManyThreadsAtOnce) {
  HammerNestedKeys(*Open(), 2000);
}

TEST_F(FilesystemCrashTest, KeysBelowEachOtherAreWrittenByManyThreadsAtOnceAndSynced) {
  HammerNestedKeys(*Open({{"durability", "full"}}), 40);
}

// A put of `a` that is acknowledged is never undone by the folder that a put of `a/b` needs.
TEST_F(FilesystemCrashTest, ASwapIntoAFolderLosesNoNewerValue) {
  auto store = Open();
  for (int round = 0; round < 300; ++round) {
    ASSERT_EQ(Put(*store, "a", "old"), Code::kOk);
    std::thread below([&] { EXPECT_EQ(Put(*store, "a/b", "below"), Code::kOk); });
    EXPECT_EQ(Put(*store, "a", "new"), Code::kOk);
    EXPECT_EQ(GetText(*store, "a"), "new");
    below.join();
    ASSERT_EQ(GetText(*store, "a"), "new");
    ASSERT_EQ(Del(*store, "a/b"), Code::kOk);
    ASSERT_EQ(Del(*store, "a"), Code::kOk);
  }
}

TEST_F(FilesystemCrashTest, OnlyOneOfManyPutsIfAbsentWins) {
  auto store = Open();
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> winners{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
      threads.emplace_back([&] {
        if (Put(*store, "k/" + std::to_string(round), "v", Call::kIfAbsent) == Code::kOk) ++winners;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
  }
}

TEST_F(FilesystemCrashTest, UsesAHandfulOfDescriptors) {
  auto store = Open();
  const auto open_now = [] {
    size_t count = 0;
    const FileDescriptor folder = OpenFolder(AT_FDCWD, "/proc/self/fd");
    (void)ForEachEntry(folder.get(), [&count](const char*, unsigned char) { return ++count; });
    return count;
  };
  const size_t before = open_now();
  for (int number = 0; number < 100; ++number) {
    const std::string key = "folder" + std::to_string(number) + "/" + std::string(400, 'k');
    ASSERT_EQ(Put(*store, key, "v"), Code::kOk);
    ASSERT_EQ(GetText(*store, key), "v");
  }
  Range range;
  range.page_size = 7;
  EXPECT_TRUE(ScanPage(*store, range).more);
  EXPECT_EQ(open_now(), before);
}

// ---- A broken environment ----

class Mounted {
 public:
  Mounted(std::string path, const char* type, const char* data) : path_(std::move(path)) {
    mkdir(path_.c_str(), 0777);
    ok_ = mount("none", path_.c_str(), type, 0, data) == 0;
  }
  // Lazily: a worker may be about to let go of the last descriptor.
  ~Mounted() {
    if (ok_) {
      EXPECT_EQ(umount2(path_.c_str(), MNT_DETACH), 0) << path_;
    }
  }
  bool ok() const { return ok_; }
  bool MakeReadOnly(bool yes) {
    return mount("none", path_.c_str(), "", MS_REMOUNT | (yes ? MS_RDONLY : 0), nullptr) == 0;
  }

 private:
  const std::string path_;
  bool ok_;
};
#define NEED_MOUNT(mounted) \
  if (!(mounted).ok()) GTEST_SKIP() << "mounting a file system of the test's own needs root"

TEST_F(FilesystemCrashTest, AFullDiskRefusesAndKeepsWhatIsThereUntilThereIsSpaceAgain) {
  const Mounted disk(temporary_ / "disk", "tmpfs", "size=256k");
  NEED_MOUNT(disk);
  for (const char* durability : {"full", "cache"}) {
    const std::string path = temporary_ / ("disk/" + std::string(durability));
    Result<Ref<Store>> opened = TryOpen(path, {{"durability", durability}});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    Store& store = **opened;
    ASSERT_EQ(Put(store, "old", "old value"), Code::kOk);
    int stored = 0;
    Receipt refused;
    for (; stored < 100; ++stored) {
      refused = PutInto(store, "filler/" + std::to_string(stored), std::string(8192, 'f'));
      if (!refused.status.ok()) break;
    }
    EXPECT_TRUE(refused.status.Is(Code::kNoSpace)) << refused.status.ToString();
    EXPECT_TRUE(refused.status.retryable());
    EXPECT_THAT(refused.status.ToString(), HasSubstr("file:" + path + ": put: "));
    EXPECT_GT(stored, 5);
    EXPECT_EQ(Put(store, "old", std::string(100'000, 'n')), Code::kNoSpace);
    EXPECT_EQ(Put(store, "new/folder", std::string(100'000, 'n')), Code::kNoSpace);
    EXPECT_EQ(GetText(store, "old"), "old value");
    EXPECT_EQ(GetText(store, "filler/" + std::to_string(stored)), "(CS_NOT_FOUND)");
    EXPECT_FALSE(Exists(path + "/new"));
    for (int number = 0; number < stored; ++number) {
      const std::string key = "filler/" + std::to_string(number);
      EXPECT_EQ(GetText(store, key).size(), 8192u);
      EXPECT_EQ(Del(store, key), Code::kOk) << "a full disk lets go of what it has";
    }
    EXPECT_EQ(Put(store, "old", std::string(100'000, 'n')), Code::kOk);
    EXPECT_EQ(Del(store, "old"), Code::kOk);
    EXPECT_TRUE(CloseStore(store).ok());
  }
}

TEST_F(FilesystemCrashTest, AFileSystemThatTurnsReadOnlyRefusesWritesAndStillReads) {
  Mounted disk(temporary_ / "disk", "tmpfs", "size=256k");
  NEED_MOUNT(disk);
  {
    Result<Ref<Store>> opened = TryOpen(temporary_ / "disk/store");
    ASSERT_TRUE(opened.ok());
    Store& store = **opened;
    ASSERT_EQ(Put(store, "k", "v"), Code::kOk);
    ASSERT_TRUE(CloseStore(store).ok());
  }
  ASSERT_TRUE(disk.MakeReadOnly(true));
  const Result<Ref<Store>> refused = TryOpen(temporary_ / "disk/store");
  ASSERT_TRUE(disk.MakeReadOnly(false));
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.status().Is(Code::kDenied)) << refused.status().ToString();
  EXPECT_THAT(refused.status().ToString(), HasSubstr("Read-only"));
}

TEST_F(FilesystemCrashTest, WithoutExtendedAttributesATimeToLiveIsRefused) {
  const Mounted disk(temporary_ / "disk", "ramfs", nullptr);
  NEED_MOUNT(disk);
  Result<Ref<Store>> opened = TryOpen(temporary_ / "disk/store");
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  Store& store = **opened;
  if (store.caps() & kCapTtl) {
    GTEST_SKIP() << "this system's ramfs has extended attributes";
  }
  EXPECT_FALSE(store.limits().ttl);
  const Receipt refused = PutInto(store, "k", "v", 0, Wait::kHere, now_ms() + 1000);
  EXPECT_TRUE(refused.status.Is(Code::kUnsupported));
  EXPECT_THAT(refused.status.ToString(), HasSubstr("extended attributes"));
  EXPECT_EQ(GetText(store, "k"), "(CS_NOT_FOUND)");
  // All else works, with a version made of the file's mtime.
  EXPECT_EQ(Put(store, "k", "v"), Code::kOk);
  EXPECT_EQ(Put(store, "k/below", "w"), Code::kOk);
  EXPECT_EQ(ScanText(store, Range()), "k=v k/below=w");
  EXPECT_NE(GetFrom(store, "k").meta.version, 0u);
  EXPECT_TRUE(CloseStore(store).ok());
}

TEST_F(FilesystemCrashTest, SaysThatPermissionIsMissingForOneFolderAndGoesOnWithTheOthers) {
  ASSERT_EQ(chmod(temporary_.path().c_str(), 0755), 0);
  EXPECT_EQ(RunInChild([&] {
              const bool is_root = getuid() == 0;
              if (mkdir(root().c_str(), 0777) != 0) return 1;
              if (is_root && chown(root().c_str(), 65534, 65534) != 0) return 2;
              if (is_root && (setgid(65534) != 0 || setuid(65534) != 0)) return 3;
              Result<Ref<Store>> opened = NewFilesystemStore(root(), nullptr);
              if (!opened.ok()) return 4;
              Store& store = **opened;
              if (Put(store, "closed/k", "v") != Code::kOk) return 5;
              if (chmod((*this / "closed").c_str(), 0) != 0) return 6;
              const Receipt refused = PutInto(store, "closed/k", "w");
              if (!refused.status.Is(Code::kDenied)) return 7;
              if (GetText(store, "closed/k") != "(CS_DENIED)") return 8;
              if (Del(store, "closed/k") != Code::kDenied) return 9;
              if (!ScanPage(store, Range()).status.Is(Code::kDenied)) return 10;
              if (Put(store, "open", "v") != Code::kOk) return 11;
              if (chmod((*this / "closed").c_str(), 0700) != 0) return 12;
              return GetText(store, "closed/k") == "v" ? 0 : 13;
            }),
            0);
}

TEST_F(FilesystemCrashTest, RefusesAFile) {
  WriteTestFile(root(), "a file");
  const Result<Ref<Store>> opened = TryOpen(root());
  ASSERT_FALSE(opened.ok());
  EXPECT_TRUE(opened.status().Is(Code::kInvalid));
  EXPECT_THAT(opened.status().ToString(), HasSubstr("is a file"));
}

}  // namespace
}  // namespace chainstore
