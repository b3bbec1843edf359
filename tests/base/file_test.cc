#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/temporary_directory.h"

namespace chainstore {
namespace {

TEST(FileTest, ReplacesAFileAndReadsItBack) {
  const TemporaryDirectory directory;
  const FileDescriptor folder = OpenFolder(AT_FDCWD, directory.path().c_str());
  ASSERT_EQ(ReplaceFile(folder.get(), "mark", "one"), 0);
  ASSERT_EQ(ReplaceFile(folder.get(), "mark", "second"), 0);
  std::string content;
  EXPECT_EQ(ReadSmallFile(folder.get(), "mark", 6, &content), 0);
  EXPECT_EQ(content, "second");
  EXPECT_EQ(ReadSmallFile(folder.get(), "mark", 5, &content), EFBIG);
  EXPECT_FALSE(Exists(directory / "mark.new"));
}

TEST(FileTest, OpensNoFolderThroughALink) {
  const TemporaryDirectory directory;
  ASSERT_EQ(symlink("/", (directory / "link").c_str()), 0);
  EXPECT_FALSE(OpenFolder(AT_FDCWD, (directory / "link").c_str()));
}

TEST(FileTest, RemovesATreeWithoutFollowingLinks) {
  const TemporaryDirectory directory;
  ASSERT_EQ(mkdir((directory / "keep").c_str(), 0777), 0);
  WriteTestFile(directory / "keep/file", "kept");
  ASSERT_EQ(mkdir((directory / "tree").c_str(), 0777), 0);
  ASSERT_EQ(mkdir((directory / "tree/empty").c_str(), 0777), 0);
  ASSERT_EQ(mkdir((directory / "tree/full").c_str(), 0777), 0);
  WriteTestFile(directory / "tree/full/file", "gone");
  ASSERT_EQ(symlink("../../keep", (directory / "tree/full/link").c_str()), 0);
  const FileDescriptor folder = OpenFolder(AT_FDCWD, directory.path().c_str());
  EXPECT_EQ(RemoveTree(folder.get(), "tree"), 0);
  EXPECT_FALSE(Exists(directory / "tree"));
  EXPECT_EQ(ReadTestFile(directory / "keep/file"), "kept");
  EXPECT_EQ(RemoveTree(folder.get(), "tree"), 0) << "nothing there is fine";
}

TEST(FileTest, RemovesATreeDeeperThanTheDescriptorsThatAProcessHas) {
  const TemporaryDirectory directory;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  {
    FileDescriptor here = OpenFolder(AT_FDCWD, directory.path().c_str());
    for (int depth = 0; depth < 600; ++depth) {
      ASSERT_EQ(mkdirat(here.get(), "a", 0777), 0);
      ASSERT_EQ(mkdirat(here.get(), "b", 0777), 0);
      here = OpenFolder(here.get(), "a");
      ASSERT_TRUE(here);
    }
    const FileDescriptor folder = OpenFolder(AT_FDCWD, directory.path().c_str());
    EXPECT_EQ(RemoveTree(folder.get(), "a"), 0);
  }
  EXPECT_FALSE(Exists(directory / "a"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace chainstore
