#include "stores/filesystem/filesystem_store.h"

#include <sys/xattr.h>
#include <utime.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "stores/filesystem/file_mark.h"
#include "stores/filesystem/filesystem_fixture.h"

namespace chainstore {
namespace {

using ::testing::HasSubstr;

class FilesystemStoreTest : public FilesystemTest {};

TEST_F(FilesystemStoreTest, KeepsAValueAsTheContentOfAFile) {
  auto store = Open();
  EXPECT_EQ(Put(*store, "photos/cat.jpg", "meow"), Code::kOk);
  EXPECT_EQ(ReadTestFile(*this / "photos/cat.jpg"), "meow");
  EXPECT_EQ(GetText(*store, "photos/cat.jpg"), "meow");
  EXPECT_EQ(GetText(*store, "photos/dog.jpg"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetText(*store, "photos"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetText(*store, "photos/cat.jpg/x"), "(CS_NOT_FOUND)");
}

TEST_F(FilesystemStoreTest, AnEmptyValueIsNotMissing) {
  auto store = Open();
  EXPECT_EQ(Put(*store, "empty", ""), Code::kOk);
  const Answer answer = GetFrom(*store, "empty");
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.value->size(), 0u);
  EXPECT_EQ(answer.meta.total_size, 0u);
}

TEST_F(FilesystemStoreTest, ReplacesAValueOfAnySize) {
  auto store = Open();
  for (const size_t size :
       {size_t{3}, size_t{16383}, size_t{16384}, size_t{16385}, size_t{3000000}, size_t{1}}) {
    std::string value(size, 'x');
    value.back() = 'y';
    ASSERT_EQ(Put(*store, "k", value), Code::kOk);
    const Answer answer = GetFrom(*store, "k", Call::kOwned);
    ASSERT_TRUE(answer.status.ok());
    EXPECT_TRUE(answer.value->bytes() == value) << size;
    EXPECT_TRUE(answer.value->is_heap());
    EXPECT_EQ(answer.meta.total_size, size);
  }
}

TEST_F(FilesystemStoreTest, DeletesAKeyAndTheFoldersThatAreEmptyThen) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a/b/c", "1"), Code::kOk);
  ASSERT_EQ(Put(*store, "a/d", "2"), Code::kOk);
  EXPECT_EQ(Del(*store, "a/b/c"), Code::kOk);
  EXPECT_FALSE(Exists(*this / "a/b"));
  EXPECT_TRUE(Exists(*this / "a"));
  EXPECT_EQ(Del(*store, "a/d"), Code::kOk);
  EXPECT_FALSE(Exists(*this / "a"));
  for (const char* absent : {"a/d", "a", "a/d/e", "nothing/at/all"}) {
    EXPECT_EQ(Del(*store, absent), Code::kOk) << absent;
  }
  EXPECT_EQ(GetText(*store, "a/d"), "(CS_NOT_FOUND)");
}

TEST_F(FilesystemStoreTest, KeepsBothAKeyAndKeysBelowIt) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "file"), Code::kOk);
  ASSERT_EQ(Put(*store, "a/b", "below"), Code::kOk);
  EXPECT_EQ(ReadTestFile(*this / "a/%%"), "file");
  EXPECT_EQ(GetText(*store, "a"), "file");
  EXPECT_EQ(GetText(*store, "a/b"), "below");
  // Put, stat, range and del find it there, too.
  ASSERT_EQ(Put(*store, "a", "again"), Code::kOk);
  EXPECT_EQ(ReadTestFile(*this / "a/%%"), "again");
  EXPECT_EQ(GetFrom(*store, "a", 0, Wait::kHere, Read::Stat()).meta.total_size, 5u);
  EXPECT_EQ(TextOf(GetFrom(*store, "a", 0, Wait::kHere, Read::Range(1, 2))), "ga");
  EXPECT_EQ(Put(*store, "a", "no", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(Del(*store, "a"), Code::kOk);
  EXPECT_EQ(GetText(*store, "a"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetText(*store, "a/b"), "below");
  ASSERT_EQ(Put(*store, "a", "third", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Del(*store, "a/b"), Code::kOk);
  EXPECT_EQ(GetText(*store, "a"), "third") << "its folder stays for it";
  EXPECT_EQ(Del(*store, "a"), Code::kOk);
  EXPECT_FALSE(Exists(*this / "a"));
  EXPECT_EQ(Put(*store, "a", "plain"), Code::kOk);
  EXPECT_EQ(ReadTestFile(*this / "a"), "plain");
}

TEST_F(FilesystemStoreTest, LeavesNoTemporaryFileBehind) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  ASSERT_EQ(Put(*store, "a/b/c", "2"), Code::kOk);
  ASSERT_EQ(Put(*store, "a", "3", Call::kIfAbsent), Code::kExists);
  ASSERT_EQ(Put(*store, "a/b", "4", Call::kIfAbsent), Code::kOk);
  size_t left = 0;
  const FileDescriptor folder = OpenFolder(AT_FDCWD, (*this / ".chainstore/tmp").c_str());
  EXPECT_EQ(ForEachEntry(folder.get(), [&left](const char*, unsigned char) { return ++left; }), 0);
  EXPECT_EQ(left, 0u);
}

TEST_F(FilesystemStoreTest, ReadsOnlyTheRangeThatIsAsked) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "k", "0123456789"), Code::kOk);
  const auto range = [&](uint64_t offset, uint64_t length) {
    const Answer answer = GetFrom(*store, "k", 0, Wait::kHere, Read::Range(offset, length));
    EXPECT_EQ(answer.meta.total_size, 10u);
    return TextOf(answer);
  };
  EXPECT_EQ(range(2, 3), "234");
  EXPECT_EQ(range(8, 5), "89");
  EXPECT_EQ(range(8, UINT64_MAX), "89");
  EXPECT_EQ(range(10, 1), "");
  EXPECT_EQ(range(UINT64_MAX, UINT64_MAX), "");
  EXPECT_EQ(range(3, 0), "");
  EXPECT_EQ(TextOf(GetFrom(*store, "none", 0, Wait::kHere, Read::Range(0, 1))), "(CS_NOT_FOUND)");
}

TEST_F(FilesystemStoreTest, TellsSizeExpiryAndVersionWithoutReading) {
  auto store = Open();
  const Receipt put = PutInto(*store, "k", "value", 0, Wait::kHere, now_ms() + 1000);
  ASSERT_TRUE(put.status.ok());
  const Answer answer = GetFrom(*store, "k", 0, Wait::kHere, Read::Stat());
  EXPECT_TRUE(answer.status.ok());
  EXPECT_FALSE(answer.value);
  EXPECT_EQ(answer.meta.total_size, 5u);
  EXPECT_EQ(answer.meta.expires_at_ms, now_ms() + 1000);
  EXPECT_EQ(answer.meta.version, put.meta.version);
  EXPECT_EQ(GetFrom(*store, "k").meta.version, put.meta.version);
  EXPECT_NE(put.meta.version, 0u);
  // The clock has not moved; every write has a version of its own nevertheless.
  EXPECT_GT(PutInto(*store, "k", "value").meta.version, put.meta.version);
}

TEST_F(FilesystemStoreTest, PutsIfAbsentOnlyWhereNothingIsAlive) {
  auto store = Open();
  EXPECT_EQ(Put(*store, "k", "first", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Put(*store, "k", "second", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(GetText(*store, "k"), "first");
  PutInto(*store, "t", "mortal", 0, Wait::kHere, now_ms() + 10);
  EXPECT_EQ(Put(*store, "t", "early", Call::kIfAbsent), Code::kExists);
  clock_.AdvanceMs(10);
  EXPECT_EQ(Put(*store, "t", "heir", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(GetText(*store, "t"), "heir");
}

TEST_F(FilesystemStoreTest, AnExpiredEntryIsAMissEverywhereAlsoAfterAReopen) {
  auto store = Open();
  PutInto(*store, "t", "mortal", 0, Wait::kHere, now_ms() + 10);
  PutInto(*store, "u", "immortal");
  clock_.AdvanceMs(9);
  EXPECT_EQ(GetText(*store, "t"), "mortal");
  clock_.AdvanceMs(1);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(GetText(*store, "t"), "(CS_NOT_FOUND)");
    EXPECT_EQ(TextOf(GetFrom(*store, "t", 0, Wait::kHere, Read::Stat())), "(CS_NOT_FOUND)");
    EXPECT_EQ(TextOf(GetFrom(*store, "t", 0, Wait::kHere, Read::Range(0, 1))), "(CS_NOT_FOUND)");
    EXPECT_EQ(ScanText(*store, Range()), "u=immortal");
    EXPECT_TRUE(CloseStore(*store).ok());
    store = Open();
  }
}

TEST_F(FilesystemStoreTest, IsTheSameAfterAReopen) {
  auto store = Open({});
  const Receipt put = PutInto(*store, "a/b", "value", 0, Wait::kHere, now_ms() + 1000);
  ASSERT_TRUE(put.status.ok());
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_EQ(GetText(*store, "a/b"), "(CS_CLOSED)");
  store = Open({});
  const Answer answer = GetFrom(*store, "a/b");
  EXPECT_EQ(TextOf(answer), "value");
  EXPECT_EQ(answer.meta.expires_at_ms, now_ms() + 1000);
  EXPECT_EQ(answer.meta.version, put.meta.version);
  EXPECT_EQ(store->directory(), root());
}

TEST_F(FilesystemStoreTest, SaysWhatItCanDo) {
  const uint32_t common = kCapOrdered | kCapScan | kCapRange | kCapTtl;
  EXPECT_EQ(Open({{"durability", "cache"}})->caps(), common);
  const Ref<Store> full = *TryOpen(temporary_ / "full");
  EXPECT_EQ(full->caps(), common | kCapDurable);
  EXPECT_EQ(full->limits().max_value_size, UINT64_MAX);
  EXPECT_EQ(full->EntryCost(10, 0), 512u + 10);
  EXPECT_EQ(full->EntryCost(10, 1), 4096u + 512 + 10);
  EXPECT_EQ(full->EntryCost(10, 4097), 8192u + 512 + 10);
}

TEST_F(FilesystemStoreTest, WorksOnAWorkerAndNeverUnderTry) {
  auto store = Open();
  EXPECT_TRUE(PutInto(*store, "k", "v", 0, Wait::kLater).status.ok());
  EXPECT_EQ(TextOf(GetFrom(*store, "k", 0, Wait::kLater)), "v");
  EXPECT_EQ(TextOf(GetFrom(*store, "k", 0, Wait::kNever)), "(CS_WOULD_BLOCK)");
}

// ---- The checksum, and other programs ----

void FlipLastByte(const std::string& path, bool keep_mtime) {
  struct stat before;
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  std::string content = ReadTestFile(path);
  content.back() = static_cast<char>(content.back() ^ 1);
  WriteTestFile(path, content);
  const timespec times[] = {before.st_atim, before.st_mtim};
  if (keep_mtime) {
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  } else {
    const timespec later[] = {{0, UTIME_OMIT}, {before.st_mtim.tv_sec + 5, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), later, 0), 0);
  }
}

TEST_F(FilesystemStoreTest, FindsBytesThatHaveChangedByThemselves) {
  auto store = Open();
  for (const char* key : {"small", "large"}) {
    ASSERT_EQ(Put(*store, key, std::string(key == std::string("small") ? 10 : 50000, 'x')),
              Code::kOk);
    FlipLastByte(*this / key, true);
    const Answer answer = GetFrom(*store, key);
    EXPECT_TRUE(answer.status.Is(Code::kCorrupt)) << answer.status.ToString();
    EXPECT_FALSE(answer.value);
    EXPECT_THAT(answer.status.ToString(), HasSubstr("checksum"));
    EXPECT_EQ(*answer.status.error()->FindDetail("key"), key);
  }
  const Page page = ScanPage(*store, Range());
  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_TRUE(page.entries[0].status.Is(Code::kCorrupt));
  // A put heals it.
  EXPECT_EQ(Put(*store, "small", "good"), Code::kOk);
  EXPECT_EQ(GetText(*store, "small"), "good");
}

TEST_F(FilesystemStoreTest, FindsAMarkThatHasChangedByItself) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "k", "value"), Code::kOk);
  char mark[kMarkSize];
  ASSERT_EQ(getxattr((*this / "k").c_str(), kMarkAttribute, mark, kMarkSize),
            static_cast<ssize_t>(kMarkSize));
  mark[8] = static_cast<char>(mark[8] ^ 1);  // the version
  ASSERT_EQ(setxattr((*this / "k").c_str(), kMarkAttribute, mark, kMarkSize, 0), 0);
  EXPECT_EQ(GetText(*store, "k"), "(CS_CORRUPT)");
}

TEST_F(FilesystemStoreTest, DoesNotLookIfToldNotTo) {
  auto store = Open({{"durability", "cache"}, {"verify", "off"}});
  ASSERT_EQ(Put(*store, "k", "value"), Code::kOk);
  FlipLastByte(*this / "k", true);
  EXPECT_EQ(GetText(*store, "k"), "valud");
}

TEST_F(FilesystemStoreTest, TakesAFileThatAnotherProgramChangedAsAPlainOne) {
  auto store = Open();
  const Receipt put = PutInto(*store, "k", "value", 0, Wait::kHere, now_ms() + 50);
  FlipLastByte(*this / "k", false);
  const Answer answer = GetFrom(*store, "k");
  EXPECT_EQ(TextOf(answer), "valud");
  EXPECT_NE(answer.meta.version, put.meta.version);
  EXPECT_EQ(GetFrom(*store, "k", 0, Wait::kHere, Read::Stat()).meta.version, answer.meta.version);
  // The same for another length, and for a file that was put there.
  WriteTestFile(*this / "k", "longer than it was");
  EXPECT_EQ(GetText(*store, "k"), "longer than it was");
  WriteTestFile(*this / "foreign", "dropped in");
  const Answer foreign = GetFrom(*store, "foreign");
  EXPECT_EQ(TextOf(foreign), "dropped in");
  EXPECT_EQ(foreign.meta.expires_at_ms, 0);
  EXPECT_NE(foreign.meta.version, 0u);
  EXPECT_EQ(ScanText(*store, Range()), "foreign=dropped in k=longer than it was");
  // The expiry is the file's, until it is put anew.
  clock_.AdvanceMs(50);
  EXPECT_EQ(GetText(*store, "k"), "(CS_NOT_FOUND)");
}

TEST_F(FilesystemStoreTest, ReadsWhatWasAppendedToWhatItWrote) {
  auto store = Open();
  for (const size_t size : {0u, 5u, 100000u}) {
    const std::string value(size, 'v');
    const Receipt put = PutInto(*store, "k", value);
    std::ofstream(*this / "k", std::ios::app) << "more";
    const Answer answer = GetFrom(*store, "k");
    EXPECT_EQ(TextOf(answer), value + "more");
    EXPECT_NE(answer.meta.version, put.meta.version);
    // And what was cut off it is gone.
    std::filesystem::resize_file(*this / "k", value.size() / 2);
    EXPECT_EQ(TextOf(GetFrom(*store, "k")), value.substr(0, value.size() / 2));
  }
}

TEST_F(FilesystemStoreTest, TakesAFileThatWasOnlyTouchedForWhatItIs) {
  auto store = Open();
  const Receipt put = PutInto(*store, "k", "value");
  ASSERT_EQ(utime((*this / "k").c_str(), nullptr), 0);
  EXPECT_EQ(TextOf(GetFrom(*store, "k")), "value");
  EXPECT_EQ(GetFrom(*store, "k").meta.version, put.meta.version);
}

TEST_F(FilesystemStoreTest, ReadsNeitherLinksNorSpecialFiles) {
  auto store = Open();
  WriteTestFile(temporary_ / "secret", "outside");
  ASSERT_EQ(mkdir((temporary_ / "outside").c_str(), 0777), 0);
  WriteTestFile(temporary_ / "outside/file", "outside");
  ASSERT_EQ(symlink((temporary_ / "secret").c_str(), (*this / "link").c_str()), 0);
  ASSERT_EQ(symlink((temporary_ / "outside").c_str(), (*this / "dir").c_str()), 0);
  ASSERT_EQ(mkfifo((*this / "fifo").c_str(), 0666), 0);
  EXPECT_EQ(GetText(*store, "link"), "(CS_DENIED)");
  EXPECT_EQ(GetText(*store, "dir/file"), "(CS_DENIED)");
  EXPECT_EQ(GetText(*store, "fifo"), "(CS_DENIED)");
  EXPECT_EQ(GetText(*store, "dir"), "(CS_DENIED)");
  EXPECT_EQ(Put(*store, "dir/file", "escaped"), Code::kDenied);
  EXPECT_EQ(Put(*store, "dir/new", "escaped"), Code::kDenied);
  EXPECT_EQ(Del(*store, "dir/file"), Code::kOk) << "there is no such key";
  EXPECT_EQ(ReadTestFile(temporary_ / "outside/file"), "outside");
  EXPECT_FALSE(Exists(temporary_ / "outside/new"));
  EXPECT_EQ(ScanText(*store, Range()), "");
  Range below;
  below.prefix = "dir/";
  EXPECT_EQ(ScanText(*store, below), "");
  // A put takes the place of the link itself, a del removes it.
  EXPECT_EQ(Put(*store, "link", "mine"), Code::kOk);
  EXPECT_EQ(Put(*store, "fifo", "mine"), Code::kOk);
  EXPECT_EQ(GetText(*store, "link"), "mine");
  EXPECT_EQ(GetText(*store, "fifo"), "mine");
  EXPECT_EQ(ReadTestFile(temporary_ / "secret"), "outside");
  EXPECT_EQ(Del(*store, "dir"), Code::kOk);
  EXPECT_FALSE(Exists(*this / "dir"));
  EXPECT_TRUE(Exists(temporary_ / "outside/file"));
}

// ---- Bad input ----

TEST_F(FilesystemStoreTest, RefusesKeysAndValuesBeyondItsLimits) {
  auto store = Open({{"durability", "cache"}, {"max_value_size", "5B"}});
  EXPECT_EQ(Put(*store, "k", "12345"), Code::kOk);
  const Receipt large = PutInto(*store, "k", "123456");
  EXPECT_TRUE(large.status.Is(Code::kTooLarge));
  EXPECT_THAT(large.status.ToString(), HasSubstr("6 bytes is above max_value_size, 5"));
  EXPECT_EQ(GetText(*store, "k"), "12345");
  EXPECT_EQ(store->limits().max_value_size, 5u);
  for (const std::string& bad : {std::string(), std::string(1025, 'k')}) {
    EXPECT_EQ(Put(*store, bad, "v"), Code::kInvalid);
    EXPECT_EQ(Del(*store, bad), Code::kInvalid);
    EXPECT_EQ(GetText(*store, bad), "(CS_INVALID)");
  }
}

TEST_F(FilesystemStoreTest, RefusesUnknownOptionsAndValues) {
  for (const auto& [name, value] : {std::pair{"durabillity", "full"},
                                    {"durability", "half"},
                                    {"verify", "true"},
                                    {"max_value_size", "much"}}) {
    const Result<Ref<Store>> opened = TryOpen(root(), {{name, value}});
    ASSERT_FALSE(opened.ok()) << name;
    EXPECT_TRUE(opened.status().Is(Code::kInvalid));
    EXPECT_THAT(opened.status().ToString(), HasSubstr("file:" + root()));
  }
  EXPECT_FALSE(Exists(root())) << "nothing is made for a store that is refused";
}

TEST_F(FilesystemStoreTest, TwoStoresOnOneDirectoryAreRefused) {
  auto store = Open();
  const Result<Ref<Store>> second = TryOpen(root() + "/.", {{"durability", "cache"}});
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().Is(Code::kBusy));
  EXPECT_THAT(second.status().ToString(), HasSubstr("share the handle"));
  // Closed, or let go of: free again.
  EXPECT_TRUE(CloseStore(*store).ok());
  store = Open();
  store = nullptr;
  store = Open();
  EXPECT_EQ(Put(*store, "k", "v"), Code::kOk);
}

// Keys that some file system, or a careless mapping, would take for each other.
std::vector<std::string> LookAlikes() {
  const std::string long_name(300, 'n');
  return {"key",
          "KEY",
          "Key",
          "a",
          "a/",
          "a//",
          "/a",
          "//",
          "/",
          "a/b",
          "a/b/",
          "..",
          "../",
          "../..",
          ".",
          "./a",
          "%",
          "%%",
          "a/%%",
          "%2E",
          "%2F",
          "a%2Fb",
          std::string("\0", 1),
          std::string("a\0b", 3),
          "\xff\xfe",
          "\xc3\xa4",
          "a\u0308",
          ".chainstore",
          ".chainstore/mode",
          ".chainstore/tmp/0",
          std::string(255, 'x'),
          std::string(256, 'x'),
          std::string(1024, 'x'),
          std::string(1024, '%'),
          std::string(1024, '/'),
          long_name,
          long_name + "/x",
          long_name.substr(0, 253),
          long_name.substr(0, 253) + "/nnn",
          "lost+found",
          " ",
          "-rf",
          "~",
          "a\nb",
          "con",
          "tmp"};
}

TEST_F(FilesystemStoreTest, TellsApartKeysThatLookAlike) {
  auto store = Open();
  const std::vector<std::string> keys = LookAlikes();
  for (const std::string& key : keys) {
    ASSERT_EQ(Put(*store, key, "value of " + key), Code::kOk) << key;
  }
  for (const std::string& key : keys) EXPECT_EQ(GetText(*store, key), "value of " + key);
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  std::string expected;
  for (const std::string& key : sorted) expected += (expected.empty() ? "" : " ") + key;
  Range keys_only;
  keys_only.keys_only = true;
  keys_only.page_size = 3;
  EXPECT_EQ(ScanText(*store, keys_only), expected);
  for (const std::string& key : keys) {
    EXPECT_EQ(Del(*store, key), Code::kOk);
    EXPECT_EQ(GetText(*store, key), "(CS_NOT_FOUND)");
  }
  // All of their folders are gone with them.
  const FileDescriptor folder = OpenFolder(AT_FDCWD, root().c_str());
  EXPECT_EQ(ForEachEntry(folder.get(),
                         [](const char* name, unsigned char) {
                           EXPECT_STREQ(name, ".chainstore");
                           return true;
                         }),
            0);
}

}  // namespace
}  // namespace chainstore
