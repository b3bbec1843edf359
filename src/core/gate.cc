#include "core/gate.h"

#include <cassert>

#include "base/thread_slot.h"

namespace chainstore {
Gate::~Gate() { assert(Sum() == 0 && "a store was destroyed while a call was under way"); }

bool Gate::Enter() noexcept {
  std::atomic<int64_t>& count = stripes_[ThreadSlot::Get() % kStripes].count;
  // Sequentially consistent on both sides: either we see `closed_`, or Close sees us.
  count.fetch_add(1, std::memory_order_seq_cst);
  if (!closed_.load(std::memory_order_seq_cst)) return true;
  count.fetch_sub(1, std::memory_order_seq_cst);
  FinishIfDrained();
  return false;
}

void Gate::Leave() noexcept {
  // May be another thread than the one that entered: a stripe can be negative, the sum cannot.
  stripes_[ThreadSlot::Get() % kStripes].count.fetch_sub(1, std::memory_order_seq_cst);
  if (closed_.load(std::memory_order_seq_cst)) FinishIfDrained();
}

bool Gate::Close(UniqueFunction<void()> on_drained) {
  {
    MutexLock lock(mutex_);
    if (closed_.load(std::memory_order_relaxed)) return false;
    on_drained_ = std::move(on_drained);
    closed_.store(true, std::memory_order_seq_cst);
  }
  FinishIfDrained();
  return true;
}

int64_t Gate::Sum() const noexcept {
  int64_t sum = 0;
  for (const Stripe& stripe : stripes_) sum += stripe.count.load(std::memory_order_seq_cst);
  return sum;
}

void Gate::FinishIfDrained() {
  UniqueFunction<void()> finish;
  {
    MutexLock lock(mutex_);
    if (!on_drained_ || Sum() != 0) return;
    finish = std::move(on_drained_);
  }
  finish();
}

}  // namespace chainstore
