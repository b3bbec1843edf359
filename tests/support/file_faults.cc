#include "support/file_faults.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chainstore {
namespace {

std::atomic<FileFaults*> present{nullptr};

}  // namespace

FileFaults::FileFaults() { present.store(this); }
FileFaults::~FileFaults() { present.store(nullptr); }

int FileFaults::SyncError(int fd) {
  FileFaults* const faults = present.load();
  return faults != nullptr ? faults->OnSync(fd) : 0;
}

int FileFaults::OnSync(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return 0;
  const bool folder = S_ISDIR(info.st_mode);
  ++(folder ? folder_syncs_ : file_syncs_);
  std::atomic<int>& failing = folder ? failing_folder_syncs_ : failing_file_syncs_;
  if (failing.load() <= 0) return 0;
  --failing;
  return EIO;
}

int FileFaults::OnRename(unsigned flags) const {
  return (flags & refused_rename_flags_.load()) != 0 ? EINVAL : 0;
}

}  // namespace chainstore

extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                         unsigned flags) noexcept {
  chainstore::FileFaults* const faults = chainstore::present.load();
  const int error = faults != nullptr ? faults->OnRename(flags) : 0;
  if (error == 0) {
    return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  }
  errno = error;
  return -1;
}
