#include "stores/lmdb/map_space.h"

#include <algorithm>
#include <cstring>

namespace chainstore::lmdb {
namespace {

// LMDB's page and node headers, the offset of a node, and the page number that stands in a node for
// what lies on overflow pages.
constexpr uint64_t kPageHeader = 16;
constexpr uint64_t kNodeHeader = 8;
constexpr uint64_t kNodeOffset = 2;
constexpr uint64_t kPageNumber = 8;
// At least two nodes fit a page; what is larger goes to overflow pages.
constexpr uint64_t kMinNodes = 2;

constexpr uint64_t kMaxReserve = uint64_t{64} << 20;
constexpr uint64_t kReservePart = 8;

}  // namespace

uint64_t MapSpace::EntryCost(uint64_t stored_key_size, uint64_t stored_size, uint32_t page_size) {
  const uint64_t largest_node =
      ((page_size - kPageHeader) / kMinNodes & ~uint64_t{1}) - kNodeOffset;
  uint64_t node = kNodeHeader + stored_key_size + stored_size;
  uint64_t overflow = 0;
  if (node > largest_node) {
    node = kNodeHeader + stored_key_size + kPageNumber;
    overflow = (kPageHeader - 1 + stored_size) / page_size + 1;
  }
  // Nodes begin at even addresses. A full page that is split leaves half of its nodes, rounded
  // down, on one of the two.
  const uint64_t in_leaf = ((node + 1) & ~uint64_t{1}) + kNodeOffset;
  const uint64_t fit = (page_size - kPageHeader) / in_leaf;
  const uint64_t fewest = std::max<uint64_t>(fit / 2, 1);
  // A branch has a node for each leaf, and can be half empty, too.
  const uint64_t in_branch = 2 * (kNodeHeader + stored_key_size + kNodeOffset);
  return (page_size + in_branch) / fewest + overflow * page_size;
}

uint64_t MapSpace::ReserveBytes(uint64_t map_size) {
  return std::min(map_size / kReservePart, kMaxReserve);
}

void MapSpace::Begin(MDB_env* env) noexcept {
  MDB_envinfo info;
  MDB_stat stat;
  mdb_env_info(env, &info);
  mdb_env_stat(env, &stat);
  env_ = env;
  page_size_ = stat.ms_psize;
  snapshot_ = info.me_last_txnid;
  const uint64_t used = (uint64_t{info.me_last_pgno} + 1) * page_size_;
  left_ = static_cast<int64_t>(info.me_mapsize) - static_cast<int64_t>(used) -
          static_cast<int64_t>(ReserveBytes(info.me_mapsize));
  free_included_ = false;
}

bool MapSpace::Take(uint64_t bytes) noexcept {
  const auto wanted = static_cast<int64_t>(bytes);
  if (left_ < wanted && !free_included_) {
    // Walked only near the end of the map, and not again while nothing was committed.
    if (counted_snapshot_ != snapshot_) CountFreePages();
    left_ += static_cast<int64_t>(free_pages_ * page_size_);
    free_included_ = true;
  }
  if (left_ < wanted) return false;
  left_ -= wanted;
  return true;
}

void MapSpace::CountFreePages() noexcept {
  constexpr MDB_dbi kFreeList = 0;
  free_pages_ = 0;
  // A write transaction does not open its free list, but what it builds on can be read.
  MDB_txn* txn;
  MDB_cursor* cursor;
  if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != 0) return;
  if (mdb_cursor_open(txn, kFreeList, &cursor) != 0) return mdb_txn_abort(txn);
  MDB_val key, list;
  // Each record: a count, then as many page numbers.
  for (MDB_cursor_op op = MDB_FIRST; mdb_cursor_get(cursor, &key, &list, op) == 0; op = MDB_NEXT) {
    uint64_t count = 0;
    if (list.mv_size >= sizeof(count)) memcpy(&count, list.mv_data, sizeof(count));
    free_pages_ += count;
  }
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  counted_snapshot_ = snapshot_;
}

}  // namespace chainstore::lmdb
