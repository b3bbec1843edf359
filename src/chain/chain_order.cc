#include "chain/chain_order.h"

#include <algorithm>

namespace chainstore {

ChainOrder::~ChainOrder() {
  for (const Place& place : places_) domains_[place.domain]->ReleaseBit(place.bit);
}

Status ChainOrder::Attach(const std::vector<Ref<Store>>& links) {
  // Stores that no chain has had join the domain of one that some chain has.
  Ref<OrderDomain> common;
  for (const Ref<Store>& link : links) {
    if (!common) common = link->order_domain();
  }
  if (!common) common = MakeRef<OrderDomain>(links[0]->runtime_ref());
  std::vector<Ref<OrderDomain>> of_link;
  for (const Ref<Store>& link : links) of_link.push_back(link->AttachOrderDomain(common));
  domains_ = of_link;
  const auto by_address = [](const auto& a, const auto& b) { return a.get() < b.get(); };
  std::sort(domains_.begin(), domains_.end(), by_address);
  domains_.erase(std::unique(domains_.begin(), domains_.end()), domains_.end());
  for (size_t at = 0; at < links.size(); ++at) {
    const auto found = std::lower_bound(domains_.begin(), domains_.end(), of_link[at], by_address);
    const uint64_t bit = (*found)->UseBit(links[at].get());
    if (bit == 0) {
      return Failure(Code::kInvalid, "more than 64 stores are linked with each other by chains");
    }
    places_.push_back({static_cast<size_t>(found - domains_.begin()), bit});
  }
  return Code::kOk;
}

ChainOrder::Keys ChainOrder::Keys::Sorted(Keys keys) {
  if (keys.size() == 1) return keys;
  const auto before = [](const OwnedKey& a, const OwnedKey& b) { return a.bytes() < b.bytes(); };
  std::sort(keys.begin(), keys.end(), before);
  const auto same = [](const OwnedKey& a, const OwnedKey& b) { return a.bytes() == b.bytes(); };
  keys.erase(std::unique(keys.begin(), keys.end(), same), keys.end());
  keys.slots.reserve(keys.size());
  for (const OwnedKey& key : keys) keys.slots.push_back(key);
  keys.slots = KeySlots::Sorted(std::move(keys.slots));
  return keys;
}

void ChainOrder::Acquire(SharedKeys sorted, const Call& call, Done<Status> enter) {
  AcquireFrom(0, std::move(sorted), call, std::move(enter));
}

void ChainOrder::AcquireIn(KeySlots* slots, SharedKeys sorted, const Call& call,
                           Done<Status> enter) {
  if (sorted->size() == 1) return slots->Acquire((*sorted)[0], call, std::move(enter));
  const KeySlots::Keys* const all = &sorted->slots;
  slots->AcquireAll(std::shared_ptr<const KeySlots::Keys>(std::move(sorted), all), call,
                    std::move(enter));
}

void ChainOrder::ReleaseIn(KeySlots* slots, const Keys& sorted) {
  if (sorted.size() == 1) return slots->Release(sorted[0]);
  slots->ReleaseAll(sorted.slots);
}

void ChainOrder::AcquireFrom(size_t domain, SharedKeys sorted, const Call& call,
                             Done<Status> enter) {
  KeySlots* const slots = &domains_[domain]->slots;
  if (domain + 1 == domains_.size()) {  // the usual case: only one
    return AcquireIn(slots, std::move(sorted), call, std::move(enter));
  }
  AcquireIn(slots, sorted, call,
            [this, domain, sorted, call, enter = std::move(enter)](Status&& turn) mutable {
              if (!turn.ok()) return enter(std::move(turn));
              AcquireFrom(domain + 1, sorted, call,
                          [this, domain, sorted, enter = std::move(enter)](Status&& rest) mutable {
                            if (!rest.ok()) ReleaseIn(&domains_[domain]->slots, *sorted);
                            enter(std::move(rest));
                          });
            });
}

void ChainOrder::Release(const Keys& sorted) {
  for (const Ref<OrderDomain>& domain : domains_) ReleaseIn(&domain->slots, sorted);
}

void ChainOrder::BeginWrite(const Key& key) noexcept {
  for (const Ref<OrderDomain>& domain : domains_) domain->fence.BeginWrite(key);
}

void ChainOrder::EndWrite(const Key& key) noexcept {
  for (const Ref<OrderDomain>& domain : domains_) domain->fence.EndWrite(key);
}

ChainOrder::Tickets ChainOrder::Note(const Key& key) const {
  Tickets tickets;
  tickets.reserve(domains_.size());
  for (const Ref<OrderDomain>& domain : domains_) tickets.push_back(domain->fence.Note(key));
  return tickets;
}

bool ChainOrder::StillIdle(const Key& key, const Tickets& tickets) const noexcept {
  for (size_t at = 0; at < domains_.size(); ++at) {
    if (!domains_[at]->fence.StillIdle(key, tickets[at])) return false;
  }
  return true;
}

uint64_t ChainOrder::ToLinks(size_t domain, uint64_t bits) const noexcept {
  uint64_t links = 0;
  for (size_t link = 0; bits != 0 && link < places_.size(); ++link) {
    if (places_[link].domain == domain && (bits & places_[link].bit)) links |= uint64_t{1} << link;
  }
  return links;
}

uint64_t ChainOrder::ToBits(size_t domain, uint64_t links) const noexcept {
  uint64_t bits = 0;
  for (size_t link = 0; link < places_.size(); ++link) {
    if (places_[link].domain == domain && (links >> link & 1)) bits |= places_[link].bit;
  }
  return bits;
}

uint64_t ChainOrder::Barred(const Key& key) const {
  uint64_t links = 0;
  for (size_t at = 0; at < domains_.size(); ++at) {
    links |= ToLinks(at, domains_[at]->fence.Barred(key));
  }
  return links;
}

void ChainOrder::Bar(const Key& key, uint64_t links) {
  for (size_t at = 0; at < domains_.size(); ++at) domains_[at]->fence.Bar(key, ToBits(at, links));
}

void ChainOrder::Unbar(const Key& key, uint64_t links) {
  for (size_t at = 0; at < domains_.size(); ++at) domains_[at]->fence.Unbar(key, ToBits(at, links));
}

uint64_t ChainOrder::Outstanding(const Key& key) const {
  uint64_t links = 0;
  for (size_t at = 0; at < domains_.size(); ++at) {
    links |= ToLinks(at, domains_[at]->fence.Outstanding(key));
  }
  return links;
}

void ChainOrder::BeginOutstanding(const Key& key, size_t link) {
  domains_[places_[link].domain]->fence.BeginOutstanding(key, places_[link].bit);
}

void ChainOrder::EndOutstanding(const Key& key, size_t link) {
  domains_[places_[link].domain]->fence.EndOutstanding(key, places_[link].bit);
}

}  // namespace chainstore
