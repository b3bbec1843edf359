#include "stores/owned_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace chainstore {
namespace {

constexpr char kLock[] = "lock";
constexpr char kMode[] = "mode";
constexpr char kState[] = "state";
constexpr char kAside[] = "aside";
constexpr size_t kMaxMarkSize = 256;

const char* ModeText(bool cache) { return cache ? "durability=cache\n" : "durability=full\n"; }

// What is made is on disk before anything is built on it.
int SyncFolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor folder(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A parent that we may not read (mode 0311) cannot be synced by us.
  if (!folder) return errno == EACCES ? 0 : errno;
  return fsync(folder.get()) == 0 ? 0 : errno;
}

// mkdir -p.
int MakeFolders(const std::string& path) {
  for (size_t at = path.find_first_not_of('/'); at != std::string::npos;) {
    size_t end = path.find('/', at);
    if (end == std::string::npos) end = path.size();
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0777) == 0) {
      if (const int error = SyncFolderOf(part); error != 0) return error;
    } else if (errno != EEXIST) {
      // A parent that exists may refuse with another error (EROFS, EACCES) before it says so.
      const int error = errno;
      struct stat info;
      if (stat(part.c_str(), &info) != 0) return error;
    }
    at = path.find_first_not_of('/', end);
  }
  return 0;
}

}  // namespace

std::string OwnedDirectory::BootId() {
  std::string id;
  if (ReadSmallFile(AT_FDCWD, "/proc/sys/kernel/random/boot_id", kMaxMarkSize, &id) != 0) return "";
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

Result<std::unique_ptr<OwnedDirectory>> OwnedDirectory::Open(const Request& request) {
  std::unique_ptr<OwnedDirectory> self(new OwnedDirectory(request));
  bool alone = false;
  Status status = self->Find();
  if (status.ok()) status = self->TakeClaim();
  if (status.ok()) status = self->OpenReserved();
  if (status.ok()) status = self->TakeLock(&alone);
  if (status.ok()) status = self->CheckMode(alone);
  if (status.ok() && alone && request.cache) status = self->PrepareCache();
  if (!status.ok()) return status;
  if (alone && request.sharing == Sharing::kOtherProcesses && !self->Lock(F_RDLCK)) {
    return self->FailErrno(errno, "cannot share the lock", self->StatePath(kLock));
  }
  return self;
}

OwnedDirectory::~OwnedDirectory() { (void)Close(nullptr); }

std::string OwnedDirectory::StatePath(std::string_view name) const {
  std::string out = path_;
  if (!is_file_) out += out.ends_with('/') ? "" : "/";
  return out + kReserved + "/" + std::string(name);
}

void OwnedDirectory::SetOwner(const Store* owner) {
  if (!IsForked()) claims_->SetOwner(claim_, owner);
}

Status OwnedDirectory::EmptiedStatus() const {
  return Fail(Code::kCorrupt,
              "a crash of the machine left this cache without a clean close: it was emptied")
      .Path(path_);
}

Failure OwnedDirectory::Fail(Code code, std::string what) const {
  Failure failure(code, std::move(what));
  failure.Store(request_.store).Op("open");
  return failure;
}

Status OwnedDirectory::FailErrno(int error, std::string what, std::string_view path) const {
  Failure failure = Fail(CodeOfErrno(error), std::move(what));
  failure.Errno(error).Path(path);
  if (error == EACCES || error == EPERM) failure.Hint("give the process permission to write there");
  if (error == EROFS) failure.Hint("the store needs a file system that can be written");
  return failure;
}

// ---- Opening, step by step ----

Status OwnedDirectory::Find() {
  const std::string& path = request_.path;
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Fail(Code::kInvalid, path.empty() ? "the path is empty" : "the path holds a NUL");
  }
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    int error = MakeFolders(path);
    if (error == 0 && stat(path.c_str(), &info) != 0) error = errno;
    // ENOENT is a link that points to nothing.
    if (error == ENOTDIR || error == ENAMETOOLONG || error == ELOOP || error == ENOENT) {
      return Fail(Code::kInvalid, "the path cannot be a directory").Errno(error).Path(path);
    }
    if (error != 0) return FailErrno(error, "cannot make the directory", path);
  }
  is_file_ = request_.allow_file && S_ISREG(info.st_mode);
  if (!is_file_ && !S_ISDIR(info.st_mode)) {
    return Fail(Code::kInvalid, "the path is a file, and a directory is needed")
        .Path(path)
        .Hint("name a directory, which is made if it is not there");
  }
  std::unique_ptr<char, decltype(&free)> canonical(realpath(path.c_str(), nullptr), &free);
  if (!canonical) return FailErrno(errno, "cannot resolve the path", path);
  path_ = canonical.get();
  if (!is_file_) {
    folder_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_ || fstat(folder_.get(), &info) != 0) {
      return FailErrno(errno, "cannot open the directory", path_);
    }
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return Code::kOk;
}

Status OwnedDirectory::TakeClaim() {
  std::string holder;
  const DirectoryClaims::Outcome outcome =
      claims_->Add({device_, inode_, request_.engine, request_.part}, &claim_, &holder);
  if (outcome == DirectoryClaims::Outcome::kClaimed) return Code::kOk;
  if (outcome == DirectoryClaims::Outcome::kOtherEngine) {
    return Fail(Code::kBusy, "a " + holder + " store of this process is open there")
        .Path(path_)
        .Hint("give each store a directory of its own");
  }
  return Fail(Code::kBusy, "already open in this process").Path(path_).Hint("share the handle");
}

Status OwnedDirectory::OpenReserved() {
  const std::string path = StatePath("");
  const int parent = is_file_ ? AT_FDCWD : folder_.get();
  const std::string name = is_file_ ? path_ + kReserved : kReserved;
  if (mkdirat(parent, name.c_str(), 0777) == 0) {
    const int error = is_file_ ? SyncFolderOf(name) : fsync(parent) == 0 ? 0 : errno;
    if (error != 0) return FailErrno(error, "cannot make the reserved folder", path);
  } else if (errno != EEXIST) {
    return FailErrno(errno, "cannot make the reserved folder", path);
  }
  state_ = OpenFolder(parent, name.c_str());
  if (!state_) return FailErrno(errno, "cannot open the reserved folder", path);
  return Code::kOk;
}

bool OwnedDirectory::Lock(short type) noexcept {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return fcntl(lock_, F_OFD_SETLK, &lock) == 0;
}

Status OwnedDirectory::TakeLock(bool* alone) {
  lock_ = claims_->OpenLockFile(state_.get(), kLock);
  if (lock_ < 0) return FailErrno(errno, "cannot open the lock file", StatePath(kLock));
  // A process that is just opening or ending holds the lock for a moment longer.
  const int64_t give_up_ns = Clock::System().DeadlineAfterMs(DirectoryClaims::kGraceMs);
  for (;;) {
    *alone = Lock(F_WRLCK);
    if (*alone) return Code::kOk;
    if (request_.sharing == Sharing::kOtherProcesses && Lock(F_RDLCK)) return Code::kOk;
    if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
      return FailErrno(errno, "cannot lock the directory", StatePath(kLock));
    }
    if (Clock::System().SteadyNs() >= give_up_ns) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return Fail(Code::kBusy, "in use by another process")
      .Path(path_)
      .Hint("close it there, or give each process a directory of its own");
}

bool OwnedDirectory::IsEmpty() const {
  if (is_file_) return false;
  bool empty = true;
  const int error = ForEachEntry(folder_.get(), [&empty](const char* name, unsigned char) {
    // The root of a file system of its own has a lost+found from the start.
    const std::string_view entry = name;
    if (entry != kReserved && entry != "lost+found") empty = false;
    return empty;
  });
  return error == 0 && empty;
}

Status OwnedDirectory::CheckMode(bool alone) {
  const std::string mark_path = StatePath(kMode);
  std::string mark;
  const int error = ReadSmallFile(state_.get(), kMode, kMaxMarkSize, &mark);
  if (error != 0 && error != ENOENT) return FailErrno(error, "cannot read the mark", mark_path);
  const bool marked = error == 0;
  if (marked && mark != ModeText(true) && mark != ModeText(false)) {
    return Fail(Code::kCorrupt, "the mark of its durability is damaged")
        .Path(mark_path)
        .Hint("it reads durability=full or durability=cache");
  }
  if (!marked && request_.cache && !IsEmpty()) {
    return Fail(Code::kInvalid,
                "durability=cache is only for a directory that was made for it; this one holds "
                "data that is kept with durability=full")
        .Path(path_)
        .Hint("name an empty directory, or leave the option out");
  }
  if (marked && mark != ModeText(request_.cache)) {
    const std::string is = request_.cache ? "full" : "cache";
    return Fail(Code::kInvalid, "the directory was made with durability=" + is +
                                    " and cannot be opened with another")
        .Path(path_)
        .Hint("open it with durability=" + is + ", or use another directory");
  }
  // Not alone: whoever was first has written it, or is of a version that did not.
  if (marked || !alone) return Code::kOk;
  const int failed = ReplaceFile(state_.get(), kMode, ModeText(request_.cache));
  return failed == 0 ? Status() : FailErrno(failed, "cannot write the mark", mark_path);
}

int OwnedDirectory::WriteState(const char* state) {
  return ReplaceFile(state_.get(), kState, "boot=" + request_.boot_id + " state=" + state + "\n");
}

Status OwnedDirectory::PrepareCache() {
  std::string mark;
  const int error = ReadSmallFile(state_.get(), kState, kMaxMarkSize, &mark);
  if (error != 0 && error != ENOENT) {
    return FailErrno(error, "cannot read the mark", StatePath(kState));
  }
  const bool same_boot =
      !request_.boot_id.empty() && mark.starts_with("boot=" + request_.boot_id + " state=");
  // No mark, or one that cannot be read, says nothing that could be relied on.
  if (!same_boot && !mark.ends_with(" state=clean\n")) {
    emptied_ = !IsEmpty() || faccessat(state_.get(), kAside, F_OK, 0) == 0;
    if (const int failed = MoveAside(); failed != 0) {
      return FailErrno(failed, "cannot empty a cache that a crash of the machine left behind",
                       path_);
    }
  }
  // Also what an emptying that was itself cut short left there.
  if (const int failed = RemoveTree(state_.get(), kAside); failed != 0) {
    return FailErrno(failed, "cannot delete the old content", StatePath(kAside));
  }
  // On disk before the first write: a "clean" that survives it would vouch for torn data.
  if (const int failed = WriteState("open"); failed != 0) {
    return FailErrno(failed, "cannot write the mark", StatePath(kState));
  }
  return Code::kOk;
}

int OwnedDirectory::MoveAside() {
  if (mkdirat(state_.get(), kAside, 0777) != 0 && errno != EEXIST) return errno;
  const FileDescriptor aside = OpenFolder(state_.get(), kAside);
  if (!aside) return errno;
  std::vector<std::string> names;
  const int error = ForEachEntry(folder_.get(), [&names](const char* name, unsigned char) {
    if (std::string_view(name) != kReserved && std::string_view(name) != "lost+found") {
      names.emplace_back(name);
    }
    return true;
  });
  if (error != 0) return error;
  uint64_t number = 0;
  for (const std::string& name : names) {
    for (;; ++number) {
      const std::string to = std::to_string(number);
      if (renameat2(folder_.get(), name.c_str(), aside.get(), to.c_str(), RENAME_NOREPLACE) == 0) {
        break;
      }
      if (errno == EEXIST) continue;
      // Folders of a lower layer of an overlayfs cannot be renamed, and file systems exist without
      // RENAME_NOREPLACE. The mark still says "open": cut short, this is done again.
      if (errno != EXDEV && errno != EINVAL) return errno;
      if (const int failed = RemoveTree(folder_.get(), name); failed != 0) return failed;
      break;
    }
  }
  return fsync(folder_.get()) == 0 ? 0 : errno;
}

// ---- Closing ----

Status OwnedDirectory::Close(UniqueFunction<Status()> sync) {
  const bool forked = IsForked();
  Status status;
  if (lock_ >= 0 && !forked) {
    // Let go first, so that of two processes that end at once the second finds itself alone.
    if (request_.sharing == Sharing::kOtherProcesses) Lock(F_UNLCK);
    if (sync && request_.cache && Lock(F_WRLCK)) {
      status = sync();
      const int error = status.ok() ? WriteState("clean") : 0;
      if (error != 0) status = FailErrno(error, "cannot write the mark", StatePath(kState));
    }
    // In so many words: a child that was forked meanwhile may still have the descriptor.
    Lock(F_UNLCK);
    claims_->CloseLockFile(lock_);
  }
  lock_ = -1;
  if (claim_ != 0 && !forked) claims_->Remove(claim_);
  claim_ = 0;
  return status;
}

}  // namespace chainstore
