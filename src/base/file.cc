#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace chainstore {

void FileDescriptor::Close() noexcept {
  // Not repeated on EINTR: Linux has closed it by then, and the number may be another's already.
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

FileDescriptor OpenFolder(int directory, const char* name) noexcept {
  return FileDescriptor(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

int WriteAll(int fd, Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int ReadSmallFile(int directory, const char* name, size_t max_size, std::string* out) {
  const FileDescriptor file(openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno;
  out->resize(max_size + 1);
  size_t size = 0;
  while (size < out->size()) {
    const ssize_t got = read(file.get(), out->data() + size, out->size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > max_size) return EFBIG;
  out->resize(size);
  return 0;
}

int ReplaceFile(int directory, const std::string& name, Bytes content) {
  const std::string fresh = name + ".new";
  const FileDescriptor file(openat(directory, fresh.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) return errno;
  if (const int error = WriteAll(file.get(), content); error != 0) return error;
  if (fsync(file.get()) != 0) return errno;
  if (renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) return errno;
  return fsync(directory) == 0 ? 0 : errno;
}

int ForEachEntry(int directory, UniqueFunction<bool(const char* name, unsigned char type)> each) {
  // Opened anew: a duplicate would share the position with every other listing.
  FileDescriptor listing = OpenFolder(directory, ".");
  if (!listing) return errno;
  DIR* stream = fdopendir(listing.get());
  if (stream == nullptr) return errno;
  (void)listing.Release();  // the stream's now
  int error = 0;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream);
    if (entry == nullptr) {
      error = errno;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (!each(entry->d_name, entry->d_type)) break;
  }
  closedir(stream);
  return error;
}

namespace {

struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

bool Identify(int fd, Identity* out) noexcept {
  struct stat info;
  if (fstatat(fd, "", &info, AT_EMPTY_PATH) != 0) return false;  // fd may be AT_FDCWD
  *out = {info.st_dev, info.st_ino};
  return true;
}

// Removes what a single call can remove; the first folder that is not empty goes to *rest.
int RemoveEntries(int folder, std::string* rest) {
  int failed = 0;
  const int error = ForEachEntry(folder, [&](const char* name, unsigned char) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return true;
    // A folder is EISDIR on Linux and EPERM by POSIX.
    failed = errno;
    if (failed != EISDIR && failed != EPERM) return false;
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
      failed = 0;
      return true;
    }
    if (errno == ENOTEMPTY || errno == EEXIST) {
      failed = 0;
      *rest = name;
    } else if (errno != ENOTDIR) {
      failed = errno;
    }
    return false;
  });
  return error != 0 ? error : failed;
}

}  // namespace

int RemoveTree(int directory, const std::string& name) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return errno;
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  if (errno != ENOTEMPTY && errno != EEXIST) return errno;
  // The way back up is "..": only the names of the levels are kept, and who each parent must be,
  // in case somebody moves folders about meanwhile.
  struct Level {
    std::string name;
    Identity parent;
  };
  Level top{name, {}};
  if (!Identify(directory, &top.parent)) return errno;
  FileDescriptor here = OpenFolder(directory, name.c_str());
  if (!here) return errno;
  std::vector<Level> levels;
  levels.push_back(std::move(top));
  while (!levels.empty()) {
    std::string rest;
    if (const int error = RemoveEntries(here.get(), &rest); error != 0) return error;
    if (!rest.empty()) {
      Level level{rest, {}};
      if (!Identify(here.get(), &level.parent)) return errno;
      FileDescriptor below = OpenFolder(here.get(), rest.c_str());
      if (!below) return errno;
      here = std::move(below);
      levels.push_back(std::move(level));
      continue;
    }
    FileDescriptor up =
        levels.size() == 1 ? OpenFolder(directory, ".") : OpenFolder(here.get(), "..");
    Identity parent;
    if (!up || !Identify(up.get(), &parent)) return errno;
    if (!(parent == levels.back().parent)) return ESTALE;
    if (unlinkat(up.get(), levels.back().name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
      return errno;
    }
    here = std::move(up);
    levels.pop_back();
  }
  return 0;
}

}  // namespace chainstore
