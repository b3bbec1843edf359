// ChainOrder: the order of writes, the fence and the bars of one chain's links. It hides that they
// live in the stores themselves: chains that share a store share its OrderDomain. A chain whose
// stores already belong to several domains holds the key in each, in one order.
// Masks have one bit per link: bit 0 is the chain's first store.
// Thread safety: any thread.
#pragma once

#include <memory>
#include <vector>

#include "core/order_domain.h"
#include "core/store.h"

namespace chainstore {

class ChainOrder {
 public:
  struct Keys : std::vector<OwnedKey> {
    using std::vector<OwnedKey>::vector;
    // In order, each once, ready for Acquire. (A single key is as it is.)
    static Keys Sorted(Keys keys);
    KeySlots::Keys slots;
  };
  using SharedKeys = std::shared_ptr<const Keys>;
  using Tickets = std::vector<Fence::Ticket>;

  ~ChainOrder();
  // Once, at construction. Fails if a domain has no place for one more store.
  Status Attach(const std::vector<Ref<Store>>& links);

  // The slots of `sorted` in every domain (see KeySlots).
  void Acquire(SharedKeys sorted, const Call& call, Done<Status> enter);
  void Release(const Keys& sorted);

  void BeginWrite(const Key& key) noexcept;
  void EndWrite(const Key& key) noexcept;
  Tickets Note(const Key& key) const;
  bool StillIdle(const Key& key, const Tickets& tickets) const noexcept;

  uint64_t Barred(const Key& key) const;
  void Bar(const Key& key, uint64_t links);
  void Unbar(const Key& key, uint64_t links);
  uint64_t Outstanding(const Key& key) const;
  void BeginOutstanding(const Key& key, size_t link);
  void EndOutstanding(const Key& key, size_t link);

 private:
  struct Place {
    size_t domain;
    uint64_t bit;
  };
  static void AcquireIn(KeySlots* slots, SharedKeys sorted, const Call& call, Done<Status> enter);
  void AcquireFrom(size_t domain, SharedKeys sorted, const Call& call, Done<Status> enter);
  static void ReleaseIn(KeySlots* slots, const Keys& sorted);
  uint64_t ToLinks(size_t domain, uint64_t bits) const noexcept;
  uint64_t ToBits(size_t domain, uint64_t links) const noexcept;

  std::vector<Ref<OrderDomain>> domains_;  // sorted by address; one unless chains share stores
  std::vector<Place> places_;              // by link
};

}  // namespace chainstore
