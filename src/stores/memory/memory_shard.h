// MemoryShard: one part of the memory store's table. Readers take no lock: a lookup finds the entry
// and pins it with one atomic addition; writers of a shard take turns under its mutex.
//
// Table. Buckets of one cache line: a word of seven one-byte tags (of the hash; 0: free), and seven
// slots. A slot is one word: the entry's address, flags in its lowest bits, and in the upper 16
// bits how often the entry was pinned through this slot. A bucket that is full links to an overflow
// bucket with its last slot. The table grows by linear hashing (Litwin, 1980), a bucket per put, so
// that no put moves more than one; buckets stand in segments that are never moved or freed while
// the store lives, so that a reader may always look.
//
// Pins (split reference counts). An entry in the table has kTableRefs references of its own. A pin
// is an addition to the slot's word, which yields address and protection at once; the unpin is an
// ordinary Unref. Whoever takes the entry out of its slot adds the slot's count to the entry's and
// takes the table's references away; at 0 it is gone. So nothing is ever read after it was freed,
// and nothing waits to be freed.
//
// A miss is believed only if the shard's state (bucket count, and how often an entry was moved
// between slots) is what it was before the lookup. A move copies first, then counts, then clears.
//
// Thread safety: any thread. Nothing is destroyed under the mutex: what leaves the table goes into
// a Retired, which the caller lets go of afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "core/request.h"
#include "stores/memory/huge_pages.h"
#include "stores/memory/memory_budget.h"
#include "stores/memory/memory_entry.h"

namespace chainstore {

class MemoryShard {
 public:
  // Slots' words that were taken out of the table: settled when it goes, under no lock.
  class Retired {
   public:
    Retired() = default;
    Retired(const Retired&) = delete;
    Retired& operator=(const Retired&) = delete;
    ~Retired() { Settle(); }
    void Settle() noexcept;

   private:
    friend class MemoryShard;
    static constexpr size_t kCapacity = 64;
    bool full() const noexcept { return count_ == kCapacity; }
    void Add(uint64_t word) noexcept;
    uint64_t words_[kCapacity];
    size_t count_ = 0;
  };

  MemoryShard() = default;
  ~MemoryShard();
  MemoryShard(const MemoryShard&) = delete;
  MemoryShard& operator=(const MemoryShard&) = delete;
  // Before its first use. False: no memory.
  bool Init(MemoryBudget* budget, TableArena* arena, const Clock* clock);

  // The entry, pinned (the caller owes an Unref), expired or not; null: a miss.
  MemoryEntry* Pin(const Key& key) noexcept;
  // Two steps that get the cache lines of a coming Pin under way.
  void PrefetchBucket(const Key& key) const noexcept;
  void PrefetchEntry(const Key& key) const noexcept;

  // kOk (the entry is the table's now), kExists, kNoSpace, kNoMemory or kClosed.
  Code Put(MemoryEntry* entry, const Key& key, bool if_absent, Retired* retired) noexcept;
  Code Del(const Key& key, Retired* retired) noexcept;
  // Takes out `entry`, which the caller has pinned, if it is still there. Does not wait.
  void Reclaim(const Key& key, const MemoryEntry* entry, Retired* retired) noexcept;
  // Takes out expired entries of at most *buckets buckets and of what `retired` holds. False: none
  // can be expired, or a pass has come to its end.
  bool Sweep(size_t* buckets, Retired* retired) noexcept;
  // Takes out a part of the entries. False: none are left. Puts are answered with kClosed.
  bool Clear(Retired* retired) noexcept;

  // Pins the entries that `range` asks for and that stand before `bound` (null: no bound) in its
  // order, of some buckets beginning with number *cursor, which moves on. False: that was the end.
  // A key may come twice, as two entries, when it is written or moved meanwhile.
  bool Collect(const Range& range, const MemoryEntry* bound, size_t* cursor,
               std::vector<Ref<MemoryEntry>>* out);

 private:
  static constexpr int kSlots = 7;
  static constexpr int kLinkSlot = kSlots - 1;
  struct alignas(64) Bucket {
    std::atomic<uint64_t> tags;  // byte i: slot i; byte 7: 1 if the last slot is a link
    std::atomic<uint64_t> slots[kSlots];
  };
  struct Place {
    Bucket* head = nullptr;  // of the chain; null: not found
    Bucket* bucket = nullptr;
    int index = 0;
  };

  // A slot's word.
  static constexpr uint64_t kLink = 1;
  static constexpr uint64_t kExpires = 2;
  static constexpr uint64_t kAddress = 0x0000'ffff'ffff'fff8;
  static constexpr int kPinShift = 48;
  static constexpr uint64_t kPin = uint64_t{1} << kPinShift;
  // From here on a slot's pins are moved to the entry: the count must not overflow its 16 bits.
  static constexpr uint64_t kManyPins = 1 << 14;
  // More than a slot can count, so that unpins alone never bring an entry in the table to 0.
  static constexpr uint32_t kTableRefs = 1u << 20;

  static constexpr uint32_t kFirstBuckets = 8;
  static constexpr int kFirstBits = 3;
  static constexpr int kSegments = 29;  // 2^31 buckets
  static constexpr uint32_t kSplitAt = 5;
  static constexpr size_t kChunkBuckets = 64;
  static constexpr int64_t kNever = INT64_MAX;

  static MemoryEntry* EntryOf(uint64_t word) noexcept {
    return reinterpret_cast<MemoryEntry*>(word & kAddress);
  }
  static bool IsEntry(uint64_t word) noexcept {
    return (word & kLink) == 0 && (word & kAddress) != 0;
  }
  static uint64_t WordOf(const MemoryEntry* entry) noexcept;
  static uint64_t TagOf(uint64_t hash) noexcept;
  static uint64_t Matches(uint64_t tags, uint64_t tag) noexcept;
  static uint32_t IndexOf(uint64_t hash, uint32_t buckets) noexcept;
  static Bucket* NextOf(const Bucket* bucket) noexcept;
  static void SetTag(Bucket* bucket, int index, uint64_t tag) noexcept;
  static void SettleMoved(uint64_t word) noexcept;
  static void SettlePins(std::atomic<uint64_t>& slot, MemoryEntry* entry) noexcept;

  uint32_t buckets() const noexcept {
    return static_cast<uint32_t>(state_.load(std::memory_order_acquire));
  }
  Bucket* BucketAt(uint32_t index) const noexcept;
  bool AddSegmentFor(uint32_t index) CS_REQUIRES(mutex_);
  Place FindLocked(const Key& key) noexcept CS_REQUIRES(mutex_);
  bool FreePlaceLocked(Bucket* head, Place* place) noexcept CS_REQUIRES(mutex_);
  Bucket* NewOverflowLocked() noexcept CS_REQUIRES(mutex_);
  void FreeOverflowLocked(Bucket* bucket) noexcept CS_REQUIRES(mutex_);
  void PlaceLocked(const Place& place, uint64_t word, uint64_t tag) noexcept CS_REQUIRES(mutex_);
  void TakeOutLocked(const Place& place, Retired* retired) noexcept CS_REQUIRES(mutex_);
  void ClearSlotLocked(const Place& place) noexcept CS_REQUIRES(mutex_);
  void FillHoleLocked(const Place& hole) noexcept CS_REQUIRES(mutex_);
  void DropEmptyTailLocked(Bucket* head) noexcept CS_REQUIRES(mutex_);
  void CompactLocked(Bucket* head) noexcept CS_REQUIRES(mutex_);
  void CountMoveLocked() noexcept CS_REQUIRES(mutex_);
  void GrowLocked() noexcept CS_REQUIRES(mutex_);
  bool SplitLocked() noexcept CS_REQUIRES(mutex_);
  bool CopySplitLocked(Bucket* from, Bucket* to, uint32_t index) noexcept CS_REQUIRES(mutex_);
  void ClearMovedLocked(Bucket* head, uint32_t index, uint32_t buckets) noexcept
      CS_REQUIRES(mutex_);
  void NoteExpiryLocked(int64_t expires_at_ms) noexcept CS_REQUIRES(mutex_);
  void SweepBucketLocked(int64_t now_ms, Retired* retired) noexcept CS_REQUIRES(mutex_);

  // Read by every lookup, written when the table grows or an entry moves.
  alignas(64) std::atomic<uint64_t> state_{0};  // moves in the upper 32 bits, buckets in the lower
  std::atomic<Bucket*> segments_[kSegments] = {};

  // The writers'.
  alignas(64) Mutex mutex_;
  MemoryBudget* budget_ = nullptr;
  TableArena* arena_ = nullptr;
  const Clock* clock_ = nullptr;
  bool closed_ CS_GUARDED_BY(mutex_) = false;
  bool growing_ CS_GUARDED_BY(mutex_) = false;
  uint64_t count_ CS_GUARDED_BY(mutex_) = 0;
  uint32_t version_ CS_GUARDED_BY(mutex_) = 0;
  uint32_t sweep_cursor_ CS_GUARDED_BY(mutex_) = 0;
  uint32_t puts_ CS_GUARDED_BY(mutex_) = 0;
  // No entry expires before it; kNever: none expires. pass_expiry_: the same of the buckets that
  // the present pass of the sweep has been at.
  std::atomic<int64_t> next_expiry_ms_{kNever};
  int64_t pass_expiry_ms_ CS_GUARDED_BY(mutex_) = kNever;
  Bucket* free_overflow_ CS_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace chainstore
