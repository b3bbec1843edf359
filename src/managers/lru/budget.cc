#include "managers/lru/budget.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace chainstore {

Budget::Budget(const Store& inner, const Ledger& ledger, Ref<Runtime> runtime, uint64_t max_bytes)
    : inner_(inner), ledger_(ledger), runtime_(std::move(runtime)), max_bytes_(0) {
  set_max_bytes(max_bytes);
}

void Budget::set_max_bytes(uint64_t max_bytes) noexcept {
  max_bytes = std::min(max_bytes, kMaxBytes);
  max_bytes_.store(max_bytes, std::memory_order_relaxed);
  // Not counted means: the capacity counts as used up.
  uint64_t uncounted = uncounted_.load();
  while (uncounted > max_bytes && !uncounted_.compare_exchange_weak(uncounted, max_bytes)) {
  }
}

uint64_t Budget::Taken() const noexcept {
  uint64_t bytes = 0;
  if (inner_.UsedBytes(&bytes)) return bytes;
  // In this order: what moves from one to the other meanwhile is seen twice, never not at all.
  bytes = uncounted_.load(std::memory_order_seq_cst);
  return bytes + ledger_.bytes();
}

bool Budget::TryReserve(uint64_t cost, bool waiting) noexcept {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  for (;;) {
    // The reservations first, then what is taken: a write that ends in between is seen twice.
    uint64_t sum = Reserved(word) + Taken();
    if (!waiting) sum += wanted_.load(std::memory_order_relaxed);
    const uint64_t max = max_bytes();
    if (cost > max || sum > max - cost) return false;
    const uint64_t next = ((word >> 48) + 1) << 48 | (Reserved(word) + cost);
    if (word_.compare_exchange_weak(word, next, std::memory_order_seq_cst)) return true;
  }
}

void Budget::Release(uint64_t cost) noexcept {
  uint64_t word = word_.load(std::memory_order_relaxed);
  uint64_t next;
  do {
    assert(Reserved(word) >= cost);
    next = ((word >> 48) + 1) << 48 | (Reserved(word) - cost);
  } while (!word_.compare_exchange_weak(word, next, std::memory_order_seq_cst));
}

uint64_t Budget::Excess(uint64_t limit) const noexcept {
  const uint64_t reserved = Reserved(word_.load(std::memory_order_seq_cst));
  uint64_t bytes = 0;
  const uint64_t sum = reserved + (inner_.UsedBytes(&bytes) ? bytes : ledger_.bytes());
  return sum > limit ? sum - limit : 0;
}

void Budget::Counted(uint64_t bytes) noexcept {
  uint64_t uncounted = uncounted_.load();
  while (!uncounted_.compare_exchange_weak(uncounted, uncounted - std::min(uncounted, bytes))) {
  }
}

void Budget::Notify() noexcept {
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) == 0) return;
  // A few, in the order in which they came: whoever goes on will end with a Notify of its own.
  constexpr size_t kAtOnce = 8;
  std::vector<Waiter> go_on;
  {
    MutexLock lock(mutex_);
    const size_t count = std::min(waiting_.size(), kAtOnce);
    for (size_t at = 0; at < count; ++at) {
      go_on.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    waiters_.fetch_sub(static_cast<uint32_t>(count), std::memory_order_seq_cst);
  }
  for (Waiter& waiter : go_on) {
    if (waiter.here) {
      waiter.here->Set(Status());
    } else {
      runtime_->Post(Lane::kFast, [later = std::move(waiter.later)]() mutable { later(Status()); });
    }
  }
}

bool Budget::Enlist(uint64_t epoch, Waiter* waiter) {
  MutexLock lock(mutex_);
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  if (Epoch() == epoch) {
    waiting_.push_back(std::move(*waiter));
    return true;
  }
  waiters_.fetch_sub(1, std::memory_order_seq_cst);
  return false;
}

void Budget::Forget(uint64_t id) {
  Done<Status> later;
  {
    MutexLock lock(mutex_);
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [id](const Waiter& each) { return each.id == id; });
    if (found == waiting_.end()) return;
    later = std::move(found->later);
    waiting_.erase(found);
    waiters_.fetch_sub(1, std::memory_order_seq_cst);
  }
  if (later) later(Status());  // its limit has answered: this one goes nowhere
}

void Budget::WaitHere(uint64_t epoch, const Call& call, Done<Status> go_on) {
  const auto here = MakeRef<Awaited<Status>>();
  Waiter waiter{next_waiter_.fetch_add(1), here, {}};
  const uint64_t id = waiter.id;
  if (!Enlist(epoch, &waiter)) return go_on(Status());
  Status woken;
  const Code ended = here->Wait(call, &woken);
  if (ended != Code::kOk) Forget(id);
  go_on(Status(ended));
}

void Budget::Wait(uint64_t epoch, const Call& call, Done<Status> go_on) {
  if (call.wait == Wait::kHere) return WaitHere(epoch, call, std::move(go_on));
  const uint64_t id = next_waiter_.fetch_add(1);
  auto later = [this, id, go_on = std::move(go_on)](Status&& status) mutable {
    if (!status.ok()) Forget(id);
    go_on(std::move(status));
  };
  Waiter waiter{id, nullptr, LimitDone<Status>(runtime_, call, std::move(later))};
  if (!Enlist(epoch, &waiter)) return waiter.later(Status());
  // Its time may have been up before it was in the list.
  if (call.Check() != Code::kOk) Forget(id);
}

}  // namespace chainstore
