// RecencyLog: the order of use of a store's entries in a file, so that an LRU is warm after a
// restart. Only hints: losing it, or part of it, loses an order and nothing else.
//
// The file, all numbers little-endian:
//   offset  bytes
//        0      8  "CSRECENT"
//        8      4  format: 1
//       12      4  CRC32C of bytes 0 to 11
// then batches, each
//        0      4  count: 1 to 65,536
//        4      4  CRC32C of the count and what follows
//        8      8  count times: XXH64 (seed 0) of a key
// Later means more recently used; the last mention of a key counts. A batch that is cut off or does
// not match its checksum ends the log.
//
// Thread safety: none; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace chainstore {

// What stands for a key in the log: XXH64, which never changes (HashBytes may).
uint64_t KeyFingerprint(Bytes key) noexcept;

class RecencyLog {
 public:
  // In `directory`, which is made if it is absent; `name` tells the logs of one directory apart.
  // One owner at a time: kBusy if somebody else has it.
  static Result<std::unique_ptr<RecencyLog>> Open(const std::string& directory, Bytes name);
  ~RecencyLog();
  RecencyLog(const RecencyLog&) = delete;
  RecencyLog& operator=(const RecencyLog&) = delete;

  // All that can be read, the oldest first. The failure, if there is one, tells what is wrong with
  // the rest, which is cut off.
  Status Load(std::vector<uint64_t>* fingerprints);
  Status Append(std::span<const uint64_t> fingerprints);
  // Replaces what is there, atomically.
  Status Rewrite(std::span<const uint64_t> fingerprints);
  // Fingerprints in the file.
  uint64_t size() const noexcept { return size_; }

 private:
  RecencyLog(std::string directory, std::string path, int lock_fd)
      : directory_(std::move(directory)), path_(std::move(path)), lock_fd_(lock_fd) {}

  const std::string directory_;
  const std::string path_;
  const int lock_fd_;
  int fd_ = -1;       // open for appending; -1: there is no file that could be appended to
  uint64_t end_ = 0;  // where the next batch goes
  uint64_t size_ = 0;
};

}  // namespace chainstore
