#include "stores/lmdb/page_reader.h"

#include <algorithm>

#include "stores/lmdb/stored_key.h"

namespace chainstore::lmdb {

PageReader::PageReader(const Bucket& bucket, MDB_txn* txn, const Range& range, const Call& call)
    : bucket_(bucket),
      txn_(txn),
      range_(range),
      call_(call),
      onward_(range.reverse ? MDB_PREV : MDB_NEXT),
      first_(range.First()),
      beyond_(range.Beyond()) {}

PageReader::~PageReader() {
  if (cursor_) mdb_cursor_close(cursor_);
}

int PageReader::Read(Page* page) {
  int rc = mdb_cursor_open(txn_, bucket_.dbi, &cursor_);
  if (rc == 0) rc = Seek();
  Step step = Step::kGoOn;
  while (rc == 0 && step == Step::kGoOn && InTime()) {
    const Bytes key = ToBytes(key_);
    if (!bucket_.raw && key.size() >= kDigestPrefixSize) {
      const Bytes first_group = Bytes(first_).substr(0, kDigestPrefixSize);
      if (IsPastTheEnd(key.substr(0, kDigestPrefixSize), first_group)) break;
      rc = ReadGroup(page, &step);
      continue;
    }
    if (IsPastTheEnd(key, first_)) break;
    if (range_.Contains(key) && !bucket_.IsDatabase(key_, stored_)) {
      step = Offer(key, stored_, page);
    }
    if (step == Step::kGoOn) rc = Move();
  }
  return rc == MDB_NOTFOUND ? 0 : rc;
}

// To the first entry, or group, that can belong to the page. What is before it in the order of
// stored keys only is sorted out by Range::Contains.
int PageReader::Seek() {
  const size_t longest = bucket_.raw ? kMaxPlainKeySize : kDigestPrefixSize;
  if (!range_.reverse) {
    if (first_.empty()) return mdb_cursor_get(cursor_, &key_, &stored_, MDB_FIRST);
    key_ = {std::min(first_.size(), longest), const_cast<char*>(first_.data())};
    return mdb_cursor_get(cursor_, &key_, &stored_, MDB_SET_RANGE);
  }
  const std::string above =
      beyond_.size() > longest ? PrefixEnd(Bytes(beyond_).substr(0, longest)) : beyond_;
  if (above.empty()) return mdb_cursor_get(cursor_, &key_, &stored_, MDB_LAST);
  key_ = {above.size(), const_cast<char*>(above.data())};
  const int rc = mdb_cursor_get(cursor_, &key_, &stored_, MDB_SET_RANGE);
  if (rc == MDB_NOTFOUND) return mdb_cursor_get(cursor_, &key_, &stored_, MDB_LAST);
  return rc == 0 ? Move() : rc;
}

// For a group, `key` is its prefix, which no key of the group comes before, and `first` that of the
// group which the first wanted key belongs to.
bool PageReader::IsPastTheEnd(Bytes key, Bytes first) const {
  return range_.reverse ? key < first : !beyond_.empty() && key >= beyond_;
}

bool PageReader::InTime() noexcept {
  constexpr size_t kStepsPerCheck = 256;
  if (++steps_ % kStepsPerCheck == 0) ended_ = call_.Check();
  return ended_ == Code::kOk;
}

bool PageReader::InGroup(Bytes prefix) const {
  const Bytes key = ToBytes(key_);
  return key.size() >= kDigestPrefixSize && key.starts_with(prefix);
}

int PageReader::ReadGroup(Page* page, Step* step) {
  const std::string prefix(ToBytes(key_).substr(0, kDigestPrefixSize));
  std::vector<Member> members;
  int rc = 0;
  while (rc == 0 && InGroup(prefix)) {
    if (!InTime()) return 0;
    rc = Consider(&members);
    if (rc == 0) rc = Move();
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return rc;
  std::sort(members.begin(), members.end(),
            [this](const Member& a, const Member& b) { return Comes(a.key, b.key); });
  for (const Member& member : members) {
    *step = Offer(member.key, member.stored, page);
    if (*step == Step::kEnough) break;
  }
  return rc;
}

// Keeps the entry at the cursor if it is among the first of the group that the page may need: a
// heap with the last of those on top.
int PageReader::Consider(std::vector<Member>* members) {
  Bytes key = ToBytes(key_);
  RecordView view;
  const bool is_digest = key.size() == kDigestFormSize;
  std::string why;
  if (!bucket_.Decode(stored_, is_digest ? Bytes() : key, false, &view, &why)) {
    if (is_digest) {
      why_ = why;
      return MDB_CORRUPTED;
    }
  } else if (bucket_.IsExpired(view.meta)) {
    return 0;
  }
  if (is_digest) key = view.key;
  if (!range_.Contains(key)) return 0;
  const auto comes = [this](const Member& a, const Member& b) { return Comes(a.key, b.key); };
  const size_t most = size_t{range_.Limit()} + 1;
  if (members->size() == most) {
    if (!Comes(key, members->front().key)) return 0;
    std::pop_heap(members->begin(), members->end(), comes);
    members->pop_back();
  }
  members->push_back({std::string(key), stored_});
  std::push_heap(members->begin(), members->end(), comes);
  return 0;
}

PageReader::Step PageReader::Offer(Bytes key, const MDB_val& stored, Page* page) {
  RecordView view;
  std::string why;
  const bool good = bucket_.Decode(stored, key, !range_.keys_only, &view, &why);
  if (good && bucket_.IsExpired(view.meta)) return Step::kGoOn;
  if (page->entries.size() >= range_.Limit() || bytes_ >= Range::kMaxPageBytes) {
    page->more = true;
    return Step::kEnough;
  }
  Entry& entry = page->entries.emplace_back();
  entry.key = key;
  if (!good) {
    damaged_.emplace_back(page->entries.size() - 1, std::move(why));
    return Step::kGoOn;
  }
  entry.meta = view.meta;
  if (!range_.keys_only) {
    entry.value = Value::Copy(view.value);
    bytes_ += view.value.size();
  }
  return Step::kGoOn;
}

}  // namespace chainstore::lmdb
