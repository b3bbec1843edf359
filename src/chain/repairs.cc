#include "chain/repairs.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "chain/upper_call.h"

namespace chainstore {

void Repairs::Add(const Key& key, size_t link) {
  MutexLock lock(mutex_);
  if (stopped_) return;
  waiting_[std::string(key.bytes)] |= uint64_t{1} << link;
  ScheduleLocked();
}

void Repairs::ScheduleLocked() {
  if (std::exchange(scheduled_, true)) return;
  Runtime& runtime = chain_.runtime();
  timer_at_ns_ = runtime.clock().SteadyNs() + delay_ns_;
  timer_ = runtime.At(timer_at_ns_, [self = Ref<Repairs>(this)] { self->TimerFired(); });
}

void Repairs::TimerFired() {
  MutexLock lock(mutex_);
  scheduled_ = false;
  // Not stopped: the chain is still there, if only on its way to be closed.
  if (stopped_ || !chain_.TryRef()) return;
  lock.Unlock();
  auto chain = Ref<Chain>::Adopt(&chain_);
  Runtime& runtime = chain->runtime();
  runtime.Post(Lane::kFast, [chain = std::move(chain)] { chain->repairs().Run(); });
}

void Repairs::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  waiting_.clear();
  const bool scheduled = std::exchange(scheduled_, false);
  const Runtime::TimerId timer = timer_;
  const int64_t at_ns = timer_at_ns_;
  lock.Unlock();
  if (scheduled) chain_.runtime().CancelTimer(timer, at_ns);
}

void Repairs::Run() {
  std::map<std::string, uint64_t> now;
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    now.swap(waiting_);
    delay_ns_ = std::min(2 * delay_ns_, kLongestDelayNs);
  }
  for (const auto& [bytes, links] : now) {
    for (uint64_t left = links; left != 0; left &= left - 1) {
      RepairOne(OwnedKey(Key(bytes)), static_cast<size_t>(std::countr_zero(left)));
    }
  }
}

void Repairs::RepairOne(const OwnedKey& key, size_t link) {
  auto pass = std::make_shared<GatePass>(chain_.gate());
  if (!*pass) return;
  Call call;
  call.wait = Wait::kLater;
  call.flags = Call::kFill;
  const uint64_t bit = uint64_t{1} << link;
  auto keys = std::make_shared<const ChainOrder::Keys>(ChainOrder::Keys{key});
  chain_.order().Acquire(keys, call, [=, this, chain = Ref<Chain>(&chain_)](Status&& turn) {
    if (!turn.ok()) return;
    // A later write may have put it right, or may be outstanding itself by now.
    const bool due = (chain->order().Barred(key) & bit) && !(chain->order().Outstanding(key) & bit);
    if (!due) return chain->order().Release(*keys);
    CallUpper<Receipt>(
        chain, link, keys, call,
        [&](const Call& call, Done<Receipt> done) {
          chain->link(link).below().Del(key, call, std::move(done));
        },
        [=, this](Receipt&& receipt) {
          const bool repaired = receipt.status.ok();
          if (repaired) chain->order().Unbar(key, bit);
          const bool back = !(chain->order().Outstanding(key) & bit);
          chain->order().Release(*keys);
          if (back) Finished(key, link, repaired);
          (void)pass;
        });
  });
}

void Repairs::Finished(const OwnedKey& key, size_t link, bool repaired) {
  if (!repaired) return Add(key, link);
  MutexLock lock(mutex_);
  delay_ns_ = kFirstDelayNs;
}

}  // namespace chainstore
