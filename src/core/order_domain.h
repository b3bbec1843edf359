// OrderDomain: the order of writes, the fence and the bars of the stores that chains hold as links.
// It is attached to the stores themselves, so that several chains over one store agree.
// Thread safety: any thread.
#pragma once

#include "base/ref.h"
#include "core/fence.h"
#include "core/key_slots.h"

namespace chainstore {

class OrderDomain final : public RefCounted<OrderDomain> {
 public:
  explicit OrderDomain(Ref<Runtime> runtime) : slots(std::move(runtime)) {}

  KeySlots slots;
  Fence fence;

  // The bit of `store` in this domain's bars, shared by every chain that holds it; 0: no more than
  // kMaxStores at a time. Each use is given back by ReleaseBit.
  static constexpr size_t kMaxStores = 64;
  uint64_t UseBit(const void* store) CS_EXCLUDES(mutex_);
  void ReleaseBit(uint64_t bit) CS_EXCLUDES(mutex_);

 private:
  struct Place {
    const void* store = nullptr;
    uint32_t users = 0;
  };
  Mutex mutex_;
  Place places_[kMaxStores] CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
