#include "managers/lru/loader.h"

#include <algorithm>

#include "managers/lru/lru_store.h"

namespace chainstore {
namespace {

// Orders that are known from before lie below Ticker::kFirst in two bands: the place in the log,
// then, for what the log does not know, the version (a time in microseconds, or no time at all).
constexpr uint64_t kUnlogged = uint64_t{1} << 40;
constexpr uint64_t kMaxVersion = uint64_t{1} << 56;

constexpr uint32_t kPageSize = 4096;
// On the thread that opens: enough for an empty or a small store, a matter of microseconds.
constexpr uint32_t kFirstPageSize = 64;

}  // namespace

// The scan itself. Holds a reference to the store, and gives up when nobody else has one.
class CountOp final : public Steps {
 public:
  CountOp(LruStore& store, Loader& loader, bool inline_first)
      : store_(&store), loader_(loader), inline_first_(inline_first) {
    range_.keys_only = true;
    range_.page_size = kPageSize;
  }

 private:
  enum class Phase : uint8_t { kOrders, kScan, kSeed };

  bool Step() override {
    switch (phase_) {
      case Phase::kOrders:
        return ReadOrders();
      case Phase::kScan:
        return ReadPage();
      case Phase::kSeed:
        return SeedPage();
    }
    return false;
  }
  bool ReadOrders() {
    phase_ = Phase::kScan;
    if (inline_first_) return ReadPage();
    ResumeOnWorker([](CountOp& op) { op.loader_.LoadOrders(); });
    return true;
  }
  bool ReadPage() {
    pass_ = GatePass(store_->gate());
    if (!pass_ || store_->IsUnique()) return Finish(false);
    phase_ = Phase::kSeed;
    Call call;
    call.wait = inline_first_ ? Wait::kNever : Wait::kLater;
    Range range = range_;
    if (inline_first_) range.page_size = kFirstPageSize;
    store_->ledger().BeginPage();
    store_->below().Scan(range, call, [this, self = Ref<CountOp>(this)](Page&& page) {
      page_ = std::move(page);
      Resume();
    });
    return true;
  }
  bool SeedPage() {
    const bool first = std::exchange(inline_first_, false);
    if (first && page_.status.Is(Code::kWouldBlock)) {
      phase_ = Phase::kScan;
      pass_ = GatePass();
      ResumeOnWorker([](CountOp&) {});
      return true;
    }
    if (page_.status.failed()) {
      return Retry();
    }
    delay_ms_ = 100;
    loader_.failing_.store(false);
    loader_.Seed(page_);
    pass_ = GatePass();
    if (page_.status.Is(Code::kEnd) || !page_.more) return Finish(true);
    store_->budget().Notify();
    range_.after = std::move(page_.entries.back().key);
    range_.has_after = true;
    phase_ = Phase::kScan;
    if (!first) {
      Resume();
    } else {
      ResumeOnWorker([](CountOp&) {});
    }
    return true;
  }
  bool Retry() {
    pass_ = GatePass();
    const Code code = page_.status.code();
    // A store that cannot tell what is in it: what comes through this LRU is all that it knows.
    if (code == Code::kUnsupported) return Finish(true);
    if (code == Code::kClosed || code == Code::kForked) return Finish(false);
    loader_.Failing(page_.status);
    phase_ = Phase::kScan;
    const int64_t deadline = store_->runtime().clock().DeadlineAfterMs(delay_ms_);
    delay_ms_ = std::min<uint64_t>(2 * delay_ms_, 5'000);
    store_->runtime().At(
        deadline, [this, self = Ref<CountOp>(this)]() mutable { ResumeOnWorker([](CountOp&) {}); });
    return true;
  }
  bool Finish(bool known) {
    loader_.Finish(known);
    pass_ = GatePass();
    return false;
  }
  template <class Work>
  void ResumeOnWorker(Work work) {
    store_->runtime().Post(Lane::kSlow, [self = Ref<CountOp>(this), work] {
      work(*self);
      self->Resume();
    });
  }

  const Ref<LruStore> store_;
  Loader& loader_;
  bool inline_first_;
  Phase phase_ = Phase::kOrders;
  GatePass pass_;
  Range range_;
  Page page_;
  uint64_t delay_ms_ = 100;
};

void Loader::Start() {
  const uint32_t caps = store_.below().caps();
  if (!(caps & kCapScan)) return;
  loading_.store(true, std::memory_order_release);
  uint64_t bytes;
  if (!store_.below().UsedBytes(&bytes)) store_.budget().SetUncounted(store_.budget().max_bytes());
  const bool inline_first = (caps & kCapTry) && !store_.recency();
  MakeRef<CountOp>(store_, *this, inline_first)->Run();
}

void Loader::LoadOrders() {
  if (!store_.recency()) return;
  const std::vector<uint64_t> fingerprints = store_.recency()->Load();
  store_.recency()->Start();
  MutexLock lock(mutex_);
  orders_.Reserve(orders_.size() + fingerprints.size());
  for (size_t at = 0; at < fingerprints.size(); ++at) {
    // What was touched already since the start is the more recent.
    if (orders_.Get(fingerprints[at]) < Ticker::kFirst) orders_.Set(fingerprints[at], at + 1);
  }
}

void Loader::Touched(const Key& key) {
  const uint64_t fingerprint = KeyFingerprint(key.bytes);
  MutexLock lock(mutex_);
  // A bound on what hits of keys that never turn up in the scan could grow to.
  constexpr uint64_t kMost = uint64_t{1} << 24;
  if (!loading() || orders_.size() >= kMost) return;
  orders_.Set(fingerprint, store_.ledger().ticker().Next());
}

void Loader::Seed(const Page& page) {
  for (const Entry& entry : page.entries) {
    uint64_t order = 0;
    {
      MutexLock lock(mutex_);
      order = orders_.Get(KeyFingerprint(entry.key));
    }
    if (order == 0) {
      guessed_ = true;
      order = kUnlogged + std::min(entry.meta.version, kMaxVersion);
    }
    const uint64_t cost = store_.CostOf(entry.key.size(), entry.meta.total_size);
    if (store_.ledger().Seed(Key(entry.key), cost, order)) store_.budget().Counted(cost);
  }
  if (store_.budget().Excess(store_.budget().max_bytes()) != 0) store_.StartEvictor();
}

void Loader::Failing(const Status& status) {
  if (failing_.exchange(true)) return;
  store_.Report(store_
                    .Failed(status.code(), "count",
                            "cannot count what is in the inner store; until it can, its capacity "
                            "counts as used up")
                    .Cause(status));
  store_.budget().Notify();
}

void Loader::Finish(bool known) {
  store_.ledger().EndPages();
  {
    MutexLock lock(mutex_);
    loading_.store(false, std::memory_order_release);
    orders_ = OrderMap();
  }
  if (known) store_.budget().SetUncounted(0);
  store_.budget().Notify();  // also if it was given up: who waits for it must not wait for ever
  if (!known) return;
  if (store_.recency()) {
    store_.recency()->Complete();
    // So that the next start need not guess.
    if (guessed_) store_.recency()->Save(true);
  }
}

}  // namespace chainstore
