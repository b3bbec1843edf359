// SlotTable: the slots of keys that somebody holds, and who waits for each. By the key's hash
// alone: two keys of one hash share a slot, and then one waits for the other without need, which
// does no harm. So nothing is allocated for a key that nobody waits for. Thread safety: none;
// KeySlots locks. Open addressing with linear probing, at most half full. Cost: 16 bytes a slot.
// What a large batch needed goes as soon as nothing is held any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace chainstore {

template <class Waiter>
class SlotTable {
 public:
  // Never 0: that is an empty place.
  using Id = uint64_t;
  using Queue = std::deque<Waiter>;

  bool empty() const noexcept { return count_ == 0; }
  // Null: nobody holds it.
  std::unique_ptr<Queue>* Find(Id id) noexcept {
    if (count_ == 0) return nullptr;
    Place& place = places_[IndexOf(id)];
    return place.id == id ? &place.queue : nullptr;
  }
  // Takes the slot, or returns who waits for it already (null inside: nobody does).
  std::unique_ptr<Queue>* Take(Id id) {
    if (2 * (count_ + 1) > places_.size()) Grow();
    Place& place = places_[IndexOf(id)];
    if (place.id == id) return &place.queue;
    place.id = id;
    ++count_;
    return nullptr;
  }
  // False: it was not held.
  bool Erase(Id id) noexcept {
    if (count_ == 0) return false;
    size_t hole = IndexOf(id);
    if (places_[hole].id != id) return false;
    // What stands behind it and could stand here moves up, so that a search may end at a gap.
    const size_t mask = places_.size() - 1;
    for (size_t at = (hole + 1) & mask; places_[at].id != 0; at = (at + 1) & mask) {
      const size_t home = HomeOf(places_[at].id);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      places_[hole] = std::move(places_[at]);
      hole = at;
    }
    places_[hole] = Place();
    if (--count_ == 0 && places_.size() > kKeptPlaces) std::vector<Place>().swap(places_);
    return true;
  }

 private:
  static constexpr size_t kFirstPlaces = 16;
  static constexpr size_t kKeptPlaces = 256;
  struct Place {
    Id id = 0;
    std::unique_ptr<Queue> queue;  // made by the first who waits
  };

  size_t HomeOf(Id id) const noexcept { return (id >> 1) & (places_.size() - 1); }
  // Where it stands, or would.
  size_t IndexOf(Id id) const noexcept {
    size_t at = HomeOf(id);
    while (places_[at].id != 0 && places_[at].id != id) at = (at + 1) & (places_.size() - 1);
    return at;
  }
  void Grow() {
    std::vector<Place> old(places_.empty() ? kFirstPlaces : 2 * places_.size());
    old.swap(places_);
    for (Place& place : old) {
      if (place.id != 0) places_[IndexOf(place.id)] = std::move(place);
    }
  }

  std::vector<Place> places_;  // a power of two, or none
  size_t count_ = 0;
};

}  // namespace chainstore
