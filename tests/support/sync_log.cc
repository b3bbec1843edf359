#include "support/sync_log.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "base/mutex.h"
#include "support/file_faults.h"

namespace chainstore {
namespace {

struct Heard {
  Mutex mutex;
  bool listening CS_GUARDED_BY(mutex) = false;
  std::vector<std::string> paths CS_GUARDED_BY(mutex);
};
Heard& TheHeard() {
  static auto* heard = new Heard;
  return *heard;
}

void Note(int fd) {
  char path[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), path, sizeof path);
  Heard& heard = TheHeard();
  MutexLock lock(heard.mutex);
  if (heard.listening && size > 0) heard.paths.emplace_back(path, static_cast<size_t>(size));
}

}  // namespace

SyncLog::SyncLog() {
  MutexLock lock(TheHeard().mutex);
  TheHeard().listening = true;
}

SyncLog::~SyncLog() {
  MutexLock lock(TheHeard().mutex);
  TheHeard().listening = false;
  TheHeard().paths.clear();
}

std::vector<std::string> SyncLog::Take() {
  MutexLock lock(TheHeard().mutex);
  return std::exchange(TheHeard().paths, {});
}

}  // namespace chainstore

extern "C" int fsync(int fd) {
  chainstore::Note(fd);
  const int error = chainstore::FileFaults::SyncError(fd);
  if (error == 0) return static_cast<int>(syscall(SYS_fsync, fd));
  errno = error;
  return -1;
}

extern "C" int fdatasync(int fd) {
  chainstore::Note(fd);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
