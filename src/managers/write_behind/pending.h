// Pending: the index of what is not delivered yet: key -> Item, with the newest undelivered record,
// the one that is being sent, and where the key stands in the order of delivery. It knows bounds,
// order and what a reader sees, and nothing of stores, threads or time.
// Thread safety: none; the queue's lock guards it. Destroying a value or an item runs foreign code
// (a value's release function), so everything dropped goes into a Trash that outlives the lock.
// Invariants: an item that is in flight, waits its turn, or is held is never erased; at most one of
// the waiting lists has it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/answer.h"
#include "core/request.h"
#include "managers/write_behind/op.h"
#include "managers/write_behind/readers.h"
#include "managers/write_behind/settings.h"

namespace chainstore::behind {

struct Record {
  uint64_t sequence = 0;  // 0: no record
  int64_t expires_at_ms = 0;
  Ref<Value> value;  // null: a delete

  bool is_delete() const noexcept { return !value; }
  bool ExpiredAt(int64_t wall_ms) const noexcept {
    return value && expires_at_ms != 0 && expires_at_ms <= wall_ms;
  }
  uint64_t size() const noexcept { return value ? value->size() : 0; }
};

// What most keys never need, made when a key is first sent or held.
struct Work {
  Record flight;             // being sent, or to be repeated; sequence 0: neither
  bool must_repeat = false;  // its outcome is not known: it goes out again before anything else
  bool was_probe = false;
  bool told_retrying = false;
  uint32_t attempts = 0;  // failed ones since the last success
  uint32_t refusals = 0;  // equal permanent refusals of one record
  Code refusal = Code::kOk;
  uint64_t refused_at_success = 0;  // how often the store had succeeded at the last refusal
  // The operation that may still take effect by itself until settle_until_ns: nothing different is
  // sent before.
  uint64_t unsettled_sequence = 0;
  int64_t settle_until_ns = 0;
  Status failure;  // the last one; of a parked record: why
  int64_t wake_ns = 0;
  uint64_t confirmed_at = 0;  // Readers::Now when its delete was confirmed

  Ref<Op> holder;  // has the key to itself; others of the key stand in line
  std::deque<Ref<Op>> line;
  bool holds_delivery = false;   // overflow=through: nothing of the key is sent by the queue
  uint64_t reserved_bytes = 0;   // of the holder's record while the journal commits it
  std::vector<Ref<Op>> waiters;  // ack=DELIVERED, by growing sequence
};

struct Item {
  enum class Place : uint8_t { kNone, kFresh, kAgain, kBackingOff, kSettling };

  const OwnedKey* key = nullptr;  // in the index's node
  Record newest;                  // sequence 0: nothing to deliver, the item only holds or settles
  // The oldest write that is not delivered (0: none), and the oldest one that the flight in
  // progress does not cover. What a flush waits for.
  uint64_t age = 0;
  uint64_t next_age = 0;
  uint64_t charged_bytes = 0;
  Item* next = nullptr;  // the fresh list
  Item* previous = nullptr;
  Place place = Place::kNone;
  bool counted = false;  // takes one of max_entries
  bool in_flight = false;
  bool parked = false;
  bool confirmed = false;  // a delivered delete that still answers readers
  bool sorted = false;     // stands in the ordered view
  bool touched = false;    // stands in Queue::touched_
  std::unique_ptr<Work> work;

  Work& Warm() {
    if (!work) work = std::make_unique<Work>();
    return *work;
  }
  bool visible() const noexcept { return newest.sequence != 0; }
  bool undelivered() const noexcept { return visible() && !parked && !confirmed; }
  bool held() const noexcept { return work && work->holder; }
};

class Pending {
 public:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Key& key) const noexcept { return key.hash; }
    size_t operator()(const OwnedKey& key) const noexcept { return key.hash(); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const noexcept { return a == b; }
  };
  using Items = std::unordered_map<OwnedKey, Item, Hash, Equal>;

  // What was dropped under the lock, to be destroyed after it. Costs nothing while it is empty.
  class Trash {
   public:
    void Add(Ref<Value> value) {
      if (!first_)
        first_ = std::move(value);
      else if (value)
        values_.push_back(std::move(value));
    }
    void Add(Items::node_type node) { nodes_.push_back(std::move(node)); }

   private:
    Ref<Value> first_;
    std::vector<Ref<Value>> values_;
    std::vector<Items::node_type> nodes_;
  };

  // What a reader or a scan sees of a key.
  struct View {
    std::string key;   // scans only
    Ref<Value> value;  // null: deleted or expired
    int64_t expires_at_ms = 0;
    uint32_t flags = 0;
  };

  explicit Pending(const Settings& settings) : settings_(settings) {}

  Item* Find(const Key& key);
  Item* FindOrAdd(const Key& key);
  // Whether a write of `value_size` bytes fits (item: the key's, may be null). One that takes no
  // more than what it replaces always does.
  bool HasRoom(const Item* item, size_t key_size, uint64_t value_size) const noexcept;
  // Whether it fits when nothing else is queued.
  bool CanEverFit(size_t key_size, uint64_t value_size) const noexcept {
    return key_size + value_size <= settings_.max_bytes;
  }
  // Takes the room for a record that is published later.
  void Reserve(Item* item, uint64_t value_size);
  void Unreserve(Item* item);

  // ---- Records ----
  // The record becomes what readers see and delivery will send, in place of a waiting one.
  void Publish(Item* item, Record record, Trash* trash);
  // The newest record is what is sent from now on; it leaves the waiting lists.
  void BeginFlight(Item* item);
  // The flight came back without a definite answer: the same record goes out again.
  void RepeatFlight(Item* item);
  // The flight is over, whatever came of it; its record is not repeated.
  void EndFlight(Item* item, Trash* trash);
  // Nothing of the key is to be delivered any more (it is, or was written past the queue).
  void Drop(Item* item, Trash* trash);
  void Park(Item* item);
  // The newest record turns into a delete: it expired.
  void Expire(Item* item, uint64_t sequence, Trash* trash);
  // The newest record, a delete, is delivered, and answers readers until those of now have ended.
  void Confirm(Item* item, Trash* trash);
  bool Look(const Item& item, int64_t wall_ms, View* view) const;

  // ---- Order of delivery ----
  // Waits its turn by age, unless it waits, flies or is held back already.
  void Enqueue(Item* item);
  void BackOff(Item* item, int64_t until_ns);
  void Settle(Item* item, int64_t until_ns);
  void TakeOut(Item* item);
  // The oldest key whose turn it is, out of its list; null: none.
  Item* PopReady();
  // The key whose backoff ends first, even if it has not: for a probe.
  Item* PopBackingOff();
  // What has backed off long enough waits its turn again.
  void WakeBackedOff(int64_t now_ns);
  // A key whose settling has ended, out of its list; null: none.
  Item* PopSettled(int64_t now_ns);
  // When the next backoff or settling ends; INT64_MAX: none waits.
  int64_t NextWakeNs() const noexcept;
  // When the last key that has something to deliver will have settled; 0: none settles.
  int64_t LastSettledNs() const noexcept;
  // Erases the item if nothing needs it any more.
  bool EraseIfIdle(Item* item, Trash* trash);

  // ---- Readers ----
  uint64_t BeginRead() noexcept { return readers_.Begin(); }
  void EndRead(uint64_t began, Trash* trash);
  // The visible keys of the range's rest, in the scan's order, at most `limit`. False: there are
  // more beyond the last one.
  bool Collect(const Range& range, size_t limit, int64_t wall_ms, std::vector<View>* out);

  template <class F>
  void ForEach(F&& each) {
    for (auto& [key, item] : items_) each(item);
  }

  uint64_t entries() const noexcept { return entries_; }
  uint64_t bytes() const noexcept { return bytes_; }
  uint64_t undelivered() const noexcept { return undelivered_; }
  uint64_t parked() const noexcept { return parked_; }
  uint64_t coalesced() const noexcept { return coalesced_; }
  size_t items() const noexcept { return items_.size(); }

 private:
  struct ByKey {
    using is_transparent = void;
    static Bytes Of(const Item* item) { return item->key->bytes(); }
    static Bytes Of(Bytes key) { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) < Of(b);
    }
  };
  using Timed = std::set<std::pair<int64_t, Item*>>;

  // Changes what the item counts for, by what it holds now.
  void Recharge(Item* item);
  static uint64_t CostOf(const Item& item) noexcept;
  void SetDelivered(Item* item);  // it was undelivered: it is not any more
  void Unconfirm(Item* item);
  void Sort(Item* item);
  void SortNewer(Item* item);
  void Unsort(Item* item);
  void SortAll();
  void DropConfirmed(Trash* trash);

  const Settings& settings_;
  Items items_;
  uint64_t entries_ = 0;
  uint64_t bytes_ = 0;
  uint64_t undelivered_ = 0;
  uint64_t parked_ = 0;
  uint64_t coalesced_ = 0;

  // Waiting their turn: keys in the order in which they came, and keys that were sent before, by
  // age. The older of the two heads is next: oldest first, at no cost for a put.
  Item* fresh_ = nullptr;
  Item* fresh_last_ = nullptr;
  std::map<uint64_t, Item*> again_;
  Timed backing_off_;
  Timed settling_;

  Readers readers_;
  std::set<std::pair<uint64_t, Item*>> confirmed_;

  // The ordered view, kept only while scans ask for it.
  bool keep_sorted_ = false;
  uint64_t puts_since_scan_ = 0;
  std::set<Item*, ByKey> sorted_;
};

}  // namespace chainstore::behind
