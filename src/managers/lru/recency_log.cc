#include "managers/lru/recency_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace chainstore {
namespace {

constexpr char kMagic[] = "CSRECENT";
constexpr size_t kHeaderSize = 16;
constexpr size_t kBatchHeaderSize = 8;
constexpr size_t kMaxBatch = 65536;
constexpr off_t kMaxFileSize = off_t{4} << 30;

void PutNumber(std::string* out, uint64_t number, size_t bytes) {
  for (size_t at = 0; at < bytes; ++at) out->push_back(static_cast<char>(number >> (8 * at)));
}

uint64_t GetNumber(Bytes from, size_t bytes) {
  uint64_t number = 0;
  for (size_t at = 0; at < bytes; ++at) {
    number |= uint64_t{static_cast<unsigned char>(from[at])} << (8 * at);
  }
  return number;
}

std::string Header() {
  std::string header(kMagic, 8);
  PutNumber(&header, 1, 4);
  PutNumber(&header, Crc32c(header), 4);
  return header;
}

void AddBatches(std::string* out, std::span<const uint64_t> fingerprints) {
  while (!fingerprints.empty()) {
    const size_t count = std::min(fingerprints.size(), kMaxBatch);
    std::string number, body;
    PutNumber(&number, count, 4);
    body.reserve(count * 8);
    for (const uint64_t each : fingerprints.first(count)) PutNumber(&body, each, 8);
    *out += number;
    PutNumber(out, Crc32c(body, Crc32c(number)), 4);
    *out += body;
    fingerprints = fingerprints.subspan(count);
  }
}

Status WriteAll(int fd, Bytes bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return Failure(CodeOfErrno(errno), "cannot write the recency log").Errno(errno).Path(path);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return Code::kOk;
}

Status ReadAll(int fd, const std::string& path, std::string* bytes) {
  struct stat status;
  if (fstat(fd, &status) != 0 || status.st_size < 0) {
    return Failure(CodeOfErrno(errno), "cannot read the recency log").Errno(errno).Path(path);
  }
  if (status.st_size > kMaxFileSize) {
    return Failure(Code::kCorrupt, "the recency log is far larger than it can be").Path(path);
  }
  bytes->resize(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (have < bytes->size()) {
    const ssize_t got =
        pread(fd, bytes->data() + have, bytes->size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Failure(CodeOfErrno(errno), "cannot read the recency log").Errno(errno).Path(path);
    }
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes->resize(have);
  return Code::kOk;
}

// The size of the batch at the front of `rest`; 0: there is no whole and sound one.
size_t SoundBatch(Bytes rest) {
  if (rest.size() < kBatchHeaderSize) return 0;
  const uint64_t count = GetNumber(rest, 4);
  if (count == 0 || count > kMaxBatch || (rest.size() - kBatchHeaderSize) / 8 < count) return 0;
  const Bytes body = rest.substr(kBatchHeaderSize, count * 8);
  if (Crc32c(body, Crc32c(rest.substr(0, 4))) != GetNumber(rest.substr(4), 4)) return 0;
  return kBatchHeaderSize + body.size();
}

Status MakeDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) {
      return Failure(CodeOfErrno(errno), "cannot make the recency log's directory")
          .Errno(errno)
          .Path(part);
    }
    if (slash == std::string::npos) return Code::kOk;
  }
}

}  // namespace

uint64_t KeyFingerprint(Bytes key) noexcept { return XXH64(key.data(), key.size(), 0); }

Result<std::unique_ptr<RecencyLog>> RecencyLog::Open(const std::string& directory, Bytes name) {
  if (Status made = MakeDirectories(directory); !made.ok()) return made;
  char id[17];
  snprintf(id, sizeof id, "%016llx", static_cast<unsigned long long>(KeyFingerprint(name)));
  const std::string path = directory + "/" + id;
  // The lock is a file of its own: the log is replaced when it is rewritten.
  const std::string lock_path = path + ".lock";
  const int lock_fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_fd < 0) {
    return Failure(CodeOfErrno(errno), "cannot open the recency log's lock")
        .Errno(errno)
        .Path(lock_path);
  }
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  if (fcntl(lock_fd, F_OFD_SETLK, &lock) != 0) {
    const int error = errno;
    close(lock_fd);
    if (error == EAGAIN || error == EACCES) {
      return Failure(Code::kBusy, "another LRU keeps the recency log of this store")
          .Path(lock_path);
    }
    return Failure(CodeOfErrno(error), "cannot lock the recency log").Errno(error).Path(lock_path);
  }
  return std::unique_ptr<RecencyLog>(new RecencyLog(directory, path + ".log", lock_fd));
}

RecencyLog::~RecencyLog() {
  if (fd_ >= 0) close(fd_);
  close(lock_fd_);
}

Status RecencyLog::Load(std::vector<uint64_t>* fingerprints) {
  fingerprints->clear();
  const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return Code::kOk;
  if (fd < 0) {
    return Failure(CodeOfErrno(errno), "cannot open the recency log").Errno(errno).Path(path_);
  }
  std::string bytes;
  Status status = ReadAll(fd, path_, &bytes);
  const bool sound = status.ok() && bytes.starts_with(Header());
  size_t at = kHeaderSize;
  if (sound) {
    while (const size_t size = SoundBatch(Bytes(bytes).substr(at))) {
      for (size_t each = at + kBatchHeaderSize; each < at + size; each += 8) {
        fingerprints->push_back(GetNumber(Bytes(bytes).substr(each), 8));
      }
      at += size;
    }
  }
  if (status.ok() && (!sound || at < bytes.size())) {
    status = Failure(Code::kCorrupt, "the recency log is damaged or cut off after " +
                                         std::to_string(fingerprints->size()) + " keys")
                 .Path(path_)
                 .Hint("the order of use of the others is guessed; nothing else is lost");
  }
  // What comes next must not stand behind the damage.
  if (!sound || (at < bytes.size() && ftruncate(fd, static_cast<off_t>(at)) != 0)) {
    close(fd);
    return status;
  }
  fd_ = fd;
  end_ = at;
  size_ = fingerprints->size();
  return status;
}

Status RecencyLog::Append(std::span<const uint64_t> fingerprints) {
  if (fd_ < 0) return Rewrite(fingerprints);
  std::string bytes;
  AddBatches(&bytes, fingerprints);
  const Status status = WriteAll(fd_, bytes, end_, path_);
  if (!status.ok()) {
    // Half a batch would hide all that follows it.
    if (ftruncate(fd_, static_cast<off_t>(end_)) != 0) {
      close(fd_);
      fd_ = -1;
    }
    return status;
  }
  end_ += bytes.size();
  size_ += fingerprints.size();
  return Code::kOk;
}

Status RecencyLog::Rewrite(std::span<const uint64_t> fingerprints) {
  const std::string temporary = path_ + ".new";
  const int fd = open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    return Failure(CodeOfErrno(errno), "cannot write the recency log").Errno(errno).Path(temporary);
  }
  std::string bytes = Header();
  AddBatches(&bytes, fingerprints);
  Status status = WriteAll(fd, bytes, 0, temporary);
  // Not synced: a power loss that tears it costs the order of use, and the checksums tell.
  if (status.ok() && rename(temporary.c_str(), path_.c_str()) != 0) {
    status = Failure(CodeOfErrno(errno), "cannot replace the recency log").Errno(errno).Path(path_);
  }
  if (!status.ok()) {
    close(fd);
    unlink(temporary.c_str());
    return status;
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  end_ = bytes.size();
  size_ = fingerprints.size();
  return Code::kOk;
}

}  // namespace chainstore
