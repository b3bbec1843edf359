#include "stores/lmdb/environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "stores/lmdb/data_file.h"
#include "stores/lmdb/lmdb_error.h"

namespace chainstore::lmdb {

// The environments that are open in this process. A forked child has a registry of its own: what
// the parent has open is not the child's to touch.
class Environment::Registry {
 public:
  static Registry& Process() {
    static std::atomic<Registry*> current{nullptr};
    Registry* seen = current.load(std::memory_order_acquire);
    while (!seen || seen->generation_ != Runtime::ForkGeneration()) {
      auto* made = new Registry;
      if (current.compare_exchange_strong(seen, made, std::memory_order_acq_rel)) return *made;
      delete made;
    }
    return *seen;
  }

  Mutex mutex;
  std::map<FileId, Environment*> open CS_GUARDED_BY(mutex);

 private:
  const uint32_t generation_ = Runtime::ForkGeneration();
};

namespace {

Status OpenFailure(const Environment::Settings& settings, Failure failure) {
  return failure.Store(settings.store).Op("open").Path(settings.path);
}

bool EndsWithDataFile(const std::string& path, std::string* directory) {
  constexpr std::string_view kName = "/data.mdb";
  if (!path.ends_with(kName)) return false;
  *directory = path.substr(0, path.size() - kName.size());
  return true;
}

std::string DataPath(const Environment::Settings& settings) {
  return settings.is_file ? settings.path : settings.path + "/data.mdb";
}

}  // namespace

// ---- Opening and closing ----

Environment::Environment(const Settings& settings, Ref<Runtime> runtime)
    : settings_(settings), runtime_(std::move(runtime)) {}

Environment::~Environment() { assert(!env_ && "an Environment was not closed"); }

Status Environment::CheckDataFile(const Settings& settings) {
  using Kind = DataFile::Kind;
  std::string directory;
  if (settings.is_file && EndsWithDataFile(settings.path, &directory) &&
      access((directory + "/lock.mdb").c_str(), F_OK) == 0) {
    // Opened as a file it would have another lock file than its directory's users have.
    return OpenFailure(settings, Failure(Code::kInvalid, "this file belongs to an LMDB directory")
                                     .Hint("name the directory: " + directory));
  }
  DataFile file;
  const int error = InspectDataFile(DataPath(settings), &file);
  if (error != 0) return OpenFailure(settings, FailureOf(error, "cannot read the data file"));
  switch (file.kind) {
    case Kind::kLmdb:
      return Code::kOk;
    case Kind::kAbsent:
    case Kind::kEmpty:
      if (!settings.is_file) return Code::kOk;
      [[fallthrough]];
    case Kind::kOther:
    case Kind::kNotAFile:
      if (!settings.is_file) {
        return OpenFailure(settings, Failure(Code::kCorrupt, "data.mdb there is no LMDB file"));
      }
      return OpenFailure(settings, Failure(Code::kInvalid, "the file is no LMDB file")
                                       .Hint("name an LMDB file, or a directory"));
    case Kind::kOtherVersion:
      return OpenFailure(settings, FailureOf(MDB_VERSION_MISMATCH, "cannot open the data file"));
    case Kind::kDamaged:
      break;
  }
  return OpenFailure(settings, Failure(Code::kCorrupt, "the data file is damaged: " + file.why)
                                   .Hint("restore it from a copy, or remove it"));
}

std::string Environment::LockPath() const {
  return settings_.path + (settings_.is_file ? "-lock" : "/lock.mdb");
}

Result<Ref<Environment>> Environment::Open(const Settings& settings, Ref<Runtime> runtime) {
  auto made = Ref<Environment>::Adopt(new Environment(settings, std::move(runtime)));
  Registry& registry = Registry::Process();
  // Held while it opens: two first users of one file must not both open it.
  MutexLock lock(registry.mutex);
  if (Status status = CheckDataFile(settings); !status.ok()) return status;
  // Made here if need be, because a file without an inode cannot be found again. LMDB takes an
  // empty one for new.
  struct stat info;
  const int fd = open(DataPath(settings).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const int error = fd < 0 || fstat(fd, &info) != 0 ? errno : 0;
  if (fd >= 0) close(fd);
  if (error != 0) return OpenFailure(settings, FailureOf(error, "cannot open the data file"));
  made->file_ = {info.st_dev, info.st_ino};
  const auto found = registry.open.find(made->file_);
  if (found == registry.open.end()) {
    if (Status status = made->Start(); !status.ok()) return status;
    registry.open.emplace(made->file_, made.get());
    return made;
  }
  Environment& shared = *found->second;
  if (shared.settings_.is_file != settings.is_file || shared.settings_.cache != settings.cache) {
    return OpenFailure(settings, Failure(Code::kBusy,
                                         "the file is open in this process already, "
                                         "by another path or durability"));
  }
  if (settings.map_size != 0 && settings.map_size > shared.map_size()) {
    return OpenFailure(
        settings, Failure(Code::kBusy, "another bucket of this file is open with a map_size of " +
                                           std::to_string(shared.map_size()) + " bytes")
                      .Hint("give all buckets of a file the same map_size"));
  }
  ++shared.users_;
  return Ref<Environment>(&shared);
}

Status Environment::Start() {
  if (Status status = PrepareLockFile(); !status.ok()) return status;
  int rc = settings_.map_size != 0 ? OpenMap(settings_.map_size) : OpenLargestMap();
  if (rc != 0) {
    rc = SharpenWriteError(rc, settings_.path);
    return OpenFailure(settings_, FailureOf(rc, "cannot open the environment"));
  }
  int error = 0;
  const bool complete = CompleteDataFile(env_, &error);
  if (!complete || error != 0) {
    mdb_env_close(std::exchange(env_, nullptr));
    if (complete) return OpenFailure(settings_, FailureOf(error, "cannot open the data file"));
    return OpenFailure(settings_,
                       Failure(Code::kCorrupt, "the data file is damaged: its end is missing")
                           .Hint("restore it from a copy, or remove it"));
  }
  int dead = 0;
  mdb_reader_check(env_, &dead);
  MDB_stat stat;
  mdb_env_stat(env_, &stat);
  page_size_ = stat.ms_psize;
  readers_ = MakeRef<ReaderPool>(env_, runtime_);
  writes_ =
      MakeRef<WriteQueue>(runtime_, [this](std::span<Write* const> group) { CommitGroup(group); });
  return Code::kOk;
}

// LMDB maps its lock file, which on a full disk would be a SIGBUS at the first byte that has no
// block. So it gets its blocks here, where the answer is an error.
Status Environment::PrepareLockFile() {
  constexpr off_t kReaderSize = 64;
  constexpr off_t kSize = (off_t{kMaxReaders} + 2) * kReaderSize;
  const std::string path = LockPath();
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  int error = fd < 0 ? errno : 0;
  struct stat info;
  if (fd >= 0 && fstat(fd, &info) == 0) {
    // Its size is kept, because from that LMDB tells how many readers there may be.
    const off_t size = std::max(info.st_size, kSize);
    const int failed = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) == 0 ? 0 : errno;
    if (failed != EOPNOTSUPP && failed != ENOSYS) error = failed;
  }
  // Nobody in this process has the file open yet, so closing it loses no lock.
  if (fd >= 0) close(fd);
  if (error == 0) return Code::kOk;
  return OpenFailure(settings_, FailureOf(error, "cannot prepare the lock file"));
}

int Environment::OpenMap(uint64_t map_size) {
  constexpr int kAttempts = 20;
  int rc = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    rc = mdb_env_create(&env_);
    if (rc == 0) rc = mdb_env_set_mapsize(env_, map_size);
    if (rc == 0) rc = mdb_env_set_maxdbs(env_, kMaxBuckets);
    if (rc == 0) rc = mdb_env_set_maxreaders(env_, kMaxReaders);
    const unsigned flags = MDB_NOTLS | (settings_.is_file ? MDB_NOSUBDIR : 0u) |
                           (settings_.cache ? MDB_NOSYNC | MDB_NOMETASYNC : 0u);
    if (rc == 0) rc = mdb_env_open(env_, settings_.path.c_str(), flags, 0666);
    if (rc == 0) return 0;
    mdb_env_close(std::exchange(env_, nullptr));
    // The data file was just seen to be good: these come from another process that is opening or
    // closing it at this moment.
    if (rc != MDB_INVALID && rc != EAGAIN && rc != EBUSY) return rc;
    usleep(5000);
  }
  return rc;
}

// A sparse map costs nothing but address space, of which not every process has a terabyte
// (ulimit -v, sanitizers, valgrind).
int Environment::OpenLargestMap() {
  int rc = ENOMEM;
  for (uint64_t size = kLargestMap; size >= kSmallestMap; size /= 2) {
    rc = OpenMap(size);
    if (rc != ENOMEM && rc != EINVAL) return rc;
  }
  return rc;
}

void Environment::Close() {
  Registry& registry = Registry::Process();
  MutexLock lock(registry.mutex);
  if (--users_ > 0) return;
  registry.open.erase(file_);
  readers_->Close();
  mdb_env_close(std::exchange(env_, nullptr));
}

uint64_t Environment::map_size() noexcept {
  MutexLock lock(write_mutex_);
  if (readers_->broken()) return 0;
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

// ---- Buckets ----

int Environment::OpenBucket(const char* name, MDB_dbi* dbi, unsigned* flags) {
  MutexLock write_lock(write_mutex_);
  MutexLock open_lock(open_mutex_);
  if (readers_->broken()) return MDB_PANIC;
  const auto known = name ? buckets_.find(std::string_view(name)) : buckets_.end();
  MDB_txn* txn;
  int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (rc == MDB_MAP_RESIZED && (rc = AdoptMapSize()) == 0) {
    rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  }
  if (rc != 0) return rc;
  if (known != buckets_.end()) {
    *dbi = known->second;
  } else {
    rc = mdb_dbi_open(txn, name, 0, dbi);
    if (rc == MDB_NOTFOUND) {
      mdb_txn_abort(txn);
      if ((rc = BeginWrite(&txn)) != 0) return rc;
      rc = mdb_dbi_open(txn, name, MDB_CREATE, dbi);
    }
  }
  if (rc == 0) rc = mdb_dbi_flags(txn, *dbi, flags);
  if (rc != 0) {
    mdb_txn_abort(txn);
    return rc;
  }
  // Also of a read transaction: its handles outlive it only by a commit.
  rc = SharpenWriteError(mdb_txn_commit(txn), settings_.path);
  if (rc == 0 && name) buckets_.emplace(name, *dbi);
  readers_->ForgetSnapshots();
  return rc;
}

bool Environment::NamesADatabase(Bytes key) {
  if (key.find('\0') != Bytes::npos) return false;  // a name is a C string
  MutexLock lock(open_mutex_);
  MDB_txn* txn;
  if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != 0) return false;
  MDB_dbi dbi;
  const int rc = mdb_dbi_open(txn, std::string(key).c_str(), 0, &dbi);
  mdb_txn_abort(txn);  // and with it the handle, if it is new
  // With no handle left it cannot be looked at, but only a database can have come that far.
  return rc == 0 || rc == MDB_DBS_FULL;
}

// ---- Reading ----

int Environment::Read(ReaderPool::Lease* lease) {
  int rc = readers_->Acquire(lease);
  if (rc != MDB_MAP_RESIZED) return rc;
  // Another process has a larger map, and has filled it beyond ours.
  MutexLock lock(write_mutex_);
  rc = readers_->Acquire(lease);
  if (rc != MDB_MAP_RESIZED) return rc;
  rc = AdoptMapSize();
  return rc != 0 ? rc : readers_->Acquire(lease);
}

int Environment::AdoptMapSize() {
  // If it fails, it has unmapped the old map already.
  return readers_->WhileQuiet([this] { return mdb_env_set_mapsize(env_, 0); });
}

// ---- Writing ----

// All of the group in one transaction, if all goes well. What fails is tried once more as the first
// of a transaction, where nothing that the others did can be the reason.
void Environment::CommitGroup(std::span<Write* const> group) {
  MutexLock lock(write_mutex_);
  readers_->DropOldSnapshots();
  bool one_by_one = false;
  bool advanced = false;
  size_t begin = 0;
  size_t end = group.size();
  while (begin < group.size()) {
    size_t failed = 0;
    const auto writes = group.subspan(begin, end - begin);
    const int rc = RunTransaction(writes, &failed);
    const bool in_commit = failed == writes.size();
    if (rc != 0 && !in_commit && failed > 0) {
      end = begin + failed;  // those before it were fine together
      continue;
    }
    if (rc != 0 && in_commit && writes.size() > 1 && (rc == MDB_MAP_FULL || rc == ENOSPC)) {
      one_by_one = true;
      end = begin + 1;
      continue;
    }
    if (rc == MDB_MAP_FULL && !advanced && space_.any_free()) {
      // What the last transaction freed becomes usable only after the next one, which a map that
      // is full by all appearances would never see; and dead readers may hold the rest.
      advanced = true;
      int dead = 0;
      mdb_reader_check(env_, &dead);
      if (AdvanceTransaction(group[begin]->dbi()) == 0) continue;
    }
    // A failed commit is the failure of all that were in it; a failed write is alone in `writes`,
    // or the first of those that are tried again without it.
    const size_t answered = in_commit ? writes.size() : 1;
    for (size_t at = 0; at < answered; ++at) {
      if (rc != 0) writes[at]->rc = rc;
    }
    begin += answered;
    end = one_by_one ? begin + 1 : group.size();
    advanced = false;
  }
}

int Environment::RunTransaction(std::span<Write* const> writes, size_t* failed) {
  *failed = writes.size();
  MDB_txn* txn;
  int rc = BeginWrite(&txn);
  if (rc != 0) return rc;
  space_.Begin(env_);
  for (size_t at = 0; at < writes.size(); ++at) {
    writes[at]->rc = 0;
    if ((rc = writes[at]->Apply(txn, &space_)) == 0) continue;
    mdb_txn_abort(txn);
    *failed = at;
    return rc;
  }
  rc = SharpenWriteError(mdb_txn_commit(txn), settings_.path);
  if (rc != 0) return rc;
  // Readers of dead processes keep pages from being used again.
  constexpr uint64_t kCommitsPerReaderCheck = 1024;
  int dead = 0;
  if (commits_.fetch_add(1, std::memory_order_relaxed) % kCommitsPerReaderCheck == 0) {
    mdb_reader_check(env_, &dead);
  }
  return 0;
}

int Environment::BeginWrite(MDB_txn** txn) {
  if (readers_->broken()) return MDB_PANIC;
  int rc = mdb_txn_begin(env_, nullptr, 0, txn);
  if (rc == MDB_MAP_RESIZED && (rc = AdoptMapSize()) == 0) {
    rc = mdb_txn_begin(env_, nullptr, 0, txn);
  }
  return rc;
}

// Two commits that change nothing: an entry comes and goes within each.
int Environment::AdvanceTransaction(MDB_dbi dbi) {
  constexpr int kCommits = 2;
  char name[] = "\xff\xff\xff\xff.chainstore";
  int rc = 0;
  for (int i = 0; i < kCommits && rc == 0; ++i) {
    MDB_txn* txn;
    if ((rc = BeginWrite(&txn)) != 0) return rc;
    MDB_val key = {sizeof(name), name};
    MDB_val value = {0, nullptr};
    rc = mdb_put(txn, dbi, &key, &value, MDB_NOOVERWRITE);
    if (rc == 0) rc = mdb_del(txn, dbi, &key, nullptr);
    if (rc != 0)
      mdb_txn_abort(txn);
    else
      rc = mdb_txn_commit(txn);
  }
  return rc;
}

}  // namespace chainstore::lmdb
