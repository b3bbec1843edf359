// File operations that fail or are watched: this program's fsync and renameat2 are ours, and do
// what the C library's do unless a test says otherwise. Thread safety: any thread; one FileFaults
// at a time.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace chainstore {

class FileFaults {
 public:
  FileFaults();
  ~FileFaults();
  FileFaults(const FileFaults&) = delete;
  FileFaults& operator=(const FileFaults&) = delete;

  // The next `count` calls of fsync on a file (or on a folder) fail with EIO.
  void FailFileSyncs(int count) { failing_file_syncs_ = count; }
  void FailFolderSyncs(int count) { failing_folder_syncs_ = count; }
  // renameat2 with these flags is EINVAL, as on a file system that does not know them.
  void RefuseRenameFlags(unsigned flags) { refused_rename_flags_ = flags; }

  int file_syncs() const { return file_syncs_; }
  int folder_syncs() const { return folder_syncs_; }
  void ResetCounts() { file_syncs_ = folder_syncs_ = 0; }

  // What the replaced functions ask; 0: go on.
  static int SyncError(int fd);
  int OnSync(int fd);
  int OnRename(unsigned flags) const;

 private:
  std::atomic<int> failing_file_syncs_{0};
  std::atomic<int> failing_folder_syncs_{0};
  std::atomic<unsigned> refused_rename_flags_{0};
  std::atomic<int> file_syncs_{0};
  std::atomic<int> folder_syncs_{0};
};

}  // namespace chainstore
