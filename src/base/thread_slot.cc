#include "base/thread_slot.h"

#include <bitset>

#include "base/mutex.h"

namespace chainstore {
namespace {

struct Slots {
  Mutex mutex;
  std::bitset<ThreadSlot::kSlots> taken CS_GUARDED_BY(mutex);
};

// Never destroyed: threads may end after everything else has.
Slots& AllSlots() noexcept {
  static Slots* const slots = new Slots;
  return *slots;
}

// Gives the thread's number back when it ends.
struct Owner {
  size_t slot = ThreadSlot::kShared;
  ~Owner() {
    if (slot == ThreadSlot::kShared) return;
    MutexLock lock(AllSlots().mutex);
    AllSlots().taken.reset(slot);
  }
};

}  // namespace

size_t ThreadSlot::Claim() noexcept {
  thread_local Owner owner;
  MutexLock lock(AllSlots().mutex);
  size_t free = 0;
  while (free < kSlots && AllSlots().taken.test(free)) ++free;
  if (free < kSlots) AllSlots().taken.set(free);
  owner.slot = free;
  slot_ = free;
  return free;
}

}  // namespace chainstore
