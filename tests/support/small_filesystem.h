// A file system of a few MiB that a test fills and empties: what a full disk does. It takes root.
#pragma once

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file.h"
#include "support/temporary_directory.h"

namespace chainstore {

class SmallFilesystem {
 public:
  explicit SmallFilesystem(const std::string& size)
      : mounted_(mount("none", folder_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {
  }
  ~SmallFilesystem() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }

  // False: this user may not mount one; say so with GTEST_SKIP.
  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return folder_ / name; }

  // Takes what is left.
  void Fill() {
    const FileDescriptor ballast(
        open(BallastPath().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ASSERT_TRUE(ballast);
    // Whole pages first, then what a page's rest takes.
    for (const size_t step : {size_t{65536}, size_t{4096}, size_t{1}}) {
      int error = 0;
      while (error == 0) error = WriteAll(ballast.get(), std::string(step, 'b'));
      ASSERT_EQ(error, ENOSPC);
    }
  }
  void MakeRoom() { ASSERT_EQ(unlink(BallastPath().c_str()), 0); }
  bool MakeReadOnly() {
    return mount("none", folder_.path().c_str(), "", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

 private:
  std::string BallastPath() const { return folder_ / "ballast"; }

  const TemporaryDirectory folder_;
  const bool mounted_;
};

}  // namespace chainstore
