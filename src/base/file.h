// FileDescriptor, and the few file operations that several parts need: everything relative to a
// directory's descriptor, so that no symbolic link is followed that is not meant.
// Thread safety: none; a descriptor object is used by one thread at a time.
// The functions return 0 or an errno.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/function.h"

namespace chainstore {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { Close(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int Release() noexcept { return std::exchange(fd_, -1); }
  void Close() noexcept;

 private:
  int fd_ = -1;
};

// The folder `name` itself, never what a link points to. Not open: errno says why.
FileDescriptor OpenFolder(int directory, const char* name) noexcept;

int WriteAll(int fd, Bytes bytes) noexcept;

// A file of at most `max_size` bytes (more: EFBIG).
int ReadSmallFile(int directory, const char* name, size_t max_size, std::string* out);

// Replaces the file `name` so that a crash leaves the old content or the new one, and the new one
// is on disk when this returns. For marks: it goes through the one name `NAME.new`.
int ReplaceFile(int directory, const std::string& name, Bytes content);

// Calls `each` with the name of every entry but "." and ".." until it returns false. `type` is
// dirent's d_type.
int ForEachEntry(int directory, UniqueFunction<bool(const char* name, unsigned char type)> each);

// Removes a file, or a folder with all that is in it, however deep, with a bounded number of
// descriptors and without following links. OK if there is none.
int RemoveTree(int directory, const std::string& name);

}  // namespace chainstore
