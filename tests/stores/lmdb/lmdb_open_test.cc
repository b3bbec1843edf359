// Opening: paths, buckets, marks, damaged files, permissions.
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <thread>

#include "stores/lmdb/lmdb_test_support.h"
#include "support/child_process.h"

namespace chainstore {
namespace {

uint64_t FileSize(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

void Overwrite(const std::string& path, off_t offset, Bytes bytes) {
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), offset),
            static_cast<ssize_t>(bytes.size()));
}

void Fill(const std::string& path, int count = 200) {
  OpenedLmdb store(path);
  auto batch = MakeRef<Batch>();
  for (int i = 0; i < count; ++i) {
    batch->ops.push_back(
        {OwnedKey(Key("k" + std::to_string(i))), Value::Copy(std::string(3000, 'v')), 0});
  }
  ASSERT_TRUE(WriteInto(*store, batch).status.ok());
}

// ---- Buckets and paths ----

TEST(LmdbOpenTest, SharesAFileAmongBuckets) {
  const TemporaryDirectory root;
  OpenedLmdb a(root / "db", "a");
  OpenedLmdb b(root / "db", "b");
  OpenedLmdb standard(root / "db");
  EXPECT_EQ(Put(*a, "k", "in a"), Code::kOk);
  EXPECT_EQ(GetText(*b, "k"), "(CS_NOT_FOUND)") << "b was opened before: its readers know of it";
  EXPECT_EQ(Put(*b, "k", "in b"), Code::kOk);
  EXPECT_EQ(GetText(*a, "k"), "in a");
  // A bucket that is opened when reads have begun already.
  OpenedLmdb c(root / "db", "c");
  EXPECT_EQ(GetText(*c, "k"), "(CS_NOT_FOUND)");
  EXPECT_EQ(Put(*c, "k", "in c"), Code::kOk);
  a.Close();
  EXPECT_EQ(GetText(*b, "k"), "in b") << "one bucket's end is not the file's";
  OpenedLmdb a_again(root / "db", "a");
  EXPECT_EQ(GetText(*a_again, "k"), "in a");
  EXPECT_EQ(ScanText(*standard, Range()), "");
}

TEST(LmdbOpenTest, RefusesTheSameBucketASecondTime) {
  const TemporaryDirectory root;
  OpenedLmdb first(root / "db", "a");
  ASSERT_EQ(symlink("db", (root / "link").c_str()), 0);
  ExpectRefused(TryOpenLmdb(root / "link", "a"), Code::kBusy, "share the handle");
  OpenedLmdb standard(root / "db");
  ExpectRefused(TryOpenLmdb(root / "db", "chainstore"), Code::kBusy, "share the handle");
  OpenedLmdb unnamed(root / "db", nullptr, {{"format", "raw"}});
  ExpectRefused(TryOpenLmdb(root / "db", nullptr, {{"format", "raw"}}), Code::kBusy, "share");
}

TEST(LmdbOpenTest, HoldsAllBucketsOfAFileToOneMapSize) {
  const TemporaryDirectory root;
  OpenedLmdb first(root / "db", "a", {{"map_size", "8MiB"}});
  OpenedLmdb smaller(root / "db", "b", {{"map_size", "4MiB"}});
  ExpectRefused(TryOpenLmdb(root / "db", "c", {{"map_size", "16MiB"}}), Code::kBusy, "map_size");
}

TEST(LmdbOpenTest, OpensALmdbFileAsAFile) {
  const TemporaryDirectory root;
  { PlainLmdb plain(root / "file", MDB_NOSUBDIR); }
  {
    PlainLmdb plain(root / "file", MDB_NOSUBDIR);
    plain.Put(nullptr, "theirs", "v");
  }
  {
    OpenedLmdb store(root / "file", nullptr, {{"format", "raw"}});
    OpenedLmdb bucket(root / "file", "b");
    EXPECT_EQ(GetText(*store, "theirs"), "v");
    EXPECT_EQ(store->directory(), root / "file.chainstore");
    EXPECT_TRUE(Exists(root / "file.chainstore"));
    EXPECT_EQ(Put(*bucket, "k", "w"), Code::kOk);
    ExpectRefused(TryOpenLmdb(root / "file", "b"), Code::kBusy, "share the handle");
  }
  ExpectRefused(TryOpenLmdb(root / "file", "b", {{"durability", "cache"}}), Code::kInvalid,
                "durability");
  OpenedLmdb again(root / "file", "b");
  EXPECT_EQ(GetText(*again, "k"), "w");
}

TEST(LmdbOpenTest, RefusesAFileThatIsNoLmdbFileAndMakesNothingBesideIt) {
  const TemporaryDirectory root;
  WriteTestFile(root / "text", "just a text of somebody, that is not to be touched\n");
  WriteTestFile(root / "zeros", std::string(1 << 16, '\0'));
  WriteTestFile(root / "empty", "");
  for (const char* name : {"text", "zeros", "empty"}) {
    ExpectRefused(TryOpenLmdb(root / name), Code::kInvalid, "no LMDB file");
    EXPECT_FALSE(Exists(root / (std::string(name) + ".chainstore")));
    EXPECT_FALSE(Exists(root / (std::string(name) + "-lock")));
  }
  EXPECT_EQ(ReadTestFile(root / "text").substr(0, 11), "just a text");
  ExpectRefused(TryOpenLmdb(root / "text/db"), Code::kInvalid, "");
  ExpectRefused(TryOpenLmdb(""), Code::kInvalid, "path");
}

TEST(LmdbOpenTest, RefusesTheDataFileOfADirectory) {
  const TemporaryDirectory root;
  { OpenedLmdb store(root / "db"); }
  ExpectRefused(TryOpenLmdb(root / "db/data.mdb"), Code::kInvalid, "name the directory");
}

// ---- Damaged files ----

TEST(LmdbOpenTest, AnswersCorruptForADamagedHeader) {
  const TemporaryDirectory root;
  Fill(root / "db");
  const std::string file = root / "db/data.mdb";
  Overwrite(file, 16, "garbage!garbage!garbage!");
  ExpectRefused(TryOpenLmdb(root / "db"), Code::kCorrupt, "no LMDB file");
  ExpectRefused(TryOpenLmdb(file), Code::kInvalid, "directory");
  const uint64_t size = FileSize(file);
  EXPECT_GT(size, 0u) << "what it refused it left as it was";
}

TEST(LmdbOpenTest, AnswersCorruptForADamagedSecondMetaPage) {
  const TemporaryDirectory root;
  Fill(root / "db");
  Overwrite(root / "db/data.mdb", 4096 + 16, "garbage!");
  ExpectRefused(TryOpenLmdb(root / "db"), Code::kCorrupt, "second meta page");
}

TEST(LmdbOpenTest, AnswersCorruptForAnotherVersionOfTheFormat) {
  const TemporaryDirectory root;
  Fill(root / "db");
  Overwrite(root / "db/data.mdb", 20, Bytes("\x07\0\0\0", 4));
  ExpectRefused(TryOpenLmdb(root / "db"), Code::kCorrupt, "version");
}

TEST(LmdbOpenTest, AnswersCorruptForAnImpossiblePageSizeOrEnd) {
  const TemporaryDirectory root;
  Fill(root / "a");
  Overwrite(root / "a/data.mdb", 40, Bytes("\xff\xff\xff\xff", 4));
  ExpectRefused(TryOpenLmdb(root / "a"), Code::kCorrupt, "page size");
  Fill(root / "b");
  for (const off_t meta : {0, 4096}) {
    Overwrite(root / "b/data.mdb", meta + 136, Bytes("\xff\xff\xff\xff\xff\xff\0\0", 8));
  }
  ExpectRefused(TryOpenLmdb(root / "b"), Code::kCorrupt, "end is missing");
}

TEST(LmdbOpenTest, AnswersCorruptForAFileThatWasCutOffEachTime) {
  const TemporaryDirectory root;
  Fill(root / "db");
  const std::string file = root / "db/data.mdb";
  const uint64_t size = FileSize(file);
  for (const uint64_t cut : {size / 2, size / 4, uint64_t{3 * 4096}, uint64_t{2 * 4096}}) {
    ASSERT_EQ(truncate(file.c_str(), static_cast<off_t>(cut)), 0);
    for (int i = 0; i < 2; ++i) {
      ExpectRefused(TryOpenLmdb(root / "db"), Code::kCorrupt, "end is missing");
      EXPECT_EQ(FileSize(file), cut) << "left as it was";
    }
  }
  ASSERT_EQ(truncate(file.c_str(), 4096 + 100), 0);
  ExpectRefused(TryOpenLmdb(root / "db"), Code::kCorrupt, "second meta page");
  ASSERT_EQ(truncate(file.c_str(), 0), 0);
  OpenedLmdb store(root / "db");
  EXPECT_EQ(GetText(*store, "k1"), "(CS_NOT_FOUND)");
}

// A page that a transaction gave back before it wrote it may be the file's last.
TEST(LmdbOpenTest, CompletesAFileWhoseLastFreePagesWereNeverWritten) {
  const TemporaryDirectory root;
  {
    OpenedLmdb store(root / "db");
    ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
    ASSERT_EQ(Put(*store, "large", std::string(200'000, 'v')), Code::kOk);
    ASSERT_EQ(Del(*store, "large"), Code::kOk);
    ASSERT_EQ(Put(*store, "k", "w"), Code::kOk);
  }
  const std::string file = root / "db/data.mdb";
  uint64_t pages = 0;
  {
    PlainLmdb plain(root / "db");
    MDB_envinfo info;
    mdb_env_info(plain.env(), &info);
    pages = info.me_last_pgno + 1;
  }
  ASSERT_EQ(FileSize(file), pages * 4096);
  // The pages of the large value end the file, and are free.
  ASSERT_EQ(truncate(file.c_str(), static_cast<off_t>((pages - 5) * 4096)), 0);
  OpenedLmdb store(root / "db");
  EXPECT_EQ(GetText(*store, "k"), "w");
  EXPECT_EQ(FileSize(file), pages * 4096);
  EXPECT_EQ(Put(*store, "large", std::string(200'000, 'x')), Code::kOk);
  EXPECT_EQ(GetText(*store, "large"), std::string(200'000, 'x'));
}

TEST(LmdbOpenTest, AnswersCorruptForADamagedTree) {
  const TemporaryDirectory root;
  Fill(root / "db");
  const std::string file = root / "db/data.mdb";
  const uint64_t size = FileSize(file);
  // All but the meta pages.
  Overwrite(file, 2 * 4096, std::string(size - 2 * 4096, '\0'));
  const auto opened = TryOpenLmdb(root / "db");
  if (opened.ok()) {
    EXPECT_EQ(GetText(**opened, "k1"), "(CS_CORRUPT)");
    EXPECT_TRUE(CloseStore(**opened).ok());
  } else {
    ExpectRefused(opened, Code::kCorrupt, "MDB_");
  }
}

// ---- Durability and marks ----

TEST(LmdbOpenTest, RefusesAnotherDurabilityThanTheDirectoryWasMadeWith) {
  const TemporaryDirectory root;
  { OpenedLmdb store(root / "full"); }
  ExpectRefused(TryOpenLmdb(root / "full", "b", {{"durability", "cache"}}), Code::kInvalid,
                "durability=full");
  OpenedLmdb cache(root / "cache", "a", {{"durability", "cache"}});
  ExpectRefused(TryOpenLmdb(root / "cache", "b"), Code::kInvalid, "durability=cache");
  OpenedLmdb second(root / "cache", "b", {{"durability", "cache"}});
  ASSERT_EQ(mkdir((root / "foreign").c_str(), 0777), 0);
  { PlainLmdb plain(root / "foreign"); }
  ExpectRefused(TryOpenLmdb(root / "foreign", nullptr, {{"durability", "cache"}}), Code::kInvalid,
                "durability=cache");
}

TEST(LmdbOpenTest, ACacheIsEmptiedAfterAnotherBootUnlessItWasClosedCleanly) {
  const TemporaryDirectory root;
  const std::string state = root / "db/.chainstore/state";
  const OptionPairs cache = {{"durability", "cache"}};
  {
    OpenedLmdb store(root / "db", nullptr, cache);
    ASSERT_EQ(Put(*store, "k", "v"), Code::kOk);
    EXPECT_THAT(ReadTestFile(state), ::testing::HasSubstr("state=open"));
  }
  EXPECT_THAT(ReadTestFile(state), ::testing::HasSubstr("state=clean"));
  WriteTestFile(state, "boot=another state=clean\n");
  {
    OpenedLmdb store(root / "db", nullptr, cache);
    EXPECT_EQ(GetText(*store, "k"), "v");
  }
  WriteTestFile(state, "boot=another state=open\n");
  OpenedLmdb store(root / "db", nullptr, cache);
  EXPECT_EQ(GetText(*store, "k"), "(CS_NOT_FOUND)");
  EXPECT_EQ(Put(*store, "k", "w"), Code::kOk);
}

TEST(LmdbOpenTest, ACacheIsCleanOnlyWhenItsLastBucketIsClosed) {
  const TemporaryDirectory root;
  const std::string state = root / "db/.chainstore/state";
  OpenedLmdb a(root / "db", "a", {{"durability", "cache"}});
  OpenedLmdb b(root / "db", "b", {{"durability", "cache"}});
  a.Close();
  EXPECT_THAT(ReadTestFile(state), ::testing::HasSubstr("state=open"));
  b.Close();
  EXPECT_THAT(ReadTestFile(state), ::testing::HasSubstr("state=clean"));
}

// ---- What the system refuses ----

// In a child without privileges; 0 if `check` holds there.
int AsNobody(const std::function<int()>& check) {
  return RunInChild([&check] {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) return 99;
    return check();
  });
}

TEST(LmdbOpenTest, AnswersDeniedWithoutPermission) {
  if (getuid() != 0) GTEST_SKIP() << "needs root, to drop its privileges";
  const TemporaryDirectory root;
  ASSERT_EQ(chmod(root.path().c_str(), 0755), 0);
  Fill(root / "db", 1);
  const auto denied = [](const std::string& path) {
    return AsNobody([&path] {
      const auto opened = TryOpenLmdb(path);
      if (opened.ok()) return 1;
      return opened.status().Is(Code::kDenied) ? 0 : 2;
    });
  };
  EXPECT_EQ(denied(root / "new"), 0) << "a directory that cannot be made";
  EXPECT_EQ(denied(root / "db"), 0) << "a directory of somebody else";
  ASSERT_EQ(chmod((root / "db").c_str(), 0777), 0);
  ASSERT_EQ(chmod((root / "db/.chainstore").c_str(), 0777), 0);
  ASSERT_EQ(chmod((root / "db/.chainstore/lock").c_str(), 0666), 0);
  EXPECT_EQ(denied(root / "db"), 0) << "a data file of somebody else";
  ASSERT_EQ(chmod((root / "db/data.mdb").c_str(), 0666), 0);
  EXPECT_EQ(denied(root / "db"), 0) << "a lock file of somebody else";
  ASSERT_EQ(chmod((root / "db/lock.mdb").c_str(), 0666), 0);
  EXPECT_EQ(denied(root / "db"), 1) << "and then it opens";
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

TEST(LmdbOpenTest, FindsAMapThatFitsTheAddressSpace) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs more address space than the limit";
  const TemporaryDirectory root;
  const int result = RunInChild([&root] {
    struct rlimit limit = {size_t{8} << 30, size_t{8} << 30};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 99;
    const auto opened = TryOpenLmdb(root / "db", nullptr, {{"map_size", ""}});
    if (!opened.ok()) return 1;
    if (Put(**opened, "k", "v") != Code::kOk || GetText(**opened, "k") != "v") return 2;
    if (!CloseStore(**opened).ok()) return 3;
    // One that was asked for is not made smaller in silence.
    const auto refused = TryOpenLmdb(root / "db", nullptr, {{"map_size", "64GiB"}});
    if (refused.ok()) return 4;
    return refused.status().Is(Code::kNoMemory) ? 0 : 5;
  });
  EXPECT_EQ(result, 0);
}

TEST(LmdbOpenTest, OpensAndClosesFromManyThreads) {
  const TemporaryDirectory root;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string bucket = "b" + std::to_string(t);
      for (int i = 0; i < 20; ++i) {
        const auto opened = TryOpenLmdb(root / "db", bucket.c_str());
        if (!opened.ok()) {
          ++failures;
          continue;
        }
        failures += Put(**opened, "k", bucket) != Code::kOk;
        failures += GetText(**opened, "k") != bucket;
        failures += !CloseStore(**opened).ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace chainstore
