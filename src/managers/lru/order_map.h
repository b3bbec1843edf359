// OrderMap: 64-bit fingerprints to 64-bit orders, 16 bytes a place, linear probing.
// Thread safety: none.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace chainstore {

class OrderMap {
 public:
  void Reserve(uint64_t count) {
    const uint64_t places = std::bit_ceil(count + count / 2 + 16);
    if (places <= places_.size()) return;
    std::vector<Place> before(places);
    before.swap(places_);
    size_ = 0;
    for (const Place& place : before) {
      if (place.order != 0) Set(place.fingerprint, place.order);
    }
  }
  // `order` is not 0.
  void Set(uint64_t fingerprint, uint64_t order) {
    if (size_ + size_ / 2 + 16 > places_.size()) Reserve(2 * size_ + 16);
    Place& place = places_[Find(fingerprint)];
    if (place.order == 0) ++size_;
    place = {fingerprint, order};
  }
  // 0: not known.
  uint64_t Get(uint64_t fingerprint) const {
    return places_.empty() ? 0 : places_[Find(fingerprint)].order;
  }
  uint64_t size() const noexcept { return size_; }

 private:
  struct Place {
    uint64_t fingerprint = 0;
    uint64_t order = 0;
  };
  size_t Find(uint64_t fingerprint) const {
    const size_t mask = places_.size() - 1;
    size_t at = fingerprint & mask;
    while (places_[at].order != 0 && places_[at].fingerprint != fingerprint) at = (at + 1) & mask;
    return at;
  }
  std::vector<Place> places_;
  uint64_t size_ = 0;
};

}  // namespace chainstore
