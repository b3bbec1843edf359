#include "core/fence.h"

#include <cassert>

namespace chainstore {

Fence::Fence() : words_(new std::atomic<uint64_t>[kStripes]()) {}

Fence::Ticket Fence::Note(const Key& key) const noexcept {
  const uint64_t word = Word(key).load(std::memory_order_seq_cst);
  return {static_cast<uint32_t>(word >> 32), (word & kBusyMask) != 0};
}

bool Fence::StillIdle(const Key& key, const Ticket& ticket) const noexcept {
  if (ticket.busy) return false;
  const Ticket now = Note(key);
  return !now.busy && now.generation == ticket.generation;
}

void Fence::BeginWrite(const Key& key) noexcept {
  Word(key).fetch_add(kGeneration + kBusy, std::memory_order_seq_cst);
}

void Fence::EndWrite(const Key& key) noexcept {
  Word(key).fetch_add(kGeneration - kBusy, std::memory_order_seq_cst);
}

uint64_t Fence::Barred(const Key& key) const {
  const uint64_t whole = barred_stores_.load(std::memory_order_seq_cst);
  if ((Word(key).load(std::memory_order_seq_cst) & kBarredMask) == 0) return whole;
  MutexLock lock(mutex_);
  const auto found = bars_.find(std::string(key.bytes));
  return found == bars_.end() ? whole : whole | found->second.barred;
}

void Fence::Bar(const Key& key, uint64_t stores) {
  if (stores == 0) return;
  MutexLock lock(mutex_);
  const auto found = bars_.find(std::string(key.bytes));
  if (found != bars_.end()) {
    found->second.barred |= stores;
    return;
  }
  if (bars_.size() >= kMaxBars) {
    barred_stores_.fetch_or(stores, std::memory_order_seq_cst);
    return;
  }
  bars_.emplace(key.bytes, Bars{stores, 0});
  bar_count_.store(bars_.size(), std::memory_order_relaxed);
  Word(key).fetch_add(kBarred, std::memory_order_seq_cst);
}

void Fence::Unbar(const Key& key, uint64_t stores) {
  MutexLock lock(mutex_);
  const auto found = bars_.find(std::string(key.bytes));
  if (found == bars_.end()) return;
  found->second.barred &= ~stores | found->second.outstanding;
  if (found->second.barred == 0) Erase(found);
}

uint64_t Fence::Outstanding(const Key& key) const {
  if ((Word(key).load(std::memory_order_seq_cst) & kBarredMask) == 0) return 0;
  MutexLock lock(mutex_);
  const auto found = bars_.find(std::string(key.bytes));
  return found == bars_.end() ? 0 : found->second.outstanding;
}

void Fence::BeginOutstanding(const Key& key, uint64_t stores) {
  MutexLock lock(mutex_);
  const auto [at, is_new] = bars_.try_emplace(std::string(key.bytes));
  at->second.barred |= stores;
  at->second.outstanding |= stores;
  if (!is_new) return;
  bar_count_.store(bars_.size(), std::memory_order_relaxed);
  Word(key).fetch_add(kBarred, std::memory_order_seq_cst);
}

void Fence::EndOutstanding(const Key& key, uint64_t stores) {
  MutexLock lock(mutex_);
  const auto found = bars_.find(std::string(key.bytes));
  if (found != bars_.end()) found->second.outstanding &= ~stores;
}

void Fence::Forget(uint64_t stores) {
  MutexLock lock(mutex_);
  for (auto at = bars_.begin(); at != bars_.end();) {
    at->second.barred &= ~stores;
    at->second.outstanding &= ~stores;
    at = at->second.barred == 0 ? Erase(at) : std::next(at);
  }
  barred_stores_.fetch_and(~stores, std::memory_order_seq_cst);
}

Fence::BarMap::iterator Fence::Erase(BarMap::iterator at) {
  Word(Key(at->first)).fetch_sub(kBarred, std::memory_order_seq_cst);
  const auto next = bars_.erase(at);
  bar_count_.store(bars_.size(), std::memory_order_relaxed);
  return next;
}

}  // namespace chainstore
