// Bucket: one database of an environment, and how its entries are stored: as records
// (stores/record.h), or plain (format=raw).
// Thread safety: any thread; immutable but for the last version, which is the writer's.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <string>

#include "base/clock.h"
#include "core/answer.h"
#include "stores/lmdb/environment.h"
#include "stores/record.h"

namespace chainstore::lmdb {

struct Bucket {
  Ref<Environment> env;
  const Clock* clock = nullptr;
  MDB_dbi dbi = 0;
  bool raw = false;
  bool verify = true;
  bool unnamed = false;  // beside its entries lie the names of the other databases
  std::atomic<uint64_t> last_version{0};

  // What is stored under a key. False: it is damaged (*why says how). An empty `key` takes the one
  // that the record keeps, which an entry under a digest form must.
  bool Decode(const MDB_val& stored, Bytes key, bool checked, RecordView* view,
              std::string* why) const;
  // The stored bytes of the unnamed database are no entry but another database.
  bool IsDatabase(const MDB_val& stored_key, const MDB_val& stored) const;
  bool IsExpired(const Meta& meta) const noexcept {
    return meta.expires_at_ms != 0 && meta.expires_at_ms <= clock->WallMs();
  }
  uint64_t NextVersion() noexcept;
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept;
  size_t max_key_size() const noexcept;
  uint64_t max_value_size() const noexcept;
};

inline Bytes ToBytes(const MDB_val& val) {
  return Bytes(static_cast<const char*>(val.mv_data), val.mv_size);
}

}  // namespace chainstore::lmdb
