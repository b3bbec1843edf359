#include "core/order_domain.h"

#include <bit>

namespace chainstore {

uint64_t OrderDomain::UseBit(const void* store) {
  MutexLock lock(mutex_);
  size_t free = kMaxStores;
  for (size_t at = 0; at < kMaxStores; ++at) {
    if (places_[at].users > 0 && places_[at].store == store) {
      ++places_[at].users;
      return uint64_t{1} << at;
    }
    if (places_[at].users == 0 && free == kMaxStores) free = at;
  }
  if (free == kMaxStores) return 0;
  places_[free] = {store, 1};
  return uint64_t{1} << free;
}

void OrderDomain::ReleaseBit(uint64_t bit) {
  {
    MutexLock lock(mutex_);
    if (--places_[std::countr_zero(bit)].users > 0) return;
  }
  fence.Forget(bit);
}

}  // namespace chainstore
