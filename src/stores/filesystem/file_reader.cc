#include "stores/filesystem/file_reader.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "stores/filesystem/file_mark.h"

namespace chainstore {
namespace {

using Outcome = FoundFile::Outcome;

// What is read before the size is known: most values need no fstat then. Small enough for any
// thread's stack.
constexpr size_t kFirstRead = 16384;
// What a mark may claim and be believed before the bytes are there.
constexpr uint64_t kMostMarked = 1 << 20;

FoundFile Ended(Outcome outcome) {
  FoundFile found;
  found.outcome = outcome;
  return found;
}

FoundFile Failed(int error) {
  FoundFile found;
  found.outcome = error == ENOENT ? Outcome::kMissing : Outcome::kFailed;
  found.error = error;
  return found;
}

// Fewer bytes than asked are the end of the file. -1: errno.
ssize_t ReadFully(int file, char* to, size_t size, uint64_t offset) noexcept {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(file, to + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

int StatRegular(int file, struct stat* info) noexcept {
  if (fstat(file, info) != 0) return errno;
  return S_ISREG(info->st_mode) ? 0 : ELOOP;
}

bool IsExpired(const FileMark& mark, int64_t now_ms) noexcept {
  return mark.expires_at_ms != 0 && mark.expires_at_ms <= now_ms;
}

}  // namespace

FoundFile FileReader::Read(const KeyPath& path, const chainstore::Read& read,
                           int64_t now_ms) const noexcept {
  FileDescriptor file;
  if (const int error = tree_.Open(path, &file); error != 0) return Failed(error);
  try {
    return read.what == chainstore::Read::What::kWhole ? ReadWhole(std::move(file), now_ms)
                                                       : ReadPart(std::move(file), read, now_ms);
  } catch (const std::bad_alloc&) {
    return Ended(Outcome::kNoMemory);
  }
}

// The usual file, in two calls: its mark tells the size, and its checksum proves that these bytes
// are all of it. Nothing, where it does not: the file is read without it then.
std::optional<FoundFile> FileReader::ReadMarked(const FileDescriptor& file, int64_t now_ms) const {
  char stored[kMarkSize];
  size_t stored_size;
  FileMark mark;
  uint32_t checksum;
  if (!verify_ || ReadMark(file.get(), stored, &stored_size) != 0 ||
      !mark.Decode(Bytes(stored, stored_size), &checksum) || mark.size > kMostMarked) {
    return std::nullopt;
  }
  FoundFile found;
  char* data;
  found.value = Value::Allocate(mark.size, &data);
  char beyond;  // another program may have appended to what is marked
  const iovec parts[2] = {{data, mark.size}, {&beyond, 1}};
  if (preadv(file.get(), parts, 2, 0) != static_cast<ssize_t>(mark.size) ||
      FileMark::ChecksumOf(Bytes(stored, kMarkSize), found.value->bytes()) != checksum) {
    return std::nullopt;
  }
  if (IsExpired(mark, now_ms)) return Ended(Outcome::kExpired);
  found.meta = {mark.size, mark.expires_at_ms, mark.version};
  return found;
}

FoundFile FileReader::ReadWhole(FileDescriptor file, int64_t now_ms) const {
  if (std::optional<FoundFile> found = ReadMarked(file, now_ms)) return std::move(*found);
  char first[kFirstRead];
  ssize_t got = ReadFully(file.get(), first, kFirstRead, 0);
  if (got < 0 && errno == EISDIR) {
    if (const int error = tree_.OpenOwnFile(&file); error != 0) return Failed(error);
    got = ReadFully(file.get(), first, kFirstRead, 0);
  }
  struct stat info;
  if (got < 0) {
    const int error = errno;
    const int special = StatRegular(file.get(), &info);
    return Failed(special != 0 ? special : error);
  }
  FoundFile found;
  const auto first_size = static_cast<size_t>(got);
  if (first_size < kFirstRead) {
    found.value = Value::Copy(Bytes(first, first_size));
  } else {
    if (const int error = StatRegular(file.get(), &info); error != 0) return Failed(error);
    const size_t size = std::max(first_size, static_cast<size_t>(info.st_size));
    char* data;
    found.value = Value::Allocate(size, &data);
    memcpy(data, first, first_size);
    got = ReadFully(file.get(), data + first_size, size - first_size, first_size);
    if (got < 0) return Failed(errno);
    // Cut meanwhile, by another program.
    const size_t whole = first_size + static_cast<size_t>(got);
    if (whole < size) found.value = Value::Copy(found.value->bytes().substr(0, whole));
  }
  found.meta.total_size = found.value->size();

  char stored[kMarkSize];
  size_t stored_size;
  if (const int error = ReadMark(file.get(), stored, &stored_size); error != 0) {
    return Failed(error);
  }
  FileMark mark;
  uint32_t checksum;
  const bool marked = mark.Decode(Bytes(stored, stored_size), &checksum);
  if (marked) {
    if (IsExpired(mark, now_ms)) return Ended(Outcome::kExpired);
    found.meta.expires_at_ms = mark.expires_at_ms;
    found.meta.version = mark.version;
    if (verify_ &&
        FileMark::ChecksumOf(Bytes(stored, kMarkSize), found.value->bytes()) == checksum) {
      return found;
    }
  }
  if (const int error = StatRegular(file.get(), &info); error != 0) return Failed(error);
  if (marked && mark.IsOf(info)) {
    if (verify_) return Ended(Outcome::kCorrupt);
  } else {
    found.meta.version = VersionOf(info);
  }
  return found;
}

FoundFile FileReader::ReadPart(FileDescriptor file, const chainstore::Read& read,
                               int64_t now_ms) const {
  struct stat info;
  if (fstat(file.get(), &info) != 0) return Failed(errno);
  if (S_ISDIR(info.st_mode)) {
    if (const int error = tree_.OpenOwnFile(&file); error != 0) return Failed(error);
    if (fstat(file.get(), &info) != 0) return Failed(errno);
  }
  if (!S_ISREG(info.st_mode)) return Failed(ELOOP);
  char stored[kMarkSize];
  size_t stored_size;
  if (const int error = ReadMark(file.get(), stored, &stored_size); error != 0) {
    return Failed(error);
  }
  FoundFile found;
  FileMark mark;
  uint32_t checksum;
  const bool marked = mark.Decode(Bytes(stored, stored_size), &checksum);
  if (marked && IsExpired(mark, now_ms)) return Ended(Outcome::kExpired);
  const auto size = static_cast<uint64_t>(info.st_size);
  found.meta.total_size = size;
  found.meta.expires_at_ms = marked ? mark.expires_at_ms : 0;
  found.meta.version = marked && mark.IsOf(info) ? mark.version : VersionOf(info);
  if (read.what == chainstore::Read::What::kStat) return found;
  const size_t offset = read.Offset(size);
  const size_t length = read.Length(size);
  char* data;
  found.value = Value::Allocate(length, &data);
  const ssize_t got = ReadFully(file.get(), data, length, offset);
  if (got < 0) return Failed(errno);
  if (static_cast<size_t>(got) < length) {
    found.value = Value::Copy(Bytes(data, static_cast<size_t>(got)));
  }
  return found;
}

}  // namespace chainstore
