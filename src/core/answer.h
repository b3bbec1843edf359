// What operations answer: Answer (get, range, stat), Hit (get, the short way), Receipt (put, del),
// Entries (get_many, write), Page (scan).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "core/batch.h"
#include "core/value.h"

namespace chainstore {

// The bits of cs_result.flags.
enum ResultFlag : uint32_t {
  kResultStale = 1u << 0,
  kResultPending = 1u << 1,
  kResultParked = 1u << 2,
};

// What is known of an entry beside its bytes.
struct Meta {
  uint64_t total_size = 0;    // of the whole value, also for a range and a stat
  int64_t expires_at_ms = 0;  // Unix time; 0: never
  uint64_t version = 0;       // 0: not known
};

struct Answer {
  Status status;
  uint32_t flags = 0;
  uint32_t tier = 0;  // which data store below answered, counted from 1; 0: none
  Meta meta;
  Ref<Value> value;  // null for a stat and unless status is OK

  Answer() = default;
  Answer(Status failure) : status(std::move(failure)) {}  // NOLINT: an ending is an Answer
  Answer(Code code) : status(code) {}                     // NOLINT
};

// What Store::GetHit finds: a whole value, of the nearest data store (tier 1).
struct Hit {
  Ref<Value> value;
  int64_t expires_at_ms = 0;
  uint64_t version = 0;
};

struct Receipt {
  Status status;
  uint32_t flags = 0;
  Meta meta;

  Receipt() = default;
  Receipt(Status ending) : status(std::move(ending)) {}  // NOLINT: an ending is a Receipt
  Receipt(Code code) : status(code) {}                   // NOLINT
};

struct Entry {
  Status status;
  uint32_t flags = 0;
  Meta meta;
  std::string key;
  Ref<Value> value;
};

struct Entries {
  Status status;  // kOk, kPartial (each entry tells), or the first failure if all failed
  std::vector<Entry> entries;
  // Whose keys the entries of a write have that are without. Set by who asked.
  Ref<const Batch> batch;

  Entries() = default;
  Entries(Status failure) : status(std::move(failure)) {}  // NOLINT: an ending is an Entries
  // Sets `status` from the entries, by the rule above.
  void Summarise(std::string_view store, std::string_view operation);
};

struct Page {
  Status status;  // kOk with at least one entry, kEnd with none, or a failure
  std::vector<Entry> entries;
  // Where the next page begins: the scan goes on strictly beyond the last entry's key.
  bool more = false;

  Page() = default;
  Page(Status failure) : status(std::move(failure)) {}  // NOLINT: an ending is a Page
  Page(Code code) : status(code) {}                     // NOLINT
};

}  // namespace chainstore
