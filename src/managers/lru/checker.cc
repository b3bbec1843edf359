#include "managers/lru/checker.h"

namespace chainstore {

Checker::Checker(LruStore& store, GatePass pass, const Key& key)
    : store_(&store), pass_(std::move(pass)), key_(key) {
  call_.wait = Wait::kLater;
  // A close waits for it: not for ever.
  constexpr uint64_t kTimeoutMs = 10'000;
  call_.deadline_ns = store.runtime().clock().DeadlineAfterMs(kTimeoutMs);
}

Checker::~Checker() { store_->checks_.fetch_sub(1, std::memory_order_relaxed); }

bool Checker::Step() {
  switch (phase_) {
    case Phase::kLock:
      phase_ = Phase::kAsk;
      store_->ledger().Lock(key_, call_, &held_, [this, self = Ref<Checker>(this)](Status&& turn) {
        locked_ = std::move(turn);
        if (!locked_.ok()) store_->budget().Notify();  // the key was perhaps its own for a moment
        Resume();
      });
      return true;
    case Phase::kAsk:
      if (!locked_.ok()) return false;
      phase_ = Phase::kDecide;
      store_->below().Get(key_, Read::Stat(), call_,
                          [this, self = Ref<Checker>(this)](Answer&& answer) {
                            answer_ = std::move(answer);
                            Resume();
                          });
      return true;
    case Phase::kDecide:
      return Decide();
  }
  return false;
}

bool Checker::Decide() {
  if (answer_.status.ok()) {
    const Key key = key_;
    const uint64_t cost = store_->CostOf(key.bytes.size(), answer_.meta.total_size);
    store_->ledger().Unlock(held_, Outcome::kPresent, cost);
  } else if (answer_.status.Is(Code::kNotFound)) {
    store_->below().Del(key_, call_, [this, self = Ref<Checker>(this)](Receipt&& receipt) {
      const bool gone = receipt.status.ok();
      store_->ledger().Unlock(held_, gone ? Outcome::kAbsent : Outcome::kUnchanged);
      store_->budget().Notify();
    });
    return false;
  } else {
    store_->ledger().Unlock(held_, Outcome::kUnchanged);
  }
  store_->budget().Notify();
  return false;
}

}  // namespace chainstore
