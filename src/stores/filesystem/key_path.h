// KeyPath: the path, relative to the root of a filesystem store, of the file that holds a key; and
// back. Injective and exact: every key of 1 to 1024 bytes has one path, and a path that is not the
// one of its key belongs to no key.
//
//   - The key is split at '/'. Each part is a name; bytes outside A-Z a-z 0-9 . _ - + = @ , space
//     are %XX (upper case).
//   - An empty part is `%`; `.` is `%2E`, `..` is `%2E%2E`, a first part `.chainstore` is
//     `%2Echainstore`.
//   - A name above 255 bytes is continued in a folder: all pieces but the last end in `%~`. A piece
//     is as long as it can be without cutting an escape.
//   - Where the path is a folder (of other keys), the key's file is `%%` in it.
//
// No path is absolute, has an empty name, `.` or `..`: none leaves the root.
// Thread safety: none needed; a KeyPath is a value.
#pragma once

#include <string>

#include "base/bytes.h"

namespace chainstore {

// The file of a key whose path is a folder.
inline constexpr char kOwnFile[] = "%%";
inline constexpr size_t kMaxNameSize = 255;

class KeyPath {
 public:
  // `key` has 1 to kMaxKeySize bytes.
  explicit KeyPath(Bytes key) noexcept;

  Bytes text() const noexcept { return Bytes(buffer_, size_); }
  const char* c_str() const noexcept { return buffer_; }
  // The last name, and the path of the folder that it is in ("" for the root).
  const char* name() const noexcept { return buffer_ + name_at_; }
  Bytes folder() const noexcept { return Bytes(buffer_, name_at_ == 0 ? 0 : name_at_ - 1); }

 private:
  void AppendPart(Bytes part, bool first) noexcept;
  void Append(Bytes bytes) noexcept;

  // Every byte escaped (3072), a mark and a slash for each of at most 13 pieces, and some room: a
  // key of slashes alone takes less.
  static constexpr size_t kCapacity = 3200;
  size_t size_ = 0;
  size_t name_at_ = 0;
  char buffer_[kCapacity];
};

// What the name of a file or a folder stands for.
enum class NameKind : unsigned char {
  kForeign,  // nothing that is made here
  kPart,     // a whole part of a key, or its last piece
  kPiece,    // a piece of a part that goes on in this folder
  kOwn,      // kOwnFile
};
// Appends the bytes of the key that `name` stands for. That a name is not kForeign does not make a
// path that of a key: DecodePath decides.
NameKind DecodeName(Bytes name, std::string* out);

// The key whose file is at `path` (with or without kOwnFile); false: there is none.
bool DecodePath(Bytes path, std::string* key);

// Whether the file of `key` may be at `path`.
bool IsPathOf(Bytes path, Bytes key);

}  // namespace chainstore
