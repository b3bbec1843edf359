#include "stores/memory/memory_shard.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>
#include <utility>

namespace chainstore {
namespace {

constexpr uint64_t kOnes = 0x0001'0101'0101'0101;   // the seven tags
constexpr uint64_t kHighs = 0x0080'8080'8080'8080;  // their highest bits
constexpr uint64_t kHasLink = uint64_t{1} << 56;
constexpr size_t kOverflowBlock = 16;  // buckets
constexpr uint32_t kSweepEvery = 16;   // puts
constexpr size_t kSweepBuckets = 4;

}  // namespace

// ---- Words and addresses ----

uint64_t MemoryShard::WordOf(const MemoryEntry* entry) noexcept {
  const uint64_t address = reinterpret_cast<uintptr_t>(entry);
  assert((address & ~kAddress) == 0);
  return address | (entry->has_expiry() ? kExpires : 0);
}

// Never 0, which is a free slot. From bits that choose neither the shard nor the bucket.
[[gnu::always_inline]] inline uint64_t MemoryShard::TagOf(uint64_t hash) noexcept {
  const uint64_t tag = hash >> 32 & 0xff;
  return tag + (tag == 0);
}

// The highest bit of every byte of `tags` that equals `tag`; rarely also of one that does not,
// which the comparison of keys finds out.
[[gnu::always_inline]] inline uint64_t MemoryShard::Matches(uint64_t tags, uint64_t tag) noexcept {
  const uint64_t difference = (tags ^ (tag * kOnes)) & (kOnes * 0xff);
  return (difference - kOnes) & ~difference & kHighs;
}

[[gnu::always_inline]] inline uint32_t MemoryShard::IndexOf(uint64_t hash,
                                                            uint32_t buckets) noexcept {
  const uint32_t low = static_cast<uint32_t>(hash);
  const uint32_t mask = ~uint32_t{0} >> std::countl_zero(buckets - 1);
  const uint32_t index = low & mask;
  return index < buckets ? index : low & mask >> 1;
}

[[gnu::always_inline]] inline MemoryShard::Bucket* MemoryShard::BucketAt(
    uint32_t index) const noexcept {
  const int segment = std::bit_width(index >> kFirstBits);
  const uint32_t start = segment == 0 ? 0 : std::bit_floor(index);
  return segments_[segment].load(std::memory_order_relaxed) + (index - start);
}

MemoryShard::Bucket* MemoryShard::NextOf(const Bucket* bucket) noexcept {
  const uint64_t word = bucket->slots[kLinkSlot].load(std::memory_order_acquire);
  return (word & kLink) != 0 ? reinterpret_cast<Bucket*>(word & kAddress) : nullptr;
}

void MemoryShard::SetTag(Bucket* bucket, int index, uint64_t tag) noexcept {
  const int shift = index * 8;
  const uint64_t tags = bucket->tags.load(std::memory_order_relaxed);
  bucket->tags.store((tags & ~(uint64_t{0xff} << shift)) | tag << shift, std::memory_order_release);
}

// ---- Life ----

bool MemoryShard::Init(MemoryBudget* budget, TableArena* arena, const Clock* clock) {
  budget_ = budget;
  arena_ = arena;
  clock_ = clock;
  void* memory = arena->Allocate(kFirstBuckets * sizeof(Bucket));
  if (!memory) return false;
  segments_[0].store(static_cast<Bucket*>(memory), std::memory_order_relaxed);
  state_.store(kFirstBuckets, std::memory_order_release);
  return true;
}

MemoryShard::~MemoryShard() {
  if (buckets() == 0) return;
  for (bool more = true; more;) {
    Retired retired;
    more = Clear(&retired);
  }
}

void MemoryShard::Retired::Add(uint64_t word) noexcept {
  assert(!full());
  words_[count_++] = word;
}

void MemoryShard::Retired::Settle() noexcept {
  for (size_t at = 0; at < count_; ++at) {
    MemoryEntry* entry = EntryOf(words_[at]);
    const uint32_t pins = static_cast<uint32_t>(words_[at] >> kPinShift);
    // Nobody pinned it since its last settling: a plain load is enough to see that it is ours.
    const bool unseen = pins == 0 && entry->refs() == kTableRefs;
    if (unseen || entry->ChangeRefs(pins - kTableRefs) == 0) entry->DestroySelf();
  }
  count_ = 0;
}

// ---- Lookup ----

MemoryEntry* MemoryShard::Pin(const Key& key) noexcept {
  const uint64_t tag = TagOf(key.hash);
  for (;;) {
    const uint64_t state = state_.load(std::memory_order_acquire);
    Bucket* bucket = BucketAt(IndexOf(key.hash, static_cast<uint32_t>(state)));
    do {
      const uint64_t tags = bucket->tags.load(std::memory_order_acquire);
      for (uint64_t found = Matches(tags, tag); found != 0; found &= found - 1) {
        std::atomic<uint64_t>& slot = bucket->slots[std::countr_zero(found) / 8];
        // The entry is on its way while the addition waits for the slot's line.
        MemoryEntry::Prefetch(EntryOf(slot.load(std::memory_order_relaxed)));
        const uint64_t word = slot.fetch_add(kPin, std::memory_order_acq_rel);
        // A slot that was freed or became a link since its tag was read: the count that we added
        // means nothing there.
        if (!IsEntry(word)) continue;
        MemoryEntry* entry = EntryOf(word);
        if (entry->KeyIs(key.bytes)) {
          if ((word >> kPinShift) >= kManyPins) SettlePins(slot, entry);
          return entry;
        }
        entry->Unref();
      }
      bucket = (tags & kHasLink) != 0 ? NextOf(bucket) : nullptr;
    } while (bucket);
    if (state_.load(std::memory_order_relaxed) == state) return nullptr;
  }
}

// Moves the pins that the slot has counted to the entry, which the caller has pinned.
void MemoryShard::SettlePins(std::atomic<uint64_t>& slot, MemoryEntry* entry) noexcept {
  uint64_t word = slot.load(std::memory_order_relaxed);
  while (IsEntry(word) && EntryOf(word) == entry && (word >> kPinShift) >= kManyPins) {
    const uint32_t pins = static_cast<uint32_t>(word >> kPinShift);
    // First there, then away here: in between there are too many, never too few.
    entry->ChangeRefs(pins);
    if (slot.compare_exchange_strong(word, word & (kPin - 1), std::memory_order_acq_rel)) return;
    entry->ChangeRefs(-pins);
  }
}

void MemoryShard::PrefetchBucket(const Key& key) const noexcept {
  __builtin_prefetch(BucketAt(IndexOf(key.hash, buckets())), 1);
}

void MemoryShard::PrefetchEntry(const Key& key) const noexcept {
  const Bucket* bucket = BucketAt(IndexOf(key.hash, buckets()));
  const uint64_t found = Matches(bucket->tags.load(std::memory_order_relaxed), TagOf(key.hash));
  if (found == 0) return;
  const auto& slot = bucket->slots[std::countr_zero(found) / 8];
  MemoryEntry::Prefetch(EntryOf(slot.load(std::memory_order_relaxed)));
}

// ---- Writers ----

MemoryShard::Place MemoryShard::FindLocked(const Key& key) noexcept {
  Bucket* const head = BucketAt(IndexOf(key.hash, buckets()));
  const uint64_t tag = TagOf(key.hash);
  for (Bucket* bucket = head; bucket; bucket = NextOf(bucket)) {
    const uint64_t tags = bucket->tags.load(std::memory_order_relaxed);
    for (uint64_t found = Matches(tags, tag); found != 0; found &= found - 1) {
      const int index = std::countr_zero(found) / 8;
      const uint64_t word = bucket->slots[index].load(std::memory_order_relaxed);
      if (IsEntry(word) && EntryOf(word)->KeyIs(key.bytes)) return {head, bucket, index};
    }
  }
  return {};
}

MemoryShard::Bucket* MemoryShard::NewOverflowLocked() noexcept {
  if (!free_overflow_) {
    auto* block = static_cast<Bucket*>(arena_->Allocate(kOverflowBlock * sizeof(Bucket)));
    if (!block) return nullptr;
    for (size_t at = 0; at < kOverflowBlock; ++at) FreeOverflowLocked(&block[at]);
  }
  Bucket* const bucket = free_overflow_;
  free_overflow_ =
      reinterpret_cast<Bucket*>(bucket->slots[0].load(std::memory_order_relaxed) & kAddress);
  bucket->slots[0].store(0, std::memory_order_relaxed);
  return bucket;
}

// The list of the free ones runs through their first slots, as links: a reader who is still in one
// takes them for no entry.
void MemoryShard::FreeOverflowLocked(Bucket* bucket) noexcept {
  bucket->slots[0].store(reinterpret_cast<uintptr_t>(free_overflow_) | kLink,
                         std::memory_order_relaxed);
  free_overflow_ = bucket;
}

// A free slot in the chain; makes the chain longer if there is none. False: no memory.
bool MemoryShard::FreePlaceLocked(Bucket* head, Place* place) noexcept {
  Bucket* bucket = head;
  for (;; bucket = NextOf(bucket)) {
    const uint64_t tags = bucket->tags.load(std::memory_order_relaxed);
    // The lowest byte that is 0; above it the answer may be wrong, it itself never is. A link's
    // byte is 0 too, but its slot is not free.
    uint64_t free = (tags - kOnes) & ~tags & kHighs;
    if ((tags & kHasLink) != 0) free &= ~(uint64_t{0x80} << kLinkSlot * 8);
    if (free != 0) {
      *place = {head, bucket, std::countr_zero(free) / 8};
      return true;
    }
    if ((tags & kHasLink) == 0) break;
  }
  Bucket* const overflow = NewOverflowLocked();
  if (!overflow) return false;
  // The last slot's entry moves over to make room for the link.
  std::atomic<uint64_t>& last = bucket->slots[kLinkSlot];
  const uint64_t tag = bucket->tags.load(std::memory_order_relaxed) >> kLinkSlot * 8 & 0xff;
  const uint64_t word = last.load(std::memory_order_relaxed) & (kPin - 1);
  PlaceLocked({head, overflow, 0}, word, tag);
  CountMoveLocked();
  const uint64_t link = reinterpret_cast<uintptr_t>(overflow) | kLink;
  const uint64_t old = last.exchange(link, std::memory_order_acq_rel);
  const uint64_t tags = bucket->tags.load(std::memory_order_relaxed);
  bucket->tags.store((tags & ~(uint64_t{0xff} << kLinkSlot * 8)) | kHasLink,
                     std::memory_order_release);
  SettleMoved(old);
  *place = {head, overflow, 1};
  return true;
}

void MemoryShard::PlaceLocked(const Place& place, uint64_t word, uint64_t tag) noexcept {
  place.bucket->slots[place.index].store(word, std::memory_order_release);
  SetTag(place.bucket, place.index, tag);
}

void MemoryShard::CountMoveLocked() noexcept {
  state_.store(state_.load(std::memory_order_relaxed) + (uint64_t{1} << 32),
               std::memory_order_release);
}

// Of an entry that stands in another slot now: the pins that the old one counted go along.
void MemoryShard::SettleMoved(uint64_t word) noexcept {
  if (const auto pins = static_cast<uint32_t>(word >> kPinShift); pins != 0) {
    EntryOf(word)->ChangeRefs(pins);
  }
}

void MemoryShard::ClearSlotLocked(const Place& place) noexcept {
  const uint64_t word = place.bucket->slots[place.index].exchange(0, std::memory_order_acq_rel);
  SetTag(place.bucket, place.index, 0);
  SettleMoved(word);
}

void MemoryShard::TakeOutLocked(const Place& place, Retired* retired) noexcept {
  const uint64_t word = place.bucket->slots[place.index].exchange(0, std::memory_order_acq_rel);
  SetTag(place.bucket, place.index, 0);
  --count_;
  budget_->Release(EntryOf(word)->cost());
  retired->Add(word);
  if (NextOf(place.head)) FillHoleLocked(place);
}

// Keeps chains short: an entry of the last bucket moves into the hole.
void MemoryShard::FillHoleLocked(const Place& hole) noexcept {
  DropEmptyTailLocked(hole.head);
  Bucket* last = hole.head;
  bool in_chain = last == hole.bucket;
  while (Bucket* next = NextOf(last)) {
    last = next;
    in_chain = in_chain || last == hole.bucket;
  }
  if (!in_chain || last == hole.bucket) return;
  for (int index = 0; index < kSlots; ++index) {
    const uint64_t word = last->slots[index].load(std::memory_order_relaxed);
    if (!IsEntry(word)) continue;
    const uint64_t tag = last->tags.load(std::memory_order_relaxed) >> index * 8 & 0xff;
    PlaceLocked(hole, word & (kPin - 1), tag);
    CountMoveLocked();
    ClearSlotLocked({hole.head, last, index});
    break;
  }
  DropEmptyTailLocked(hole.head);
}

void MemoryShard::DropEmptyTailLocked(Bucket* head) noexcept {
  for (;;) {
    Bucket* before = nullptr;
    Bucket* last = head;
    while (Bucket* next = NextOf(last)) {
      before = last;
      last = next;
    }
    if (!before || last->tags.load(std::memory_order_relaxed) != 0) return;
    // A reader who is still in it may come out in another chain: he has to look again.
    CountMoveLocked();
    const uint64_t tags = before->tags.load(std::memory_order_relaxed);
    before->tags.store(tags & ~kHasLink, std::memory_order_release);
    before->slots[kLinkSlot].store(0, std::memory_order_release);
    FreeOverflowLocked(last);
  }
}

// After a split: no holes but in the last bucket.
void MemoryShard::CompactLocked(Bucket* head) noexcept {
  DropEmptyTailLocked(head);
  for (Bucket* bucket = head; NextOf(bucket); bucket = NextOf(bucket)) {
    for (int index = 0; index < kLinkSlot && NextOf(bucket); ++index) {
      const uint64_t word = bucket->slots[index].load(std::memory_order_relaxed);
      if (!IsEntry(word)) FillHoleLocked({head, bucket, index});
    }
    if (!NextOf(bucket)) break;
  }
}

Code MemoryShard::Put(MemoryEntry* entry, const Key& key, bool if_absent,
                      Retired* retired) noexcept {
  MutexLock lock(mutex_);
  if (closed_) return Code::kClosed;
  const Place place = FindLocked(key);
  const MemoryEntry* old = nullptr;
  if (place.head) old = EntryOf(place.bucket->slots[place.index].load(std::memory_order_relaxed));
  if (old && if_absent && !(old->has_expiry() && old->IsExpired(clock_->WallMs()))) {
    return Code::kExists;
  }
  const uint64_t cost = entry->cost();
  const uint64_t old_cost = old ? old->cost() : 0;
  if (cost > old_cost && !budget_->Reserve(cost - old_cost)) return Code::kNoSpace;
  Place free;
  if (!old && !FreePlaceLocked(BucketAt(IndexOf(key.hash, buckets())), &free)) {
    budget_->Release(cost);
    return Code::kNoMemory;
  }
  entry->set_version(++version_);
  entry->ChangeRefs(kTableRefs - 1);  // the caller's reference becomes the table's
  if (entry->has_expiry()) NoteExpiryLocked(entry->expires_at_ms());
  if (old) {
    retired->Add(
        place.bucket->slots[place.index].exchange(WordOf(entry), std::memory_order_acq_rel));
    if (old_cost > cost) budget_->Release(old_cost - cost);
  } else {
    PlaceLocked(free, WordOf(entry), TagOf(key.hash));
    ++count_;
  }
  GrowLocked();
  if (++puts_ % kSweepEvery == 0 && next_expiry_ms_.load(std::memory_order_relaxed) != kNever) {
    const int64_t now_ms = clock_->WallMs();
    for (size_t at = 0; at < kSweepBuckets; ++at) SweepBucketLocked(now_ms, retired);
  }
  return Code::kOk;
}

Code MemoryShard::Del(const Key& key, Retired* retired) noexcept {
  MutexLock lock(mutex_);
  if (closed_) return Code::kClosed;
  const Place place = FindLocked(key);
  if (place.head) TakeOutLocked(place, retired);
  return Code::kOk;
}

void MemoryShard::Reclaim(const Key& key, const MemoryEntry* entry, Retired* retired) noexcept {
  if (!mutex_.TryLock()) return;
  const Place place = FindLocked(key);
  if (place.head &&
      EntryOf(place.bucket->slots[place.index].load(std::memory_order_relaxed)) == entry) {
    TakeOutLocked(place, retired);
  }
  mutex_.Unlock();
}

bool MemoryShard::Clear(Retired* retired) noexcept {
  MutexLock lock(mutex_);
  // The sweep has no further use for its cursor.
  if (!std::exchange(closed_, true)) sweep_cursor_ = 0;
  const uint32_t count = buckets();
  for (; sweep_cursor_ < count; ++sweep_cursor_) {
    Bucket* const head = BucketAt(sweep_cursor_);
    // Whatever is taken from the first bucket is filled up from the last.
    for (int index = 0; index < kSlots; ++index) {
      while (IsEntry(head->slots[index].load(std::memory_order_relaxed))) {
        if (retired->full()) return true;
        TakeOutLocked({head, head, index}, retired);
      }
    }
    assert(!NextOf(head));
  }
  return false;
}

// ---- Growth ----

bool MemoryShard::AddSegmentFor(uint32_t index) {
  const int segment = std::bit_width(index >> kFirstBits);
  if (segment >= kSegments) return false;
  if (segments_[segment].load(std::memory_order_relaxed)) return true;
  void* memory = arena_->Allocate((size_t{kFirstBuckets} << (segment - 1)) * sizeof(Bucket));
  segments_[segment].store(static_cast<Bucket*>(memory), std::memory_order_release);
  return memory != nullptr;
}

// A bucket per put, from the moment when the table is full until it has doubled: the half-grown
// states, in which the buckets that are not split yet are long chains, are passed quickly.
void MemoryShard::GrowLocked() noexcept {
  const uint32_t count = buckets();
  if (!growing_ && count_ <= uint64_t{count} * kSplitAt) return;
  growing_ = SplitLocked() && !std::has_single_bit(count + 1);
}

bool MemoryShard::SplitLocked() noexcept {
  const uint32_t count = buckets();
  if (!AddSegmentFor(count)) return false;
  Bucket* const from = BucketAt(count - std::bit_floor(count));
  Bucket* const to = BucketAt(count);
  for (Bucket* bucket = from; bucket; bucket = NextOf(bucket)) {
    for (int index = 0; index < kSlots; ++index) {
      const uint64_t word = bucket->slots[index].load(std::memory_order_relaxed);
      if (IsEntry(word)) __builtin_prefetch(EntryOf(word));
    }
  }
  if (!CopySplitLocked(from, to, count)) {
    ClearMovedLocked(to, count, count + 1);
    DropEmptyTailLocked(to);
    return false;
  }
  // Now readers look there, and those that looked here before look again.
  state_.store(state_.load(std::memory_order_relaxed) + (uint64_t{1} << 32) + 1,
               std::memory_order_release);
  ClearMovedLocked(from, count, count + 1);
  CompactLocked(from);
  return true;
}

// Copies what belongs to bucket number `index` once there are so many; false: no memory.
bool MemoryShard::CopySplitLocked(Bucket* from, Bucket* to, uint32_t index) noexcept {
  for (Bucket* bucket = from; bucket; bucket = NextOf(bucket)) {
    for (const std::atomic<uint64_t>& slot : bucket->slots) {
      const uint64_t word = slot.load(std::memory_order_relaxed);
      if (!IsEntry(word)) continue;
      const uint64_t hash = HashBytes(EntryOf(word)->key());
      if (IndexOf(hash, index + 1) != index) continue;
      Place place;
      if (!FreePlaceLocked(to, &place)) return false;
      PlaceLocked(place, word & (kPin - 1), TagOf(hash));
    }
  }
  return true;
}

// Clears the slots of a chain whose entries belong to bucket number `index` of `buckets`.
void MemoryShard::ClearMovedLocked(Bucket* head, uint32_t index, uint32_t buckets) noexcept {
  for (Bucket* bucket = head; bucket; bucket = NextOf(bucket)) {
    for (int at = 0; at < kSlots; ++at) {
      const uint64_t word = bucket->slots[at].load(std::memory_order_relaxed);
      if (!IsEntry(word)) continue;
      if (IndexOf(HashBytes(EntryOf(word)->key()), buckets) == index) {
        ClearSlotLocked({head, bucket, at});
      }
    }
  }
}

// ---- Expiry ----

void MemoryShard::NoteExpiryLocked(int64_t expires_at_ms) noexcept {
  pass_expiry_ms_ = std::min(pass_expiry_ms_, expires_at_ms);
  if (expires_at_ms < next_expiry_ms_.load(std::memory_order_relaxed)) {
    next_expiry_ms_.store(expires_at_ms, std::memory_order_relaxed);
  }
}

// The bucket at the cursor. The cursor stays where it is if `retired` has no room for the rest.
void MemoryShard::SweepBucketLocked(int64_t now_ms, Retired* retired) noexcept {
  Bucket* const head = BucketAt(sweep_cursor_);
  for (Bucket* bucket = head; bucket; bucket = NextOf(bucket)) {
    for (int index = 0; index < kSlots; ++index) {
      // What fills the hole is looked at as well.
      for (;;) {
        const uint64_t word = bucket->slots[index].load(std::memory_order_relaxed);
        if (!IsEntry(word) || (word & kExpires) == 0) break;
        if (!EntryOf(word)->IsExpired(now_ms)) {
          pass_expiry_ms_ = std::min(pass_expiry_ms_, EntryOf(word)->expires_at_ms());
          break;
        }
        if (retired->full()) return;
        TakeOutLocked({head, bucket, index}, retired);
      }
    }
  }
  if (++sweep_cursor_ >= buckets()) {
    sweep_cursor_ = 0;
    next_expiry_ms_.store(pass_expiry_ms_, std::memory_order_relaxed);
    pass_expiry_ms_ = kNever;
  }
}

bool MemoryShard::Sweep(size_t* buckets, Retired* retired) noexcept {
  if (next_expiry_ms_.load(std::memory_order_relaxed) == kNever) return false;
  const int64_t now_ms = clock_->WallMs();
  MutexLock lock(mutex_);
  while (!closed_ && next_expiry_ms_.load(std::memory_order_relaxed) <= now_ms) {
    if (*buckets == 0 || retired->full()) return true;
    SweepBucketLocked(now_ms, retired);
    --*buckets;
  }
  return false;
}

// ---- Scan ----

bool MemoryShard::Collect(const Range& range, const MemoryEntry* bound, size_t* cursor,
                          std::vector<Ref<MemoryEntry>>* out) {
  const int64_t now_ms = clock_->WallMs();
  MutexLock lock(mutex_);
  const size_t end = std::min<size_t>(buckets(), *cursor + kChunkBuckets);
  const auto each = [end, from = *cursor, this](const auto& visit) CS_REQUIRES(mutex_) {
    for (size_t at = from; at < end; ++at) {
      for (const Bucket* bucket = BucketAt(static_cast<uint32_t>(at)); bucket;
           bucket = NextOf(bucket)) {
        for (const std::atomic<uint64_t>& slot : bucket->slots) {
          const uint64_t word = slot.load(std::memory_order_relaxed);
          if (IsEntry(word)) visit(EntryOf(word));
        }
      }
    }
  };
  each([](const MemoryEntry* entry) { __builtin_prefetch(entry); });
  each([&](MemoryEntry* entry) {
    const Bytes key = entry->key();
    if (!range.Contains(key) || entry->IsExpired(now_ms)) return;
    if (bound && (range.reverse ? key <= bound->key() : key >= bound->key())) return;
    out->emplace_back(entry);
  });
  *cursor = end;
  return end < buckets();
}

}  // namespace chainstore
