#include "stores/s3/s3_scan.h"

#include <algorithm>

#include "stores/s3/digest.h"
#include "stores/s3/list_reply.h"
#include "stores/s3/parallel.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kListPage = 1000;

// Beyond every key of the range, in the order of keys.
bool IsBeyond(const Range& range, Bytes key) {
  if (range.has_end && key >= range.end) return true;
  if (range.has_after && range.reverse && key >= range.after) return true;
  return key > range.prefix && !key.starts_with(range.prefix);
}

}  // namespace

S3Scan::S3Scan(Ref<S3Objects> objects, const Range& range, const Call& call, Scanned done)
    : objects_(std::move(objects)), range_(range), call_(call), done_(std::move(done)) {}

void S3Scan::Begin() {
  const ObjectKeys& keys = objects_->keys();
  const Bytes prefix = range_.prefix;
  const Bytes first = range_.First();
  const bool exclusive = range_.has_after && !range_.reverse && first == Bytes(range_.after);
  Stream& plain = streams_[0] = Stream();
  plain.prefix = keys.prefix() + std::string(prefix.substr(0, PlainSize(prefix)));
  plain.start_after = keys.PlainListStart(first, exclusive);
  Stream& escaped = streams_[1] = Stream();
  escaped.escaped = true;
  escaped.prefix = keys.escaped_prefix() + Hex(keys.GroupOf(prefix));
  escaped.start_after = keys.EscapedListStart(first);
  chosen_.clear();
  entries_.clear();
  more_ = false;
  Fill();
}

// ---- Lists ----

void S3Scan::Fill() {
  RunParallel(
      2, 2,
      [self = Ref<S3Scan>(this)](size_t at, UniqueFunction<void()> next) {
        Stream& stream = self->streams_[at];
        if (!stream.wanting()) return next();
        self->Fetch(stream, std::move(next));
      },
      [self = Ref<S3Scan>(this)] { self->OnFilled(); });
}

void S3Scan::Fetch(Stream& stream, UniqueFunction<void()> next) {
  const size_t most = range_.reverse ? kListPage : range_.Limit() + 1;
  objects_->List(
      stream.prefix, stream.start_after, most, call_,
      [self = Ref<S3Scan>(this), &stream, next = std::move(next)](S3Reply&& reply) mutable {
        self->TakeList(stream, std::move(reply), std::move(next));
      });
}

void S3Scan::TakeList(Stream& stream, S3Reply&& reply, UniqueFunction<void()> next) {
  stream.status = std::move(reply.status);
  if (!stream.status.ok()) return next();
  ListReply list;
  if (const char* wrong = list.Read(*reply.root, stream.prefix, stream.start_after)) {
    stream.status = objects_->Fail(Code::kIo, "scan", wrong).Retryable(false);
    return next();
  }
  const ObjectKeys& keys = objects_->keys();
  if (!list.objects.empty()) stream.start_after = list.objects.back().key;
  std::vector<Candidate> found;
  bool past = false, digests = false;
  for (ListReply::Object& object : list.objects) {
    if (!stream.escaped && object.key.starts_with(keys.escaped_prefix())) {
      // The other list's: beyond all of them.
      stream.start_after = std::max(stream.start_after, keys.escaped_prefix() + "g");
      continue;
    }
    Candidate candidate;
    const ObjectKeys::Form form = keys.Decode(object.key, &candidate.key);
    if (form == ObjectKeys::Form::kForeign) continue;
    if (form == ObjectKeys::Form::kDigest) {
      digests = true;
      candidate.key.clear();
    }
    past = past || (form == ObjectKeys::Form::kPlain && IsBeyond(range_, candidate.key));
    candidate.object = std::move(object.key);
    candidate.size = object.size;
    found.push_back(std::move(candidate));
  }
  const bool truncated = list.truncated && !past;
  if (digests) return LearnKeys(stream, std::move(found), truncated, std::move(next));
  Offer(stream, std::move(found), truncated);
  next();
}

void S3Scan::LearnKeys(Stream& stream, std::vector<Candidate> found, bool truncated,
                       UniqueFunction<void()> next) {
  auto shared = std::make_shared<std::vector<Candidate>>(std::move(found));
  auto failed = std::make_shared<std::vector<Status>>(shared->size());
  RunParallel(
      shared->size(), objects_->settings().concurrency,
      [self = Ref<S3Scan>(this), shared, failed](size_t at, UniqueFunction<void()> next) {
        Candidate& candidate = (*shared)[at];
        if (!candidate.key.empty()) return next();
        self->objects_->Head(candidate.object, "", self->call_, "scan",
                             [self, shared, failed, at, next = std::move(next)](
                                 Status&& status, ObjectMeta&& object) mutable {
                               Candidate& candidate = (*shared)[at];
                               const bool own =
                                   self->objects_->keys().Encode(object.key) == candidate.object;
                               if (status.ok() && own) candidate.key = object.key;
                               (*failed)[at] = std::move(status);
                               next();
                             });
      },
      [self = Ref<S3Scan>(this), &stream, shared, failed, truncated,
       next = std::move(next)]() mutable {
        for (Status& status : *failed) {
          if (status.failed()) stream.status = std::move(status);
        }
        // Gone since it was listed, or no object of ours.
        std::erase_if(*shared, [](const Candidate& each) { return each.key.empty(); });
        self->Offer(stream, std::move(*shared), truncated);
        next();
      });
}

void S3Scan::Offer(Stream& stream, std::vector<Candidate> found, bool truncated) {
  found.insert(found.begin(), std::make_move_iterator(stream.held.begin()),
               std::make_move_iterator(stream.held.end()));
  stream.held.clear();
  const ObjectKeys& keys = objects_->keys();
  if (stream.escaped && truncated && !found.empty()) {
    // The rest of the last group may sort before what is known of it.
    const std::string group(keys.GroupOf(found.back().key));
    if (group.size() == keys.group_size()) {
      const auto begin = std::find_if(found.begin(), found.end(), [&](const Candidate& each) {
        return keys.GroupOf(each.key) == group;
      });
      stream.held.assign(std::make_move_iterator(begin), std::make_move_iterator(found.end()));
      found.erase(begin, found.end());
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Candidate& a, const Candidate& b) { return a.key < b.key; });
  if (!found.empty() && IsBeyond(range_, found.back().key)) truncated = false;
  std::erase_if(found, [&](const Candidate& each) { return !range_.Contains(each.key); });
  stream.ready = std::move(found);
  stream.ready_at = 0;
  stream.done = !truncated;
}

// ---- Choosing ----

void S3Scan::OnFilled() {
  for (Stream& stream : streams_) {
    if (!stream.status.ok()) return Finish(Page(std::move(stream.status)));
  }
  if (range_.reverse) {
    KeepForReverse();
  } else {
    TakeForward();
  }
  for (const Stream& stream : streams_) {
    if (!more_ && stream.wanting()) return Fill();
  }
  if (range_.reverse) {
    std::sort(chosen_.begin(), chosen_.end(),
              [](const Candidate& a, const Candidate& b) { return a.key > b.key; });
    more_ = chosen_.size() > range_.Limit();
    if (more_) chosen_.resize(range_.Limit());
  }
  Resolve();
}

void S3Scan::TakeForward() {
  for (;;) {
    Stream* lowest = nullptr;
    for (Stream& stream : streams_) {
      if (stream.wanting()) return;  // its next key may be the lowest
      if (stream.ready_at == stream.ready.size()) continue;
      if (!lowest || stream.ready[stream.ready_at].key < lowest->ready[lowest->ready_at].key) {
        lowest = &stream;
      }
    }
    if (!lowest) return;
    if (chosen_.size() == range_.Limit()) {
      more_ = true;
      return;
    }
    chosen_.push_back(std::move(lowest->ready[lowest->ready_at++]));
  }
}

void S3Scan::KeepForReverse() {
  for (Stream& stream : streams_) {
    for (; stream.ready_at < stream.ready.size(); ++stream.ready_at) {
      chosen_.push_back(std::move(stream.ready[stream.ready_at]));
    }
  }
  const size_t kept = size_t{range_.Limit()} + 1;  // one more tells that there is more
  if (chosen_.size() <= kept) return;
  std::nth_element(chosen_.begin(), chosen_.begin() + static_cast<ptrdiff_t>(kept), chosen_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.key > b.key; });
  chosen_.resize(kept);
}

// ---- Values ----

void S3Scan::Resolve() {
  uint64_t bytes = 0;
  size_t fit = 0;
  while (fit < chosen_.size() && (range_.keys_only || fit == 0 || bytes < Range::kMaxPageBytes)) {
    bytes += chosen_[fit++].size;
  }
  if (fit < chosen_.size()) {
    chosen_.resize(fit);
    more_ = true;
  }
  entries_.resize(chosen_.size());
  RunParallel(
      chosen_.size(), objects_->settings().concurrency,
      [self = Ref<S3Scan>(this)](size_t at, UniqueFunction<void()> next) {
        self->ResolveOne(at, std::move(next));
      },
      [self = Ref<S3Scan>(this)] { self->OnResolved(); });
}

void S3Scan::ResolveOne(size_t at, UniqueFunction<void()> next) {
  const Candidate& candidate = chosen_[at];
  Entry& entry = entries_[at];
  entry.key = candidate.key;
  if (range_.keys_only && !objects_->settings().ttl) {
    entry.meta.total_size = candidate.size;
    return next();
  }
  const Read read = range_.keys_only ? Read::Stat() : Read::Whole();
  objects_->Get(candidate.key, read, call_, "scan",
                [self = Ref<S3Scan>(this), at, next = std::move(next)](Answer&& answer) mutable {
                  Entry& entry = self->entries_[at];
                  entry.status = std::move(answer.status);
                  entry.meta = answer.meta;
                  entry.value = std::move(answer.value);
                  next();
                });
}

void S3Scan::OnResolved() {
  Page page;
  for (Entry& entry : entries_) {
    // One that is damaged is shown so; what could not be asked for fails the page.
    if (entry.status.failed() && !entry.status.Is(Code::kCorrupt)) {
      return Finish(Page(std::move(entry.status)));
    }
    if (!entry.status.Is(Code::kNotFound)) page.entries.push_back(std::move(entry));
  }
  page.more = more_;
  if (page.entries.empty() && more_) {
    range_.after = chosen_.back().key;
    range_.has_after = true;
    return Begin();
  }
  if (page.entries.empty()) page.status = Code::kEnd;
  Finish(std::move(page));
}

void S3Scan::Finish(Page&& page) { done_(std::move(page)); }

}  // namespace chainstore::s3
