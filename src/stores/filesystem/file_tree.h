// FileTree: the folders and files below the root of a filesystem store. It opens them without ever
// following a symbolic link, puts a finished file in its place in one step, makes and removes the
// folders between, and swaps a file that is in the way of a folder into it.
//
// Every path P of a key is a file, or a folder that may hold the key's file as `%%` (kOwnFile).
//   Reads need no retry: what a name or a folder is at one moment decides.
//   Two names' changes (a put of `a/b` needs the folder that a del of `a/c` removes) meet as
//   ENOENT, ENOTDIR or EISDIR, and are begun again; after kPatience times with no removal beside
//   them. A swap and a change of the same name exclude each other by the name's stripe: a value
//   that lands between the swap's two steps would be swapped away.
// Thread safety: any thread. The caller lets in one change per key at a time.
// All functions return 0 or an errno; ELOOP: something that is no file or folder of ours (a link, a
// device) stands there.
#pragma once

#include <atomic>
#include <string>

#include "base/file.h"
#include "base/mutex.h"
#include "stores/filesystem/key_path.h"

namespace chainstore {

// EBADE, which none of these calls gives: the swap that a key needs is not to be had here.
inline constexpr int kErrnoNoSwap = 52;

class FileTree {
 public:
  // Both descriptors are borrowed. `temporary`: a folder on the same file system, for what is not
  // finished. `durable`: a change is on disk when its function returns.
  FileTree(int root, int temporary, bool durable);

  // The file of a key, for reading, or the folder that is there (then: OpenOwnFile). ENOENT: none.
  int Open(const KeyPath& path, FileDescriptor* file) const noexcept;
  // The key's file in the folder that stands at its path, in place of the folder.
  int OpenOwnFile(FileDescriptor* folder) const noexcept;
  // A folder: "" is the root.
  int OpenFolder(Bytes path, FileDescriptor* folder) const;

  // Moves the finished file `name` of the folder for temporary files to `path`. Replaces what is
  // there, or (`replace` false) leaves it and says EEXIST. On failure the old file is intact and
  // `name` still there.
  int Place(const KeyPath& path, const char* name, bool replace);
  // Removes the file of a key, and the folders that are empty then. OK if there is none.
  int Remove(const KeyPath& path);
  // Removes the empty folders on the way to `path`, which could not be placed.
  void RemoveEmptyFolders(const KeyPath& path) { (void)RemoveEmptyFolders(path.folder()); }

  // A name that no other file there has.
  std::string TemporaryName();
  // A folder's fsync failed: what was acknowledged before may be lost, and no later fsync tells.
  bool sync_failed() const noexcept { return sync_failed_.load(std::memory_order_relaxed); }

  // For tests: as on a kernel without openat2.
  void WalkByName() noexcept { has_openat2_ = false; }

  static constexpr int kPatience = 8;
  static constexpr int kMaxAttempts = 1000;

 private:
  // A folder that is the root's borrowed descriptor, or one of its own.
  class Folder {
   public:
    int fd() const noexcept { return own_ ? own_.get() : borrowed_; }
    void Borrow(int fd) noexcept { borrowed_ = fd; }
    FileDescriptor& own() noexcept { return own_; }

   private:
    FileDescriptor own_;
    int borrowed_ = -1;
  };

  int OpenBelow(const char* path, int flags, FileDescriptor* out) const noexcept;
  int Walk(const char* path, int flags, FileDescriptor* out) const noexcept;
  int OpenParent(const KeyPath& path, Folder* parent) const;
  int MakeParent(const KeyPath& path, Folder* parent);
  int MakeFolderIn(int parent, const char* name);
  int SwapIntoFolder(int parent, const char* name, Bytes path);
  int Swap(int parent, const char* name, const char* made, int folder) noexcept;
  int TryPlace(const KeyPath& path, const char* name, bool replace);
  int Move(const char* name, int folder, const char* to, bool replace) const noexcept;
  int RemoveFile(const KeyPath& path, bool* own_file, bool* removed);
  int RemoveEmptyFolders(Bytes path);
  int Sync(int folder) noexcept;
  Mutex& StripeOf(Bytes path) noexcept;

  static constexpr size_t kStripes = 64;
  const int root_;
  const int temporary_;
  const bool durable_;
  bool has_openat2_;
  std::atomic<uint64_t> next_name_{0};
  std::atomic<bool> sync_failed_{false};
  // Held to remove folders, and by a change that lost its folders too often.
  Mutex folders_;
  // Durable only: held from making a folder until it is on disk. Whoever sees the folder before
  // that waits for it before he acknowledges what he put into it.
  Mutex making_;
  std::atomic<uint32_t> makers_{0};
  Mutex stripes_[kStripes];
};

}  // namespace chainstore
