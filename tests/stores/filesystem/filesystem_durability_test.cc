// What durability=full syncs, what a failed sync does, and file systems that can less than others.
#include <stdio.h>

#include "stores/filesystem/filesystem_fixture.h"
#include "support/file_faults.h"

namespace chainstore {
namespace {

using ::testing::HasSubstr;

class FilesystemDurabilityTest : public FilesystemTest {
 protected:
  FileFaults faults_;
};

TEST_F(FilesystemDurabilityTest, FullSyncsTheFileAndEveryFolderThatChanged) {
  auto store = Open({{"durability", "full"}});
  const auto syncs = [&](auto operation) {
    faults_.ResetCounts();
    EXPECT_EQ(operation(), Code::kOk);
    return std::pair(faults_.file_syncs(), faults_.folder_syncs());
  };
  using Counts = std::pair<int, int>;
  EXPECT_EQ(syncs([&] { return Put(*store, "a", "1"); }), Counts(1, 1)) << "the file, the root";
  EXPECT_EQ(syncs([&] { return Put(*store, "x/y/z", "1"); }), Counts(1, 3))
      << "the root for x, x for y, y for z";
  EXPECT_EQ(syncs([&] { return Put(*store, "x/y/w", "1"); }), Counts(1, 1));
  EXPECT_EQ(syncs([&] { return Put(*store, "a/b", "1"); }), Counts(1, 3))
      << "the new folder with the old file in it, the root after the swap, a for b";
  EXPECT_EQ(syncs([&] {
              return Put(*store, "a", "2", Call::kIfAbsent) == Code::kExists ? Code::kOk
                                                                             : Code::kInternal;
            }),
            Counts(0, 0));
  EXPECT_EQ(syncs([&] { return Del(*store, "x/y/z"); }), Counts(0, 1));
  EXPECT_EQ(syncs([&] { return Del(*store, "x/y/w"); }), Counts(0, 1)) << "only the root stays";
  EXPECT_EQ(syncs([&] { return Del(*store, "never/there"); }), Counts(0, 0));
}

TEST_F(FilesystemDurabilityTest, CacheSyncsNothing) {
  auto store = Open({{"durability", "cache"}});
  faults_.ResetCounts();
  for (const char* key : {"a", "a/b", "x/y/z", "a"}) ASSERT_EQ(Put(*store, key, "1"), Code::kOk);
  for (const char* key : {"a/b", "x/y/z"}) ASSERT_EQ(Del(*store, key), Code::kOk);
  EXPECT_TRUE(FlushStore(*store).ok());
  EXPECT_EQ(faults_.file_syncs() + faults_.folder_syncs(), 0);
}

TEST_F(FilesystemDurabilityTest, AValueThatCouldNotBeSyncedIsNotStored) {
  auto store = Open({{"durability", "full"}});
  ASSERT_EQ(Put(*store, "k", "old"), Code::kOk);
  faults_.FailFileSyncs(1);
  const Receipt refused = PutInto(*store, "k", "new");
  EXPECT_TRUE(refused.status.Is(Code::kIo)) << refused.status.ToString();
  EXPECT_EQ(GetText(*store, "k"), "old");
  // The bytes that the system may have lost went with their file: the next ones are their own.
  EXPECT_EQ(Put(*store, "k", "newer"), Code::kOk);
  EXPECT_EQ(GetText(*store, "k"), "newer");
}

TEST_F(FilesystemDurabilityTest, AFolderThatCouldNotBeSyncedEndsAllWriting) {
  auto store = Open({{"durability", "full"}});
  ASSERT_EQ(Put(*store, "k", "old"), Code::kOk);
  faults_.FailFolderSyncs(1);
  EXPECT_EQ(Put(*store, "k", "new"), Code::kIo);
  const Receipt refused = PutInto(*store, "other", "v");
  EXPECT_TRUE(refused.status.Is(Code::kIo));
  EXPECT_FALSE(refused.status.retryable());
  EXPECT_THAT(refused.status.ToString(), HasSubstr("open the store again"));
  EXPECT_EQ(Del(*store, "k"), Code::kIo);
  EXPECT_NE(GetText(*store, "k"), "(CS_IO)") << "it still reads";
  EXPECT_TRUE(CloseStore(*store).ok());
  store = Open({{"durability", "full"}});
  EXPECT_EQ(Put(*store, "k", "newest"), Code::kOk);
}

TEST_F(FilesystemDurabilityTest, WithoutAnExchangeOnlyTheKeyThatNeedsItIsRefused) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  faults_.RefuseRenameFlags(RENAME_EXCHANGE);
  const Receipt refused = PutInto(*store, "a/b", "2");
  EXPECT_TRUE(refused.status.Is(Code::kUnsupported)) << refused.status.ToString();
  EXPECT_THAT(refused.status.ToString(), HasSubstr("cannot swap"));
  EXPECT_EQ(ReadTestFile(*this / "a"), "1");
  EXPECT_EQ(Put(*store, "b/c", "3"), Code::kOk);
  EXPECT_EQ(Put(*store, "b", "4"), Code::kOk) << "the folder is there already";
  EXPECT_EQ(ScanText(*store, Range()), "a=1 b=4 b/c=3");
}

TEST_F(FilesystemDurabilityTest, PutsIfAbsentWithoutTheKernelsFlagForIt) {
  auto store = Open();
  faults_.RefuseRenameFlags(RENAME_NOREPLACE);
  EXPECT_EQ(Put(*store, "a/b", "1", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Put(*store, "a/b", "2", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(Put(*store, "a", "3", Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Put(*store, "a", "4", Call::kIfAbsent), Code::kExists);
  EXPECT_EQ(ScanText(*store, Range()), "a=3 a/b=1");
  EXPECT_EQ(rmdir((*this / ".chainstore/tmp").c_str()), 0) << "nothing is left there";
}

}  // namespace
}  // namespace chainstore
