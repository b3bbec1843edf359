#include "managers/metrics/counters.h"

#include <new>

namespace chainstore {

Counters::~Counters() {
  for (auto& stripe : stripes_) delete stripe.load(std::memory_order_acquire);
}

Counters::Stripe* Counters::NewStripe(size_t slot) noexcept {
  Stripe* const made = new (std::nothrow) Stripe;
  Stripe* before = nullptr;  // the shared slot's may have been made by another thread meanwhile
  if (!made || stripes_[slot].compare_exchange_strong(before, made, std::memory_order_acq_rel)) {
    return made;
  }
  delete made;
  return before;
}

template <class Get>
uint64_t Counters::Sum(Get&& get) const noexcept {
  uint64_t sum = 0;
  for (const auto& each : stripes_) {
    const Stripe* const stripe = each.load(std::memory_order_acquire);
    if (stripe) sum += get(*stripe).load(std::memory_order_relaxed);
  }
  return sum;
}

uint64_t Counters::Ended(Metered operation, Code code) const noexcept {
  return Sum([&](const Stripe& stripe) -> const std::atomic<uint64_t>& {
    return stripe.lines[static_cast<size_t>(operation)].ended[IndexOf(code)];
  });
}

uint64_t Counters::Bytes(Metered operation) const noexcept {
  return Sum([&](const Stripe& stripe) -> const std::atomic<uint64_t>& {
    return stripe.lines[static_cast<size_t>(operation)].bytes;
  });
}

uint64_t Counters::KeyHits() const noexcept {
  return Sum([](const Stripe& stripe) -> const std::atomic<uint64_t>& { return stripe.key_hits; });
}

uint64_t Counters::KeyMisses() const noexcept {
  return Sum(
      [](const Stripe& stripe) -> const std::atomic<uint64_t>& { return stripe.key_misses; });
}

}  // namespace chainstore
