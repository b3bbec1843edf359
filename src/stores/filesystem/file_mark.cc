#include "stores/filesystem/file_mark.h"

#include <sys/xattr.h>

#include <cerrno>

#include "base/checksum.h"
#include "base/little_endian.h"

namespace chainstore {
namespace {

constexpr char kFormat = 1;
constexpr size_t kChecksumOffset = 32;

}  // namespace

uint32_t FileMark::ChecksumOf(Bytes stored, Bytes content) noexcept {
  return Crc32c(content, Crc32c(stored.substr(0, kChecksumOffset)));
}

void FileMark::Encode(Bytes content, char* out) const noexcept {
  // Format, flags (none) and expiry: the first 8 bytes as one number.
  PutLittleEndian(out, uint64_t{kFormat} | static_cast<uint64_t>(expires_at_ms) << 16);
  PutLittleEndian(out + 8, version);
  PutLittleEndian(out + 16, size);
  PutLittleEndian(out + 24, mtime_ns);
  PutLittleEndian(out + kChecksumOffset, ChecksumOf(Bytes(out, kMarkSize), content));
}

bool FileMark::Decode(Bytes stored, uint32_t* checksum) noexcept {
  if (stored.size() != kMarkSize || stored[0] != kFormat || stored[1] != 0) return false;
  expires_at_ms = static_cast<int64_t>(GetLittleEndian<uint64_t>(stored.data()) >> 16);
  version = GetLittleEndian<uint64_t>(stored.data() + 8);
  size = GetLittleEndian<uint64_t>(stored.data() + 16);
  mtime_ns = GetLittleEndian<int64_t>(stored.data() + 24);
  *checksum = GetLittleEndian<uint32_t>(stored.data() + kChecksumOffset);
  return true;
}

bool FileMark::IsOf(const struct stat& info) const noexcept {
  return size == static_cast<uint64_t>(info.st_size) && mtime_ns == MtimeNs(info);
}

int64_t MtimeNs(const struct stat& info) noexcept {
  return int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

uint64_t VersionOf(const struct stat& info) noexcept {
  // Never 0, which would say that it is not known.
  return (static_cast<uint64_t>(MtimeNs(info)) ^ (static_cast<uint64_t>(info.st_size) << 1)) | 1;
}

int ReadMark(int file, char* out, size_t* size) noexcept {
  const ssize_t got = fgetxattr(file, kMarkAttribute, out, kMarkSize);
  *size = got < 0 ? 0 : static_cast<size_t>(got);
  // A longer attribute is not ours: the file is a plain one.
  if (got >= 0 || errno == ENODATA || errno == ENOTSUP || errno == ERANGE) return 0;
  return errno;
}

int WriteMark(int file, const char* mark) noexcept {
  return fsetxattr(file, kMarkAttribute, mark, kMarkSize, 0) == 0 ? 0 : errno;
}

}  // namespace chainstore
