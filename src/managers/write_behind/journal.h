// Journal: where acknowledged writes are kept until they are delivered, as the queue sees it. The
// queue calls it at the commit points of write-behind.md:
//   Append      before a write can be read, delivered or acknowledged
//   MarkDone    once the inner store has a record (and with it every older one of its key)
//   MarkParked  once a record is put aside with its value
// NoJournal is the queue in memory: a commit is immediate, and there is nothing to mark.
// Thread safety: any thread; never called under the queue's lock. Two records of one key are never
// appended at once: the queue holds the key from Append until its commit.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/function.h"
#include "base/status.h"
#include "core/value.h"

namespace chainstore::behind {

struct JournalRecord {
  OwnedKey key;
  Ref<Value> value;  // null: a delete
  int64_t expires_at_ms = 0;
  uint64_t sequence = 0;  // grows over all keys
};

class Journal {
 public:
  virtual ~Journal() = default;
  // Whether every Append commits before it returns: the queue then need not hold keys for it.
  virtual bool commits_at_once() const noexcept = 0;
  // `committed` runs once, on any thread, perhaps before this returns: OK, and the record survives
  // what the journal promises; or a failure, and it was never written.
  virtual void Append(JournalRecord record, Done<Status> committed) noexcept = 0;
  // Losing a mark only repeats an idempotent delivery: nothing waits for it.
  virtual void MarkDone(Bytes key, uint64_t sequence) noexcept = 0;
  virtual void MarkParked(Bytes key, uint64_t sequence) noexcept = 0;
};

class NoJournal final : public Journal {
 public:
  bool commits_at_once() const noexcept override { return true; }
  void Append(JournalRecord, Done<Status> committed) noexcept override { committed(Status()); }
  void MarkDone(Bytes, uint64_t) noexcept override {}
  void MarkParked(Bytes, uint64_t) noexcept override {}
};

}  // namespace chainstore::behind
