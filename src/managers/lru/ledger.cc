#include "managers/lru/ledger.h"

#include "managers/lru/lru_policy.h"
#include "managers/lru/s3fifo_policy.h"

namespace chainstore {
namespace {

std::unique_ptr<Policy> NewPolicy(PolicyKind kind, Slots& slots, Ticker& ticker) {
  if (kind == PolicyKind::kS3Fifo) return std::make_unique<S3FifoPolicy>(slots, ticker);
  return std::make_unique<LruPolicy>(slots, ticker);
}

}  // namespace

// With one shard the order is exact; with several it is not anyway, and threads need not meet in
// the ticker at every touch.
Ledger::Ledger(uint32_t shards, const Ref<Runtime>& runtime, PolicyKind kind)
    : mask_(shards - 1), ticker_(shards == 1 ? 1 : 64) {
  for (uint32_t index = 0; index < shards; ++index) {
    auto slots = std::make_unique<Slots>();
    auto policy = NewPolicy(kind, *slots, ticker_);
    shards_.push_back(
        std::make_unique<LedgerShard>(index, std::move(slots), std::move(policy), runtime, &work_));
  }
}

// Before the key is free: nobody can take it off again before it was put on.
void Ledger::Count(const Held& held, Outcome outcome, uint64_t cost) {
  if (outcome == Outcome::kUnchanged) return;
  const uint64_t now = outcome == Outcome::kAbsent ? 0 : cost;
  bytes_.fetch_add(now - held.cost, std::memory_order_seq_cst);
}

void Ledger::Free(const Held& held, Outcome outcome, uint64_t cost) {
  shards_[held.shard]->Unlock(held, outcome, cost);
}

void Ledger::Empty(Held* held) {
  bytes_.fetch_sub(held->cost, std::memory_order_seq_cst);
  shards_[held->shard]->Empty(held);
}

bool Ledger::TakeVictim(Held* held, std::string* key) {
  const uint32_t first = next_victim_.fetch_add(1, std::memory_order_relaxed);
  for (uint32_t at = 0; at < shards_.size(); ++at) {
    if (shards_[(first + at) & mask_]->TakeVictim(held, key)) return true;
  }
  return false;
}

uint64_t Ledger::count() {
  uint64_t count = 0;
  for (auto& shard : shards_) count += shard->count();
  return count;
}

void Ledger::BeginPage() {
  for (auto& shard : shards_) shard->BeginPage();
}

void Ledger::EndPages() {
  for (auto& shard : shards_) shard->EndPages();
}

bool Ledger::Seed(const Key& key, uint64_t cost, uint64_t order) {
  bytes_.fetch_add(cost, std::memory_order_seq_cst);
  if (ShardOf(key).Seed(key, cost, order)) return true;
  bytes_.fetch_sub(cost, std::memory_order_seq_cst);
  return false;
}

}  // namespace chainstore
