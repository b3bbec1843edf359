#include "stores/filesystem/filesystem_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "stores/filesystem/file_mark.h"
#include "stores/filesystem/tree_scan.h"
#include "stores/record.h"

namespace chainstore {
namespace {

using Outcome = FoundFile::Outcome;

// What an inode and its names take beside the blocks of the content: 256 bytes on ext4, 512 on xfs.
constexpr uint64_t kInodeShare = 512;
constexpr char kTemporary[] = "tmp";

// What the file system can do, tried on a file: its name's case tells whether names are folded.
struct Abilities {
  bool marks = false;
  bool folds_case = false;
  uint64_t block_size = 4096;
};

int ProbeFileSystem(int temporary, Abilities* out) {
  const FileDescriptor file(
      openat(temporary, "Probe", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file) return errno;
  char mark[kMarkSize];
  FileMark{}.Encode("", mark);
  const int error = WriteMark(file.get(), mark);
  out->marks = error == 0;
  out->folds_case = faccessat(temporary, "pROBE", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  struct statvfs info;
  if (fstatvfs(file.get(), &info) == 0) {
    out->block_size = std::max<uint64_t>(out->block_size, info.f_frsize);
  }
  (void)unlinkat(temporary, "Probe", 0);
  return error == ENOTSUP || error == EPERM || error == EACCES ? 0 : error;
}

// Empties and opens the folder for temporary files: a crash leaves some behind.
int PrepareTemporary(int state, FileDescriptor* out) {
  if (const int error = RemoveTree(state, kTemporary); error != 0) return error;
  if (mkdirat(state, kTemporary, 0777) != 0) return errno;
  *out = OpenFolder(state, kTemporary);
  return *out ? 0 : errno;
}

}  // namespace

Result<Ref<Store>> NewFilesystemStore(std::string_view directory, const Options* options) {
  const std::string name = "file:" + std::string(directory.substr(0, directory.find('\0')));
  Result<OptionValues> values = OptionValues::Parse(name, kFilesystemOptions, options);
  if (!values.ok()) return values.status();

  OwnedDirectory::Request request;
  request.path = directory;
  request.store = name;
  request.engine = "filesystem";
  request.cache = values->Text("durability") == "cache";
  Result<std::unique_ptr<OwnedDirectory>> owned = OwnedDirectory::Open(request);
  if (!owned.ok()) return owned.status();

  FileDescriptor temporary;
  Abilities abilities;
  int error = PrepareTemporary((*owned)->state_fd(), &temporary);
  if (error == 0) error = ProbeFileSystem(temporary.get(), &abilities);
  if (error != 0) {
    return Failure(CodeOfErrno(error), "cannot prepare the folder for temporary files")
        .Store(name)
        .Op("open")
        .Errno(error)
        .Path((*owned)->StatePath(kTemporary));
  }
  if (abilities.folds_case) {
    return Failure(Code::kUnsupported,
                   "the file system takes names that differ in case only for the same one")
        .Store(name)
        .Op("open")
        .Path((*owned)->path())
        .Hint("name a directory that tells them apart");
  }
  FilesystemStore::Settings settings;
  settings.durable = !request.cache;
  settings.verify = values->Text("verify") == "on";
  settings.has_marks = abilities.marks;
  settings.block_size = abilities.block_size;
  const uint64_t max_value_size = values->Number("max_value_size");
  if (max_value_size != 0) settings.max_value_size = max_value_size;
  const bool emptied = (*owned)->emptied();
  const Status notice = emptied ? (*owned)->EmptiedStatus() : Status();
  Ref<Store> store = MakeRef<FilesystemStore>(RuntimeFor(options), std::move(*owned),
                                              std::move(temporary), settings);
  store->SetRecipe({"file", {{"directory", store->directory()}}, kFilesystemOptions, options});
  if (emptied) store->Report(notice);
  return store;
}

FilesystemStore::FilesystemStore(Ref<Runtime> runtime, std::unique_ptr<OwnedDirectory> directory,
                                 FileDescriptor temporary, const Settings& settings)
    : BlockingStore("file:" + directory->path(), std::move(runtime)),
      directory_(std::move(directory)),
      temporary_(std::move(temporary)),
      settings_(settings),
      tree_(directory_->fd(), temporary_.get(), settings.durable),
      reader_(tree_, settings.verify) {
  directory_->SetOwner(this);
}

uint32_t FilesystemStore::caps() const noexcept {
  uint32_t caps = kCapOrdered | kCapScan | kCapRange;
  if (settings_.has_marks) caps |= kCapTtl;
  if (settings_.durable) caps |= kCapDurable;
  return caps;
}

Limits FilesystemStore::limits() const noexcept {
  Limits limits;
  limits.max_value_size = settings_.max_value_size;
  limits.ttl = settings_.has_marks;
  return limits;
}

uint64_t FilesystemStore::EntryCost(size_t key_size, uint64_t value_size) const noexcept {
  const uint64_t blocks =
      value_size / settings_.block_size + (value_size % settings_.block_size != 0);
  return blocks * settings_.block_size + kInodeShare + key_size;
}

uint64_t FilesystemStore::NextVersion() noexcept {
  const auto now_us = static_cast<uint64_t>(runtime().clock().WallUs());
  uint64_t last = last_version_.load(std::memory_order_relaxed);
  uint64_t next;
  do {
    next = std::max(now_us, last + 1);
  } while (!last_version_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return next;
}

// ---- Failures ----

Status FilesystemStore::FailErrno(int error, const char* operation, const char* what,
                                  const Key& key) const {
  Code code = CodeOfErrno(error);
  if (error == ELOOP) {
    return Fail(Code::kDenied, operation, "a link or a special file is in the key's way")
        .KeyIs(key.bytes)
        .Hint("it is neither followed nor read; remove it");
  }
  if (error == kErrnoNoSwap) {
    return Fail(Code::kUnsupported, operation,
                "another key's file is in the way of a folder, and this file system cannot swap "
                "the two")
        .KeyIs(key.bytes);
  }
  if (error == ENAMETOOLONG) code = Code::kUnsupported;
  Failure failure = Fail(code, operation, what);
  failure.Errno(error).KeyIs(key.bytes);
  if (error == EMFILE || error == ENFILE) failure.Hint("raise the limit of open files");
  if (code == Code::kNoSpace) failure.Hint("what was stored before is intact");
  return failure;
}

Status FilesystemStore::StatusOf(const FoundFile& found, const Key& key,
                                 const char* operation) const {
  switch (found.outcome) {
    case Outcome::kFound:
      return Code::kOk;
    case Outcome::kMissing:
    case Outcome::kExpired:
      return Code::kNotFound;
    case Outcome::kNoMemory:
      return Code::kNoMemory;
    case Outcome::kFailed:
      return FailErrno(found.error, operation, "cannot read the file", key);
    case Outcome::kCorrupt:
      break;
  }
  return Fail(Code::kCorrupt, operation, "the file does not match its checksum").KeyIs(key.bytes);
}

Status FilesystemStore::CheckKey(const Key& key, const char* operation) const {
  if (!key.bytes.empty() && key.bytes.size() <= kMaxKeySize) return Code::kOk;
  return Fail(Code::kInvalid, operation,
              "a key has 1 to 1024 bytes, this one " + std::to_string(key.bytes.size()));
}

Status FilesystemStore::CheckWritable(const Key& key, const char* operation) const {
  if (Status refused = CheckKey(key, operation); !refused.ok()) return refused;
  // The kernel reports a failed write once, and forgets it: a later fsync that says OK would vouch
  // for what is lost.
  if (tree_.sync_failed()) {
    return Fail(Code::kIo, operation,
                "a folder could not be synced earlier: nothing more is written")
        .Hint("check the disk, then open the store again")
        .Retryable(false);
  }
  return Code::kOk;
}

Status FilesystemStore::CheckPut(const Key& key, const Payload& payload) const {
  if (payload.size() > settings_.max_value_size) {
    return Fail(Code::kTooLarge, "put",
                "a value of " + std::to_string(payload.size()) +
                    " bytes is above max_value_size, " + std::to_string(settings_.max_value_size))
        .KeyIs(key.bytes);
  }
  if (payload.expires_at_ms() != 0 && !settings_.has_marks) {
    return Fail(Code::kUnsupported, "put",
                "this file system has no extended attributes, so nothing can expire here")
        .KeyIs(key.bytes);
  }
  return CheckWritable(key, "put");
}

// ---- Operations ----

Answer FilesystemStore::GetHere(const Key& key, const Read& read, const Call&) noexcept {
  if (Status refused = CheckKey(key, "get"); !refused.ok()) return refused;
  const KeyPath path(key.bytes);
  FoundFile found = reader_.Read(path, read, runtime().clock().WallMs());
  Answer answer;
  if (found.outcome != Outcome::kFound) {
    answer.status = StatusOf(found, key, "get");
    return answer;
  }
  answer.tier = 1;
  answer.meta = found.meta;
  answer.value = std::move(found.value);
  return answer;
}

int FilesystemStore::WriteTemporary(const Payload& payload, const Meta& meta, std::string* name,
                                    const char** what) {
  *what = "cannot make a temporary file";
  FileDescriptor file;
  do {
    *name = tree_.TemporaryName();
    file = FileDescriptor(openat(temporary_.get(), name->c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
  } while (!file && errno == EEXIST);
  if (!file) return errno;
  *what = "cannot write the value";
  int error = WriteAll(file.get(), payload.bytes());
  if (error == 0 && settings_.has_marks) {
    struct stat info;
    if (fstat(file.get(), &info) != 0) {
      error = errno;
    } else {
      FileMark mark;
      mark.expires_at_ms = meta.expires_at_ms;
      mark.version = meta.version;
      mark.size = payload.size();
      mark.mtime_ns = MtimeNs(info);
      char encoded[kMarkSize];
      mark.Encode(payload.bytes(), encoded);
      error = WriteMark(file.get(), encoded);
    }
  }
  // A failed fsync needs no memory of it: this file, and all that it may have lost, goes.
  if (error == 0 && settings_.durable && fsync(file.get()) != 0) error = errno;
  // Some file systems say only here that there was no room.
  if (close(file.Release()) != 0 && error == 0 && errno != EINTR) error = errno;
  if (error != 0) (void)unlinkat(temporary_.get(), name->c_str(), 0);
  return error;
}

Receipt FilesystemStore::PutHere(const Key& key, const Payload& payload,
                                 const Call& call) noexcept {
  if (Status refused = CheckPut(key, payload); !refused.ok()) return refused;
  const KeyPath path(key.bytes);
  bool replace = true;
  if (call.Has(Call::kIfAbsent)) {
    const FoundFile found = reader_.Read(path, Read::Stat(), runtime().clock().WallMs());
    if (found.outcome == Outcome::kFound) return Code::kExists;
    if (found.outcome == Outcome::kFailed) return StatusOf(found, key, "put");
    replace = found.outcome == Outcome::kExpired;
  }
  Receipt receipt;
  receipt.meta.total_size = payload.size();
  receipt.meta.expires_at_ms = std::min(payload.expires_at_ms(), kMaxExpiryMs);
  receipt.meta.version = NextVersion();
  std::string name;
  const char* what;
  int error = WriteTemporary(payload, receipt.meta, &name, &what);
  if (error == 0) {
    what = "cannot put the value in its place";
    error = tree_.Place(path, name.c_str(), replace);
    if (error != 0) {
      (void)unlinkat(temporary_.get(), name.c_str(), 0);
      tree_.RemoveEmptyFolders(path);
    }
  }
  // Another program was quicker: no writer of this store is beside us for this key.
  if (error == EEXIST) return Code::kExists;
  if (error != 0) return FailErrno(error, "put", what, key);
  return receipt;
}

Receipt FilesystemStore::DelHere(const Key& key, const Call&) noexcept {
  if (Status refused = CheckWritable(key, "del"); !refused.ok()) return refused;
  const int error = tree_.Remove(KeyPath(key.bytes));
  if (error != 0) return FailErrno(error, "del", "cannot remove the file", key);
  return Receipt();
}

Page FilesystemStore::ScanHere(const Range& range, const Call& call) noexcept {
  const int64_t now_ms = runtime().clock().WallMs();
  const Read read = range.keys_only ? Read::Stat() : Read::Whole();
  TreeScan scan(tree_, range);
  Page page;
  size_t bytes = 0;
  std::string key;
  std::string where;
  int error = 0;
  while (scan.Next(&key, &error, &where)) {
    if (page.entries.size() >= range.Limit() || bytes >= Range::kMaxPageBytes) {
      page.more = true;
      return page;
    }
    if (const Code ended = call.Check(); ended != Code::kOk) return EndedStatus(ended, "scan");
    FoundFile found = reader_.Read(KeyPath(key), read, now_ms);
    const bool special = found.outcome == Outcome::kFailed && found.error == ELOOP;
    if (special || found.outcome == Outcome::kMissing || found.outcome == Outcome::kExpired) {
      continue;
    }
    Entry entry;
    entry.status = StatusOf(found, Key(key), "scan");
    entry.meta = found.meta;
    if (found.value) bytes += found.value->size();
    entry.value = std::move(found.value);
    entry.key = std::move(key);
    page.entries.push_back(std::move(entry));
  }
  if (error != 0) {
    return Page(Status(Fail(CodeOfErrno(error), "scan", "cannot list a folder")
                           .Errno(error)
                           .Path(directory_->path() + "/" + where)));
  }
  if (page.entries.empty()) page.status = Code::kEnd;
  return page;
}

Status FilesystemStore::CloseHere(const Call&) noexcept {
  return directory_->Close([this]() -> Status {
    if (syncfs(directory_->fd()) == 0) return Code::kOk;
    return Fail(Code::kIo, "close", "cannot sync the cache: it counts as not closed")
        .Errno(errno)
        .Path(directory_->path());
  });
}

}  // namespace chainstore
