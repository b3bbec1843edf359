#include "managers/lru/evictor.h"

#include <algorithm>
#include <string>
#include <vector>

namespace chainstore {
namespace {

constexpr size_t kMaxBatch = 64;
constexpr uint32_t kMaxFailures = 8;

bool EvictOne(LruStore& store, const Call& call, UniqueFunction<void(Status&&)> then) {
  Held held;
  std::string key;
  if (!store.ledger().TakeVictim(&held, &key)) return false;
  if (call.wait != Wait::kLater) {
    store.below().Del(Key(key), call, [&store, &held, &then](Receipt&& receipt) {
      store.SettleEviction(held, receipt.status);
      then(std::move(receipt.status));
    });
    return true;
  }
  store.below().Del(
      Key(key), call,
      [self = Ref<LruStore>(&store), held, then = std::move(then)](Receipt&& receipt) mutable {
        self->SettleEviction(held, receipt.status);
        then(std::move(receipt.status));
      });
  return true;
}

Status SettleBatch(LruStore& store, const std::vector<Held>& victims, const Entries& entries) {
  if (entries.status.ok() || entries.status.Is(Code::kPartial)) {
    Status first;
    for (size_t at = 0; at < victims.size(); ++at) {
      store.SettleEviction(victims[at], entries.entries[at].status);
      if (first.ok()) first = entries.entries[at].status;
    }
    return first;
  }
  // The store failed, not an entry: one of them goes to the end, the order of the others stays.
  for (size_t at = 1; at < victims.size(); ++at) {
    store.ledger().Unlock(victims[at], Outcome::kUnchanged);
  }
  store.SettleEviction(victims[0], entries.status);
  return entries.status;
}

bool EvictBatch(LruStore& store, const Call& call, uint64_t bytes,
                UniqueFunction<void(Status&&)> then) {
  // What an entry really takes on average: its cost is the most that it could take.
  const uint64_t count = std::max<uint64_t>(1, store.ledger().count());
  const uint64_t average = std::max<uint64_t>(1, store.budget().Excess(0) / count);
  auto batch = MakeRef<Batch>();
  std::vector<Held> victims;
  uint64_t freed = 0;
  Held held;
  std::string key;
  while (victims.size() < kMaxBatch && freed < bytes && store.ledger().TakeVictim(&held, &key)) {
    freed += std::min(held.cost, average);
    victims.push_back(held);
    batch->AddDel(Key(key));
  }
  if (victims.empty()) return false;
  store.below().Write(
      std::move(batch), call,
      [self = Ref<LruStore>(&store), victims = std::move(victims), then = std::move(then)](
          Entries&& entries) mutable { then(SettleBatch(*self, victims, entries)); });
  return true;
}

}  // namespace

bool EvictSome(LruStore& store, const Call& call, uint64_t bytes,
               UniqueFunction<void(Status&&)> then) {
  if (store.below().caps() & kCapAtomicBatch) {
    return EvictBatch(store, call, bytes, std::move(then));
  }
  return EvictOne(store, call, std::move(then));
}

bool Evictor::Step() {
  pass_ = GatePass(store_->gate());
  // Nobody but this has the store: it is about to close, and not too large as it is.
  if (!pass_ || store_->IsUnique() || failures_ >= kMaxFailures) return Finish();
  const uint64_t excess = store_->budget().Excess(store_->CushionedBytes());
  if (excess == 0) return Finish();
  Call call;
  call.wait = Wait::kLater;
  const bool began =
      EvictSome(*store_, call, excess, [this, self = Ref<Evictor>(this)](Status&& status) {
        failures_ = status.ok() ? 0 : failures_ + 1;
        Resume();
      });
  return began || Finish();
}

bool Evictor::Finish() {
  pass_ = GatePass();
  store_->EvictorEnded();
  return false;
}

}  // namespace chainstore
