#include "stores/lmdb/bucket.h"

#include <algorithm>

#include "stores/lmdb/map_space.h"
#include "stores/lmdb/stored_key.h"

namespace chainstore::lmdb {
namespace {

// LMDB keeps sizes in 32 bits.
constexpr uint64_t kMaxStoredSize = 0xffffffff;
constexpr uint64_t kKeySizeField = 2;
// What LMDB stores for a named database (its MDB_db).
constexpr size_t kDatabaseEntrySize = 48;

}  // namespace

bool Bucket::Decode(const MDB_val& stored, Bytes key, bool checked, RecordView* view,
                    std::string* why) const {
  const Bytes bytes = ToBytes(stored);
  if (raw) {
    *view = RecordView();
    view->meta.total_size = bytes.size();
    view->value = bytes;
    return true;
  }
  if (!DecodeRecord(bytes, key, checked && verify, view, why)) return false;
  const bool keeps_key = !view->key.empty();
  const bool needs_key = key.empty() || StoredKey::NeedsDigest(key.size());
  if (keeps_key == needs_key && (key.empty() || !keeps_key || view->key == key)) return true;
  *why = "a record of another key";
  return false;
}

bool Bucket::IsDatabase(const MDB_val& stored_key, const MDB_val& stored) const {
  return unnamed && stored.mv_size == kDatabaseEntrySize &&
         env->NamesADatabase(ToBytes(stored_key));
}

uint64_t Bucket::NextVersion() noexcept {
  const uint64_t now_us = static_cast<uint64_t>(clock->WallUs());
  const uint64_t next = std::max(now_us, last_version.load(std::memory_order_relaxed) + 1);
  last_version.store(next, std::memory_order_relaxed);
  return next;
}

uint64_t Bucket::EntryCost(size_t key_size, uint64_t value_size) const noexcept {
  if (raw) return MapSpace::EntryCost(key_size, value_size, env->page_size());
  const bool digest = StoredKey::NeedsDigest(key_size);
  const uint64_t header = kRecordHeaderSize + (digest ? kKeySizeField + key_size : 0);
  return MapSpace::EntryCost(digest ? kDigestFormSize : key_size, header + value_size,
                             env->page_size());
}

size_t Bucket::max_key_size() const noexcept { return raw ? kMaxPlainKeySize : kMaxKeySize; }

uint64_t Bucket::max_value_size() const noexcept {
  return raw ? kMaxStoredSize : kMaxStoredSize - kRecordHeaderSize - kKeySizeField - kMaxKeySize;
}

}  // namespace chainstore::lmdb
