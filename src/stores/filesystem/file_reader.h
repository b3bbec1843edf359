// FileReader: reads an entry (the whole, a range, or what is known of it) from a FileTree, and
// tells by its mark whether it is alive and intact. Thread safety: any thread.
#pragma once

#include <optional>

#include "core/answer.h"
#include "core/request.h"
#include "stores/filesystem/file_tree.h"

namespace chainstore {

struct FoundFile {
  enum class Outcome : uint8_t {
    kFound,
    kMissing,
    kExpired,
    kCorrupt,   // the checksum of a whole read does not match
    kFailed,    // `error` is an errno; ELOOP: what is there is no regular file
    kNoMemory,  // for the value
  };
  Outcome outcome = Outcome::kFound;
  int error = 0;
  Meta meta;
  Ref<Value> value;  // null for a stat
};

class FileReader {
 public:
  FileReader(const FileTree& tree, bool verify) : tree_(tree), verify_(verify) {}

  FoundFile Read(const KeyPath& path, const chainstore::Read& read, int64_t now_ms) const noexcept;

 private:
  std::optional<FoundFile> ReadMarked(const FileDescriptor& file, int64_t now_ms) const;
  FoundFile ReadWhole(FileDescriptor file, int64_t now_ms) const;
  FoundFile ReadPart(FileDescriptor file, const chainstore::Read& read, int64_t now_ms) const;

  const FileTree& tree_;
  const bool verify_;
};

}  // namespace chainstore
