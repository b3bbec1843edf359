// Chain: N stores behind one handle, fastest first. Reads look from the first store down and fill
// the ones that missed; writes go lowest first, in one order per key, so that no reader ever sees a
// value that a crash, an eviction or a failure could take back. ARCHITECTURE.md ("Freshness")
// names the rules, the executable model of the design proves them.
//
// Parts: chain_order (slots, fence, bars), chain_get + trips (reads), chain_fill (back-fill),
// chain_write (puts, dels, batches), repairs (what could not be forgotten), chain_scan (merged
// scans), upper_call (a call that may not come back).
//
// Thread safety: as Store. Invariant: whenever a key's slot is free, every link above the lowest
// either holds nothing older than the lowest one, or is barred for the key.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "chain/chain_order.h"
#include "chain/fill_budget.h"
#include "core/below.h"
#include "core/option.h"
#include "core/store.h"

namespace chainstore {

class Repairs;
class Trips;

inline constexpr OptionSpec kChainOptions[] = {
    {"writes", OptionSpec::Type::kChoice, "behind",
     "when a write is acknowledged: accepted by the write-behind, or in every store",
     "behind|through"},
    {"fill", OptionSpec::Type::kChoice, "async",
     "how a hit fills the stores above it: in the background, before returning, or not",
     "async|sync|off"},
};

// At least one store. With writes=behind (the default) and two stores or more, one of which must
// not be a write-behind already, everything below the first store is put behind one; options that
// are not the chain's own go to it.
Result<Ref<Store>> NewChain(std::vector<Ref<Store>> stores, const Options* options);

class Chain final : public Store {
 public:
  enum class FillMode : uint8_t { kAsync, kSync, kOff };
  struct Link {
    Ref<Store> store;
    Below below() const noexcept { return Below(*store); }  // to ask it
    bool can_try = false;                                   // answers from memory
    bool remote = false;                                    // its trips are shared
    bool behind = false;                                    // a write-behind is in it
    uint32_t tier_offset = 0;
    // Whether its last answer was a failure: a report is due when that changes.
    std::atomic<bool> failing{false};
  };
  static constexpr size_t kMaxLinks = 32;
  // How long a write waits for a store above the lowest one before it goes on without it.
  static constexpr uint64_t kUpperPatienceMs = 30'000;

  Chain(std::string name, Ref<Runtime> runtime, std::vector<Ref<Store>> links, FillMode fill,
        bool through);
  ~Chain() override;
  Status AttachOrder();

  uint32_t caps() const noexcept override { return caps_; }
  Limits limits() const noexcept override { return limits_; }
  Store* inner(size_t index) const noexcept override;
  uint32_t tier_count() const noexcept override;
  std::string directory() const override;
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override;
  bool UsedBytes(uint64_t* bytes) const noexcept override;

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  bool GetHit(const Key& key, Hit* hit) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void NoteMiss(const Key& key) noexcept override;

  // ---- For the parts of the chain ----
  size_t size() const noexcept { return link_count_; }
  size_t lowest() const noexcept { return link_count_ - 1; }
  Link& link(size_t index) const noexcept { return links_[index]; }
  // All links but the lowest, as a mask.
  uint64_t uppers() const noexcept { return (uint64_t{1} << lowest()) - 1; }
  ChainOrder& order() noexcept { return order_; }
  Trips& trips() noexcept { return *trips_; }
  Repairs& repairs() noexcept { return *repairs_; }
  FillBudget& fills() noexcept { return fills_; }
  FillMode fill_mode() const noexcept { return fill_; }
  bool through() const noexcept { return through_; }
  // Notes how a link answered; reports a failure when it is news.
  void NoteHealth(size_t index, const Status& status) noexcept;
  void NoteHealthy(size_t index) noexcept {
    // Read before write: the line of a healthy link stays shared between the cores.
    Link& link = links_[index];
    if (link.failing.load(std::memory_order_relaxed)) link.failing.store(false);
  }
  // For the parts, which have no other way to these.
  Status Closed(std::string_view operation) const { return ClosedStatus(operation); }
  Status Ended(Code code, std::string_view operation) const { return EndedStatus(code, operation); }
  Failure Failed(Code code, std::string_view operation, std::string what) const {
    return Fail(code, operation, std::move(what));
  }

 protected:
  void CloseSelf(const Call& call, Done<Status> done) noexcept override;

 private:
  void GetNow(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept;

  const size_t link_count_;
  const std::unique_ptr<Link[]> links_;
  const FillMode fill_;
  const bool through_;
  uint32_t caps_ = 0;
  Limits limits_;
  ChainOrder order_;
  FillBudget fills_;
  const std::unique_ptr<Trips> trips_;
  const Ref<Repairs> repairs_;
};

}  // namespace chainstore
