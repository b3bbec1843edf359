// PageReader: one page of a scan, in the order of the whole keys.
//
// LMDB's order is that of the stored keys, which is the wanted one except among keys that agree in
// their first 400 bytes, where digest forms stand among plain keys (stored_key.h). Such a group is
// walked as a whole, and the part of it that the page can hold is put in order: a scan of very many
// keys with one prefix of 400 bytes costs a walk of the group per page, but never more memory than
// a page of keys.
// Thread safety: none; it lives within one read transaction.
#pragma once

#include <lmdb.h>

#include <string>
#include <vector>

#include "core/answer.h"
#include "core/call.h"
#include "core/request.h"
#include "stores/lmdb/bucket.h"

namespace chainstore::lmdb {

class PageReader {
 public:
  PageReader(const Bucket& bucket, MDB_txn* txn, const Range& range, const Call& call);
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;
  ~PageReader();

  // Fills in entries and `more`. Returns 0 or LMDB's code; MDB_CORRUPTED with a `why`: a record
  // whose key cannot be told.
  int Read(Page* page);
  // Not kOk: the page was given up, because the call's time was up or it was cancelled.
  Code ended() const noexcept { return ended_; }
  const std::string& why() const noexcept { return why_; }
  // Entries that are damaged, by their place in the page, and why; their status is the caller's.
  const std::vector<std::pair<size_t, std::string>>& damaged() const noexcept { return damaged_; }

 private:
  struct Member {
    std::string key;
    MDB_val stored;
  };
  enum class Step : uint8_t { kGoOn, kEnough };

  int Seek();
  int Move() noexcept { return mdb_cursor_get(cursor_, &key_, &stored_, onward_); }
  bool IsPastTheEnd(Bytes key, Bytes first) const;
  bool InTime() noexcept;
  bool InGroup(Bytes prefix) const;
  int ReadGroup(Page* page, Step* step);
  int Consider(std::vector<Member>* members);
  Step Offer(Bytes key, const MDB_val& stored, Page* page);
  bool Comes(Bytes first, Bytes second) const {
    return range_.reverse ? first > second : first < second;
  }

  const Bucket& bucket_;
  MDB_txn* const txn_;
  const Range& range_;
  const Call& call_;
  const MDB_cursor_op onward_;
  const std::string first_;   // no key before it is wanted
  const std::string beyond_;  // no key from it on is wanted; empty: there is no such key
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_ = {0, nullptr};
  MDB_val stored_ = {0, nullptr};
  size_t bytes_ = 0;
  size_t steps_ = 0;
  Code ended_ = Code::kOk;
  std::string why_;
  std::vector<std::pair<size_t, std::string>> damaged_;
};

}  // namespace chainstore::lmdb
