#include "stores/filesystem/file_mark.h"

#include <sys/xattr.h>

#include <cerrno>

#include "base/checksum.h"

namespace chainstore {
namespace {

constexpr char kFormat = 1;
constexpr size_t kChecksumOffset = 32;

void PutLittleEndian(char* at, size_t size, uint64_t number) noexcept {
  for (size_t i = 0; i < size; ++i) at[i] = static_cast<char>(number >> (8 * i));
}

uint64_t GetLittleEndian(const char* at, size_t size) noexcept {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    number |= uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  return number;
}

}  // namespace

uint32_t FileMark::ChecksumOf(Bytes stored, Bytes content) noexcept {
  return Crc32c(content, Crc32c(stored.substr(0, kChecksumOffset)));
}

void FileMark::Encode(Bytes content, char* out) const noexcept {
  out[0] = kFormat;
  out[1] = 0;
  PutLittleEndian(out + 2, 6, static_cast<uint64_t>(expires_at_ms));
  PutLittleEndian(out + 8, 8, version);
  PutLittleEndian(out + 16, 8, size);
  PutLittleEndian(out + 24, 8, static_cast<uint64_t>(mtime_ns));
  PutLittleEndian(out + kChecksumOffset, 4, ChecksumOf(Bytes(out, kMarkSize), content));
}

bool FileMark::Decode(Bytes stored, uint32_t* checksum) noexcept {
  if (stored.size() != kMarkSize || stored[0] != kFormat || stored[1] != 0) return false;
  expires_at_ms = static_cast<int64_t>(GetLittleEndian(stored.data() + 2, 6));
  version = GetLittleEndian(stored.data() + 8, 8);
  size = GetLittleEndian(stored.data() + 16, 8);
  mtime_ns = static_cast<int64_t>(GetLittleEndian(stored.data() + 24, 8));
  *checksum = static_cast<uint32_t>(GetLittleEndian(stored.data() + kChecksumOffset, 4));
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
