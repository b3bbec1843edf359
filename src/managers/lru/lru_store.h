// LruStore: the LRU manager as a store. Reads pass through and stamp their key; a write reserves
// what it costs, makes room for it by deleting the least recently used entries, then passes
// through.
//
// What counts as use: a get and a range that hit, a put (fills too). A stat and a scan do not: who
// asks how large something is, or lists it, has not used it.
//
// Thread safety: any thread. Invariants: what the inner store takes, plus what is reserved, never
// exceeds the capacity; the ledger holds every entry of the inner store that came through this
// store or was counted at its start, at no less than it costs; an eviction and a write of one key
// never overlap (both hold the key's lock in the ledger).
#pragma once

#include <memory>
#include <string>

#include "core/below.h"
#include "core/store.h"
#include "managers/lru/budget.h"
#include "managers/lru/ledger.h"
#include "managers/lru/loader.h"
#include "managers/lru/recency_keeper.h"

namespace chainstore {

struct LruSettings {
  uint64_t max_bytes;
  uint32_t cushion_percent;
  bool bypass;  // oversize
  uint32_t shards;
  PolicyKind policy;
  uint64_t recency_interval_ms;
};

class LruStore final : public Store {
 public:
  LruStore(Ref<Store> inner, const LruSettings& settings, Ref<Runtime> runtime);
  ~LruStore() override;
  // Begins to count what is in the inner store, and to keep the recency log.
  void Start();

  uint32_t caps() const noexcept override { return inner_->caps() & ~uint32_t{kCapDurable}; }
  Limits limits() const noexcept override;
  Store* inner(size_t index) const noexcept override { return index == 0 ? inner_.get() : nullptr; }
  uint32_t tier_count() const noexcept override { return inner_->tier_count(); }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override {
    return inner_->EntryCost(key_size, value_size);
  }
  bool UsedBytes(uint64_t* bytes) const noexcept override { return inner_->UsedBytes(bytes); }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  bool GetHit(const Key& key, Hit* hit) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;
  void NoteMiss(const Key& key) noexcept override;
  // max_bytes, cushion: a smaller capacity is kept to when it returns.
  Status Set(std::string_view option, std::string_view value) override;

  // ---- For the parts of it ----
  Store& below() noexcept { return *inner_; }
  Ledger& ledger() noexcept { return ledger_; }
  Budget& budget() noexcept { return budget_; }
  RecencyKeeper* recency() noexcept { return recency_.get(); }  // may be null
  void TickRecency() { recency_->Tick(); }
  bool bypass() const noexcept { return settings_.bypass; }
  // More can be expected to be known soon: who finds nothing to evict may wait.
  bool counting() const noexcept { return loader_->progressing(); }
  bool loading() const noexcept { return loader_->loading(); }
  // What an entry costs at most; never 0.
  uint64_t CostOf(size_t key_size, uint64_t value_size) const noexcept;
  // Larger than the capacity, or than the inner store takes.
  bool Oversize(size_t key_size, uint64_t value_size) const noexcept;
  // What an eviction's delete came to; the key is unlocked, failures are reported.
  void SettleEviction(const Held& held, const Status& status);
  // Frees the cushion in the background.
  void StartEvictor();
  void EvictorEnded() noexcept { evicting_.store(false); }
  uint64_t CushionedBytes() const noexcept;
  // What a write of a locked key came to, which is unlocked. The cost is what the new entry costs.
  void SettlePut(const Key& key, const Held& held, uint64_t cost, const Status& status);
  void SettleDel(const Key& key, const Held& held, const Status& status);
  // Asks the inner store, in the background, whether it holds the key, and corrects the ledger.
  void Check(const Key& key);

  Status Closed(const char* operation) const { return ClosedStatus(operation); }
  Status Ended(Code code, const char* operation) const { return EndedStatus(code, operation); }
  Failure Failed(Code code, const char* operation, std::string what) const {
    return Fail(code, operation, std::move(what));
  }

 private:
  friend class Checker;
  void CloseSelf(const Call& call, Done<Status> done) noexcept override;

  // What a read's answer says about the ledger.
  void Noticed(const Key& key, bool is_use, const Status& status, const Call& call) noexcept;
  void Used(const Key& key) noexcept;
  void Missed(const Key& key) noexcept;
  Status ShrinkToFit();

  const Ref<Store> inner_;
  const LruSettings settings_;
  const bool tries_;  // the inner store may answer under kNever
  std::atomic<uint32_t> cushion_percent_;
  Ledger ledger_;
  Budget budget_;
  std::unique_ptr<RecencyKeeper> recency_;  // null: the inner store has no directory
  const std::unique_ptr<Loader> loader_;

  std::atomic<bool> evicting_{false};
  std::atomic<bool> eviction_fails_{false};  // reported already
  std::atomic<uint32_t> checks_{0};
};

}  // namespace chainstore
