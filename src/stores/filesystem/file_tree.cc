#include "stores/filesystem/file_tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace chainstore {
namespace {

static_assert(kErrnoNoSwap == EBADE);

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// Not blocking: a FIFO that somebody has put there must not hold us up.
constexpr int kFileFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

int OpenAt2(int directory, const char* path, int flags) noexcept {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd;
  do {
    fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
  return static_cast<int>(fd);
}

// A missing system call, or one that a container's filter forbids.
bool ProbeOpenAt2(int root) noexcept {
  const FileDescriptor probe(OpenAt2(root, ".", kFolderFlags));
  return static_cast<bool>(probe);
}

// S_IFREG, S_IFDIR ...; 0: nothing is there.
mode_t TypeOf(int folder, const char* name) noexcept {
  struct stat info;
  return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_mode & S_IFMT : 0;
}

// What another key's change leaves behind for a moment.
bool IsRace(int error) noexcept {
  return error == ENOENT || error == ENOTDIR || error == EISDIR || error == ENOTEMPTY;
}

}  // namespace

FileTree::FileTree(int root, int temporary, bool durable)
    : root_(root), temporary_(temporary), durable_(durable), has_openat2_(ProbeOpenAt2(root)) {}

std::string FileTree::TemporaryName() {
  char name[24];
  snprintf(name, sizeof name, "%llx",
           static_cast<unsigned long long>(next_name_.fetch_add(1, std::memory_order_relaxed)));
  return name;
}

Mutex& FileTree::StripeOf(Bytes path) noexcept { return stripes_[HashBytes(path) % kStripes]; }

int FileTree::Sync(int folder) noexcept {
  if (!durable_ || fsync(folder) == 0) return 0;
  sync_failed_.store(true, std::memory_order_relaxed);
  return errno;
}

// ---- Opening ----

int FileTree::Walk(const char* path, int flags, FileDescriptor* out) const noexcept {
  FileDescriptor here;
  const char* name = path;
  for (;;) {
    const char* slash = strchr(name, '/');
    const int at = here ? here.get() : root_;
    if (slash == nullptr) {
      *out = FileDescriptor(openat(at, name, flags));
      return *out ? 0 : errno;
    }
    char part[kMaxNameSize + 1];
    const auto size = static_cast<size_t>(slash - name);
    if (size > kMaxNameSize) return ENAMETOOLONG;
    memcpy(part, name, size);
    part[size] = '\0';
    FileDescriptor next(openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      const int error = errno;
      return error == ENOTDIR && TypeOf(at, part) == S_IFLNK ? ELOOP : error;
    }
    here = std::move(next);
    name = slash + 1;
  }
}

int FileTree::OpenBelow(const char* path, int flags, FileDescriptor* out) const noexcept {
  // One name has no folder on its way that could be a link.
  if (!has_openat2_ || strchr(path, '/') == nullptr) return Walk(path, flags, out);
  *out = FileDescriptor(OpenAt2(root_, path, flags));
  return *out ? 0 : errno;
}

int FileTree::Open(const KeyPath& path, FileDescriptor* file) const noexcept {
  const int error = OpenBelow(path.c_str(), kFileFlags, file);
  // A file on the way to it: there is no folder, and nothing in it.
  return error == ENOTDIR ? ENOENT : error;
}

int FileTree::OpenOwnFile(FileDescriptor* folder) const noexcept {
  *folder = FileDescriptor(openat(folder->get(), kOwnFile, kFileFlags));
  return *folder ? 0 : errno;
}

int FileTree::OpenFolder(Bytes path, FileDescriptor* folder) const {
  if (path.empty()) {
    *folder = FileDescriptor(openat(root_, ".", kFolderFlags));
    return *folder ? 0 : errno;
  }
  const std::string text(path);
  const int error = OpenBelow(text.c_str(), kFolderFlags, folder);
  return error == ENOTDIR ? ENOENT : error;
}

int FileTree::OpenParent(const KeyPath& path, Folder* parent) const {
  if (path.folder().empty()) {
    parent->Borrow(root_);
    return 0;
  }
  const std::string folder(path.folder());
  return OpenBelow(folder.c_str(), kFolderFlags, &parent->own());
}

// ---- Making folders ----

int FileTree::MakeParent(const KeyPath& path, Folder* parent) {
  const int error = OpenParent(path, parent);
  if (error != ENOENT && error != ENOTDIR) return error;
  const Bytes folder = path.folder();
  Folder here;
  here.Borrow(root_);
  for (size_t begin = 0; begin < folder.size();) {
    const size_t end = std::min(folder.find('/', begin), folder.size());
    const std::string name(folder.substr(begin, end - begin));
    FileDescriptor next(openat(here.fd(), name.c_str(), kFolderFlags));
    if (!next && (errno == ENOENT || errno == ENOTDIR)) {
      const int failed = errno == ENOENT
                             ? MakeFolderIn(here.fd(), name.c_str())
                             : SwapIntoFolder(here.fd(), name.c_str(), folder.substr(0, end));
      if (failed != 0) return failed;
      next = FileDescriptor(openat(here.fd(), name.c_str(), kFolderFlags));
    }
    if (!next) return errno;
    here.own() = std::move(next);
    begin = end + 1;
  }
  *parent = std::move(here);
  return 0;
}

int FileTree::MakeFolderIn(int parent, const char* name) {
  if (!durable_) return mkdirat(parent, name, 0777) == 0 || errno == EEXIST ? 0 : errno;
  makers_.fetch_add(1);
  int error = 0;
  {
    MutexLock lock(making_);
    if (mkdirat(parent, name, 0777) == 0) {
      error = Sync(parent);
    } else if (errno != EEXIST) {
      error = errno;
    }
  }
  makers_.fetch_sub(1);
  return error;
}

int FileTree::SwapIntoFolder(int parent, const char* name, Bytes path) {
  const std::string made = TemporaryName();
  if (mkdirat(temporary_, made.c_str(), 0777) != 0) return errno;
  const FileDescriptor folder(openat(temporary_, made.c_str(), kFolderFlags));
  int error = folder ? 0 : errno;
  if (error == 0) {
    MutexLock lock(StripeOf(path));
    const mode_t type = TypeOf(parent, name);
    if (type == S_IFREG) {
      error = Swap(parent, name, made.c_str(), folder.get());
    } else if (type != S_IFDIR && type != 0) {
      error = ELOOP;  // a folder, or nothing: another put or del was quicker
    }
  }
  (void)RemoveTree(temporary_, made);
  return error;
}

int FileTree::Swap(int parent, const char* name, const char* made, int folder) noexcept {
  if (linkat(parent, name, folder, kOwnFile, 0) != 0) {
    return errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK ? kErrnoNoSwap : errno;
  }
  if (const int error = Sync(folder); error != 0) return error;
  if (renameat2(temporary_, made, parent, name, RENAME_EXCHANGE) != 0) {
    return errno == EINVAL || errno == ENOSYS || errno == EXDEV ? kErrnoNoSwap : errno;
  }
  // The file has its new name on disk before the old one goes.
  return Sync(parent);
}

// ---- Changing ----

int FileTree::Place(const KeyPath& path, const char* name, bool replace) {
  for (int attempt = 0;; ++attempt) {
    int error;
    if (attempt < kPatience) {
      error = TryPlace(path, name, replace);
    } else {
      MutexLock lock(folders_);
      error = TryPlace(path, name, replace);
    }
    if (error == 0 && makers_.load() != 0) MutexLock wait(making_);
    if (error == 0 || !IsRace(error) || attempt >= kMaxAttempts) return error;
  }
}

int FileTree::TryPlace(const KeyPath& path, const char* name, bool replace) {
  Folder parent;
  if (const int error = MakeParent(path, &parent); error != 0) return error;
  MutexLock lock(StripeOf(path.text()));
  int error = Move(name, parent.fd(), path.name(), replace);
  if (error == 0) {
    lock.Unlock();
    return Sync(parent.fd());
  }
  if (error != EISDIR && !(error == EEXIST && TypeOf(parent.fd(), path.name()) == S_IFDIR)) {
    return error;
  }
  const FileDescriptor folder(openat(parent.fd(), path.name(), kFolderFlags));
  if (!folder) return errno;
  error = Move(name, folder.get(), kOwnFile, replace);
  lock.Unlock();
  return error == 0 ? Sync(folder.get()) : error;
}

int FileTree::Move(const char* name, int folder, const char* to, bool replace) const noexcept {
  if (replace) return renameat(temporary_, name, folder, to) == 0 ? 0 : errno;
  if (renameat2(temporary_, name, folder, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (linkat(temporary_, name, folder, to, 0) != 0) return errno;
  (void)unlinkat(temporary_, name, 0);
  return 0;
}

int FileTree::Remove(const KeyPath& path) {
  bool own_file = false;
  bool removed = false;
  const int error = RemoveFile(path, &own_file, &removed);
  if (error != 0 || !removed) return error;
  return RemoveEmptyFolders(own_file ? path.text() : path.folder());
}

int FileTree::RemoveFile(const KeyPath& path, bool* own_file, bool* removed) {
  Folder parent;
  int error = OpenParent(path, &parent);
  if (error == ENOENT || error == ENOTDIR) return 0;
  if (error != 0) return error;
  MutexLock lock(StripeOf(path.text()));
  error = unlinkat(parent.fd(), path.name(), 0) == 0 ? 0 : errno;
  if (error == EISDIR || (error == EPERM && TypeOf(parent.fd(), path.name()) == S_IFDIR)) {
    const FileDescriptor folder(openat(parent.fd(), path.name(), kFolderFlags));
    error = folder && unlinkat(folder.get(), kOwnFile, 0) == 0 ? 0 : errno;
    *own_file = true;
  }
  *removed = error == 0;
  return error == ENOENT ? 0 : error;
}

// The first folder that stays is synced: what went with the others is gone with them.
int FileTree::RemoveEmptyFolders(Bytes path) {
  const auto above = [](Bytes folder) {
    const size_t slash = folder.rfind('/');
    return slash == Bytes::npos ? Bytes() : folder.substr(0, slash);
  };
  {
    MutexLock lock(folders_);
    for (; !path.empty(); path = above(path)) {
      const Bytes parent_path = above(path);
      const std::string name(path.substr(parent_path.empty() ? 0 : parent_path.size() + 1));
      FileDescriptor parent;
      if (OpenFolder(parent_path, &parent) != 0) break;
      if (unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0) break;
    }
  }
  if (!durable_) return 0;
  for (;; path = above(path)) {
    FileDescriptor folder;
    const int error = OpenFolder(path, &folder);
    if (error == 0) return Sync(folder.get());
    // Removed by another del in the same moment: what stays is further up.
    if (error != ENOENT || path.empty()) return error;
  }
}

}  // namespace chainstore
