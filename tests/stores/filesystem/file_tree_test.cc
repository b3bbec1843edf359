#include "stores/filesystem/file_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_directory.h"

namespace chainstore {
namespace {

// Both ways to a file: the kernel's openat2, and name by name where it has none.
class FileTreeTest : public ::testing::TestWithParam<bool> {
 protected:
  FileTreeTest() {
    EXPECT_EQ(mkdir((temporary_ / "root").c_str(), 0777), 0);
    EXPECT_EQ(mkdir((temporary_ / "tmp").c_str(), 0777), 0);
    root_ = OpenFolder(AT_FDCWD, (temporary_ / "root").c_str());
    unfinished_ = OpenFolder(AT_FDCWD, (temporary_ / "tmp").c_str());
    tree_ = std::make_unique<FileTree>(root_.get(), unfinished_.get(), false);
    if (GetParam()) tree_->WalkByName();
  }
  int Place(Bytes key, Bytes content, bool replace = true) {
    const std::string name = tree_->TemporaryName();
    WriteTestFile(temporary_ / ("tmp/" + name), content);
    const int error = tree_->Place(KeyPath(key), name.c_str(), replace);
    EXPECT_EQ(Exists(temporary_ / ("tmp/" + name)), error != 0);
    return error;
  }
  int Open(Bytes key) {
    FileDescriptor file;
    return tree_->Open(KeyPath(key), &file);
  }

  const TemporaryDirectory temporary_;
  FileDescriptor root_;
  FileDescriptor unfinished_;
  std::unique_ptr<FileTree> tree_;
};
INSTANTIATE_TEST_SUITE_P(OpenAt2AndByName, FileTreeTest, ::testing::Bool());

TEST_P(FileTreeTest, PlacesOpensAndRemoves) {
  EXPECT_EQ(Place("a/b/c", "1"), 0);
  EXPECT_EQ(ReadTestFile(temporary_ / "root/a/b/c"), "1");
  EXPECT_EQ(Open("a/b/c"), 0);
  EXPECT_EQ(Open("a/b/d"), ENOENT);
  EXPECT_EQ(Open("a/x/d"), ENOENT);
  EXPECT_EQ(Open("a/b/c/d"), ENOENT) << "what is below a file is not there";
  EXPECT_EQ(Place("a/b/c", "2", false), EEXIST);
  EXPECT_EQ(Place("a/b/c", "3"), 0);
  EXPECT_EQ(Place("a/b/c/d", "4"), 0);
  EXPECT_EQ(ReadTestFile(temporary_ / "root/a/b/c/%%"), "3");
  EXPECT_EQ(tree_->Remove(KeyPath("a/b/c")), 0);
  EXPECT_EQ(tree_->Remove(KeyPath("a/b/c/d")), 0);
  EXPECT_FALSE(Exists(temporary_ / "root/a"));
  EXPECT_EQ(tree_->Remove(KeyPath("a/b/c/d")), 0);
}

TEST_P(FileTreeTest, FollowsNoLinkOnTheWay) {
  ASSERT_EQ(mkdir((temporary_ / "outside").c_str(), 0777), 0);
  ASSERT_EQ(symlink("../outside", (temporary_ / "root/out").c_str()), 0);
  ASSERT_EQ(mkdir((temporary_ / "root/real").c_str(), 0777), 0);
  ASSERT_EQ(symlink("real", (temporary_ / "root/in").c_str()), 0);
  WriteTestFile(temporary_ / "outside/file", "outside");
  for (const char* key : {"out/file", "in/file", "out/x/y"}) {
    EXPECT_EQ(Open(key), ELOOP) << key;
    EXPECT_EQ(Place(key, "escaped"), ELOOP) << key;
    (void)tree_->Remove(KeyPath(key));
  }
  EXPECT_EQ(Open("out"), ELOOP);
  EXPECT_EQ(ReadTestFile(temporary_ / "outside/file"), "outside");
  FileDescriptor folder;
  EXPECT_NE(tree_->OpenFolder("out", &folder), 0);
  EXPECT_FALSE(folder);
}

TEST_P(FileTreeTest, ReachesTheLongestPathsOfAll) {
  for (const char filler : {'/', '%', 'a'}) {
    const std::string key(kMaxKeySize, filler);
    EXPECT_EQ(Place(key, "deep"), 0) << filler;
    EXPECT_EQ(Open(key), 0) << filler;
    EXPECT_EQ(tree_->Remove(KeyPath(key)), 0) << filler;
    EXPECT_EQ(Open(key), ENOENT) << filler;
  }
}

TEST_P(FileTreeTest, TakesBackTheFoldersOfAFileThatCouldNotBePlaced) {
  const KeyPath path("a/b/c");
  EXPECT_NE(tree_->Place(path, "no-such-file", true), 0);
  tree_->RemoveEmptyFolders(path);
  EXPECT_FALSE(Exists(temporary_ / "root/a"));
}

}  // namespace
}  // namespace chainstore
