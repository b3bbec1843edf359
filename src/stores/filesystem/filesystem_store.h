// FilesystemStore: one file per key below a directory; the file's content is exactly the value.
// Keys become paths as key_path.h says; expiry, version and checksum are in an extended attribute
// as file_mark.h says. A put writes a temporary file in `.chainstore/tmp` and renames it, so that a
// reader, a crash or a full disk meets the old value or the new one, whole.
//
// durability=full: a write is on disk when it is acknowledged: file, folder, and every folder made.
// durability=cache: nothing is synced; see owned_directory.h for what a crash of the machine does.
// Whole reads verify the checksum (verify=on), ranges and stat cannot. On a file system without
// extended attributes there are no checksums, and a time to live is refused.
// One process at a time; other programs may read the files, and change them while the store is
// closed (or open, at the price that a torn write of theirs can be read).
// Expired files are misses; they are removed by a put or a del of their key.
// Thread safety: as Store.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "core/blocking_store.h"
#include "core/option.h"
#include "stores/filesystem/file_reader.h"
#include "stores/filesystem/file_tree.h"
#include "stores/owned_directory.h"

namespace chainstore {

inline constexpr OptionSpec kFilesystemOptions[] = {
    {"durability", OptionSpec::Type::kChoice, "full",
     "full: a write survives power loss once acknowledged; cache: it survives a killed process, "
     "and "
     "the directory is emptied after a crash of the machine",
     "full|cache"},
    {"verify", OptionSpec::Type::kChoice, "on",
     "whether reads of whole values check their checksum", "on|off"},
    {"max_value_size", OptionSpec::Type::kSize, "0",
     "the largest value that is taken; 0: what the file system takes", ""},
};

Result<Ref<Store>> NewFilesystemStore(std::string_view directory, const Options* options);

class FilesystemStore final : public BlockingStore {
 public:
  struct Settings {
    bool durable = true;
    bool verify = true;
    bool has_marks = true;
    uint64_t max_value_size = UINT64_MAX;
    uint64_t block_size = 4096;
  };
  // `directory` is open, `temporary` its empty folder for temporary files. NewFilesystemStore makes
  // both ready.
  FilesystemStore(Ref<Runtime> runtime, std::unique_ptr<OwnedDirectory> directory,
                  FileDescriptor temporary, const Settings& settings);

  uint32_t caps() const noexcept override;
  Limits limits() const noexcept override;
  std::string directory() const override { return directory_->path(); }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override;

 protected:
  Answer GetHere(const Key& key, const Read& read, const Call& call) noexcept override;
  Receipt PutHere(const Key& key, const Payload& payload, const Call& call) noexcept override;
  Receipt DelHere(const Key& key, const Call& call) noexcept override;
  Page ScanHere(const Range& range, const Call& call) noexcept override;
  Status CloseHere(const Call& call) noexcept override;

 private:
  Status CheckKey(const Key& key, const char* operation) const;
  Status CheckWritable(const Key& key, const char* operation) const;
  Status CheckPut(const Key& key, const Payload& payload) const;
  // Writes the temporary file `*name`: 0 or an errno, *what says what failed.
  int WriteTemporary(const Payload& payload, const Meta& meta, std::string* name,
                     const char** what);
  Status StatusOf(const FoundFile& found, const Key& key, const char* operation) const;
  Status FailErrno(int error, const char* operation, const char* what, const Key& key) const;
  uint64_t NextVersion() noexcept;

  const std::unique_ptr<OwnedDirectory> directory_;
  const FileDescriptor temporary_;
  const Settings settings_;
  FileTree tree_;
  const FileReader reader_;
  std::atomic<uint64_t> last_version_{0};
};

}  // namespace chainstore
