// A directory of a test's own, removed with all that is in it.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"
#include "gtest/gtest.h"

namespace chainstore {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : TemporaryDirectory(::testing::TempDir()) {}
  // `parent` ends with a slash.
  explicit TemporaryDirectory(const std::string& parent) : path_(parent + "chainstore-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  // In memory where the system has such a place, for tests that make thousands of files.
  static std::string Fast() {
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : ::testing::TempDir();
  }
  ~TemporaryDirectory() { EXPECT_EQ(RemoveTree(AT_FDCWD, path_), 0) << path_; }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

inline void WriteTestFile(const std::string& path, Bytes content) {
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  ASSERT_TRUE(file) << path;
  ASSERT_EQ(WriteAll(file.get(), content), 0) << path;
}

inline std::string ReadTestFile(const std::string& path) {
  std::string content;
  EXPECT_EQ(ReadSmallFile(AT_FDCWD, path.c_str(), size_t{64} << 20, &content), 0) << path;
  return content;
}

}  // namespace chainstore
