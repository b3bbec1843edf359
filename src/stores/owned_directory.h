// OwnedDirectory: a directory (or a database file) that one store owns while it lives, and what is
// kept in its reserved folder `.chainstore` (for a file: beside it, in `FILE.chainstore`).
//
//   .chainstore/lock   an OFD lock: exclusive, or shared by the processes of an engine that can
//   .chainstore/mode   `durability=full` or `durability=cache`, written once, when it is made
//   .chainstore/state  only of a cache: `boot=ID state=open|clean`
//   .chainstore/aside  what is being deleted
//
// In one process a directory is claimed by device and inode, however its path is spelled; an engine
// that shares its directory (LMDB) claims one part (bucket) of it per store.
// durability=cache: opened after another boot without a clean close, what is in it may be torn, so
// it is emptied before the engine sees it; after a killed process of the same boot it is whole.
// Thread safety: none but for the const members; a store opens and closes it once. In a forked
// child it does nothing: lock and claim are the parent's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/function.h"
#include "base/result.h"
#include "stores/directory_claims.h"

namespace chainstore {

class OwnedDirectory {
 public:
  enum class Sharing : uint8_t {
    kExclusive,       // one store at a time on the whole machine
    kOtherProcesses,  // other processes may open it too
  };
  struct Request {
    std::string path;
    std::string store;   // its name, for messages: "lmdb:/dir"
    std::string engine;  // "lmdb": another engine on the same directory is refused
    std::string part;    // bucket; empty: the whole directory
    Sharing sharing = Sharing::kExclusive;
    bool cache = false;       // durability=cache
    bool allow_file = false;  // the path may be an existing regular file
    std::string boot_id = BootId();
  };

  // Makes the directory if it is not there. Failures: kBusy (in use), kInvalid (a file, another
  // durability), kDenied (no permission, read-only), kNoSpace, kCorrupt (its mode mark), kIo.
  static Result<std::unique_ptr<OwnedDirectory>> Open(const Request& request);
  // As Close without a clean end.
  ~OwnedDirectory();

  const std::string& path() const noexcept { return path_; }  // canonical
  bool is_file() const noexcept { return is_file_; }
  int fd() const noexcept { return folder_.get(); }       // of the directory; -1 for a file
  int state_fd() const noexcept { return state_.get(); }  // of the reserved folder
  std::string StatePath(std::string_view name) const;     // below the reserved folder
  bool cache() const noexcept { return request_.cache; }
  // It was a cache that a crash of the machine left behind, and its content is gone: to be
  // reported.
  bool emptied() const noexcept { return emptied_; }
  // What the owner then hands to Store::Report.
  Status EmptiedStatus() const;

  // `owner` must outlive this object: who opens the directory next waits while it is ending.
  void SetOwner(const Store* owner);

  // Gives the directory up; the second time nothing. A cache ends clean if no other process uses it
  // and `sync` (what makes all of its content durable; called under the exclusive lock) is OK; its
  // failure is returned, and the cache stays "open". A null `sync`: no clean end.
  Status Close(UniqueFunction<Status()> sync);

  static std::string BootId();  // of the running system; "" if it cannot be told
  static constexpr char kReserved[] = ".chainstore";

 private:
  explicit OwnedDirectory(const Request& request) : request_(request) {}
  Status Find();
  Status OpenReserved();
  Status TakeClaim();
  Status TakeLock(bool* alone);
  Status CheckMode(bool alone);
  Status PrepareCache();
  int MoveAside();
  bool IsEmpty() const;
  int WriteState(const char* state);
  bool Lock(short type) noexcept;
  Failure Fail(Code code, std::string what) const;
  Status FailErrno(int error, std::string what, std::string_view path) const;

  const Request request_;
  std::string path_;
  bool is_file_ = false;
  bool emptied_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  FileDescriptor folder_;
  FileDescriptor state_;
  int lock_ = -1;
  DirectoryClaims::Id claim_ = 0;
  bool IsForked() const { return claims_ != &DirectoryClaims::Process(); }

  // A forked child has another one: the old one is locked for ever there, and not to be touched.
  DirectoryClaims* const claims_ = &DirectoryClaims::Process();
};

}  // namespace chainstore
