// FileMark: what a filesystem store keeps of an entry beside its bytes, in the extended attribute
// `user.chainstore` of the file:
//
//   offset  bytes (all little-endian)
//        0      1  format: 1
//        1      1  flags: 0
//        2      6  expiry: Unix time in ms; 0: never
//        8      8  version
//       16      8  size of the file
//       24      8  mtime of the file, in ns
//       32      4  CRC32C of bytes 0 to 31, then of the content
//
// A file that another program has changed has another size or mtime: its checksum and version say
// nothing any more, so it counts as a plain file (its version is made of its mtime). Its expiry
// stays: it is the file's, until it is put anew. A file without the attribute, or with one that is
// not of this form, is a plain file, too.
// Readable for ever: a newer format gets a new first byte.
// Thread safety: none needed.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "base/bytes.h"
#include "core/answer.h"

namespace chainstore {

inline constexpr char kMarkAttribute[] = "user.chainstore";
inline constexpr size_t kMarkSize = 36;

struct FileMark {
  int64_t expires_at_ms = 0;
  uint64_t version = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;

  void Encode(Bytes content, char* out) const noexcept;  // kMarkSize bytes
  // False: no mark of this form.
  bool Decode(Bytes stored, uint32_t* checksum) noexcept;
  // `stored` is the mark as it was read.
  static uint32_t ChecksumOf(Bytes stored, Bytes content) noexcept;
  bool IsOf(const struct stat& info) const noexcept;
};

int64_t MtimeNs(const struct stat& info) noexcept;
// The version of a plain file.
uint64_t VersionOf(const struct stat& info) noexcept;

// Reads or writes the mark of an open file; an errno, ENOTSUP if the file system has none.
// `*size` is 0 if there is no mark.
int ReadMark(int file, char* out, size_t* size) noexcept;
int WriteMark(int file, const char* mark) noexcept;

}  // namespace chainstore
