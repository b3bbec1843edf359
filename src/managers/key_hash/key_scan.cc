#include "managers/key_hash/key_scan.h"

#include <algorithm>
#include <iterator>

#include "core/below.h"
#include "core/limit.h"
#include "managers/key_hash/hashed_value.h"

namespace chainstore {

bool KeyScan::Step() {
  if (!std::exchange(reading_, true)) {
    ReadPage();
    return true;
  }
  if (!page_.status.ok() && !page_.status.Is(Code::kEnd)) return Finish(std::move(page_.status));
  for (Entry& entry : page_.entries) {
    std::string place = entry.key;
    if (Status wrong = Take(entry); !wrong.ok()) return Finish(std::move(wrong));
    below_.after = std::move(place);
    below_.has_after = true;
  }
  if (page_.status.Is(Code::kEnd) || !page_.more) return Finish(Status());
  if (const Code ended = call_.Check(); ended != Code::kOk && call_.wait != Wait::kNever) {
    return Finish(EndedStatus(ended, owner_->name(), "scan"));
  }
  ReadPage();
  return true;
}

void KeyScan::ReadPage() {
  Below(inner_).Scan(below_, call_, [this, self = Ref<KeyScan>(this)](Page&& page) {
    page_ = std::move(page);
    Resume();
  });
}

Status KeyScan::Take(Entry& entry) {
  HashedValue stored;
  if (!entry.value || !DecodeHashed(entry.value->bytes(), &stored)) {
    return Failure(Code::kCorrupt, "an entry that no key_hash wrote is in " + inner_.name())
        .Store(owner_->name())
        .Op("scan")
        .KeyIs(entry.key)
        .Hint("give key_hash a store of its own");
  }
  if (!range_.Contains(stored.key)) return Status();
  // Beyond what the page will hold: the rest of the work is saved.
  if (dropped_ && (range_.reverse ? stored.key < nearest_.begin()->first
                                  : stored.key > nearest_.rbegin()->first)) {
    return Status();
  }
  const size_t header = kHashedHeaderSize + stored.key.size();
  Entry kept;
  kept.key = std::string(stored.key);
  kept.flags = entry.flags;
  kept.meta = entry.meta;
  kept.meta.total_size -= header;
  if (!range_.keys_only) {
    // A copy: a slice would keep a page of the engine for each entry that stays.
    kept.value = Value::Copy(stored.value);
    bytes_ += stored.value.size();
  }
  nearest_.insert_or_assign(kept.key, std::move(kept));
  while (nearest_.size() > std::min(range_.Limit(), Range::kMaxPageSize)) DropFarthest();
  // A page ends with the entry that reaches the limit of its bytes.
  while (nearest_.size() > 1 && bytes_ > Range::kMaxPageBytes) {
    const Entry& farthest = range_.reverse ? nearest_.begin()->second : nearest_.rbegin()->second;
    if (bytes_ - farthest.meta.total_size < Range::kMaxPageBytes) break;
    DropFarthest();
  }
  return Status();
}

void KeyScan::DropFarthest() {
  const auto farthest = range_.reverse ? nearest_.begin() : std::prev(nearest_.end());
  if (farthest->second.value) bytes_ -= farthest->second.value->size();
  nearest_.erase(farthest);
  dropped_ = true;
}

bool KeyScan::Finish(Status status) {
  Page page;
  page.status = std::move(status);
  if (page.status.ok()) {
    for (auto& [key, entry] : nearest_) page.entries.push_back(std::move(entry));
    if (range_.reverse) std::reverse(page.entries.begin(), page.entries.end());
    page.more = dropped_;
    if (page.entries.empty()) page.status = Code::kEnd;
  }
  done_(std::move(page));
  return false;
}

}  // namespace chainstore
