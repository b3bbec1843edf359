#include "managers/lru/recency_keeper.h"

#include <algorithm>

#include "managers/lru/lru_store.h"

namespace chainstore {

RecencyKeeper::RecencyKeeper(LruStore& store, const std::string& directory, const std::string& name,
                             uint64_t interval_ms)
    : store_(store),
      directory_(directory + "/.chainstore/recency"),
      name_(name),
      interval_ms_(std::max<uint64_t>(1, interval_ms)) {
  MutexLock lock(beacon_->mutex);
  beacon_->store = &store;
}

RecencyKeeper::~RecencyKeeper() {
  MutexLock lock(beacon_->mutex);
  beacon_->store = nullptr;
}

std::vector<uint64_t> RecencyKeeper::Load() {
  std::vector<uint64_t> fingerprints;
  {
    MutexLock lock(mutex_);
    auto opened = RecencyLog::Open(directory_, name_);
    if (opened.ok()) {
      log_ = std::move(*opened);
      Note(log_->Load(&fingerprints));
      failing_ = false;  // what was wrong with the old file says nothing of the next write
    } else {
      Note(opened.status());
    }
  }
  ReportNoted();
  return fingerprints;
}

void RecencyKeeper::Complete() {
  MutexLock lock(mutex_);
  complete_ = true;
}

void RecencyKeeper::Save(bool all) {
  {
    MutexLock lock(mutex_);
    if (!log_) return;
    Ticker& ticker = store_.ledger().ticker();
    // Read before the entries are looked at: what is used meanwhile is saved again next time.
    const uint64_t now = ticker.Last();
    if (now == saved_ && !(all && complete_)) return;
    Status status;
    all = all && complete_;
    if (!all) {
      const uint64_t since = std::max(saved_ - std::min(saved_, ticker.Lag()), Ticker::kFirst);
      const std::vector<uint64_t> used = Collect(since);
      constexpr uint64_t kFewest = 65536;
      all =
          complete_ && log_->size() + used.size() > std::max(2 * store_.ledger().count(), kFewest);
      if (!all && !used.empty()) status = log_->Append(used);
    }
    if (all) status = log_->Rewrite(Collect(0));
    if (status.ok()) saved_ = now;
    Note(status);
  }
  ReportNoted();
}

void RecencyKeeper::Close() {
  Save(true);
  MutexLock lock(mutex_);
  log_ = nullptr;
}

std::vector<uint64_t> RecencyKeeper::Collect(uint64_t since) {
  struct Used {
    uint64_t order;
    uint64_t fingerprint;
  };
  std::vector<Used> used;
  // In strides: the shard's lock is held for microseconds at a time.
  constexpr uint32_t kStride = 1024;
  for (auto& shard : store_.ledger().shards()) {
    for (uint32_t begin = 0;; begin += kStride) {
      const bool more =
          shard->VisitPresent(begin, kStride, since, [&used](uint64_t order, Bytes key) {
            used.push_back({order, KeyFingerprint(key)});
          });
      if (!more) break;
    }
  }
  std::sort(used.begin(), used.end(),
            [](const Used& a, const Used& b) { return a.order < b.order; });
  std::vector<uint64_t> fingerprints;
  fingerprints.reserve(used.size());
  for (const Used& each : used) fingerprints.push_back(each.fingerprint);
  return fingerprints;
}

void RecencyKeeper::Note(const Status& status) {
  // Once per change of state; reported when the lock is gone.
  if (!status.ok() && !failing_) noted_.push_back(status);
  failing_ = !status.ok();
}

void RecencyKeeper::ReportNoted() {
  std::vector<Status> noted;
  {
    MutexLock lock(mutex_);
    noted.swap(noted_);
  }
  for (const Status& status : noted) {
    Failure failure = store_.Failed(status.code(), "recency log", status.error()->message());
    for (const auto& [name, value] : status.error()->details()) {
      if (name == "errno") failure.Detail(name, value);
    }
    store_.Report(failure.Cause(status));
  }
}

// ---- The timer ----

void RecencyKeeper::Start() {
  MutexLock lock(timer_mutex_);
  running_ = true;
  ArmLocked(interval_ms_);
}

void RecencyKeeper::Stop() {
  MutexLock lock(timer_mutex_);
  if (!std::exchange(running_, false)) return;
  store_.runtime().CancelTimer(timer_, timer_deadline_ns_);
}

void RecencyKeeper::ArmLocked(uint64_t delay_ms) {
  timer_deadline_ns_ = store_.runtime().clock().DeadlineAfterMs(delay_ms);
  timer_ = store_.runtime().At(timer_deadline_ns_, [beacon = beacon_] {
    Ref<LruStore> store;
    {
      MutexLock lock(beacon->mutex);
      if (!beacon->store || !beacon->store->TryRef()) return;
      store = Ref<LruStore>::Adopt(beacon->store);
    }
    Runtime& runtime = store->runtime();
    runtime.Post(Lane::kSlow, [store = std::move(store)] {
      GatePass pass(store->gate());
      if (pass) store->TickRecency();
    });
  });
}

void RecencyKeeper::Tick() {
  const Clock& clock = store_.runtime().clock();
  const int64_t begin_ns = clock.SteadyNs();
  Save(false);
  // At most a hundredth of a processor, however many entries there are.
  const auto took_ms = static_cast<uint64_t>((clock.SteadyNs() - begin_ns) / 1'000'000);
  MutexLock lock(timer_mutex_);
  if (running_) ArmLocked(std::max(interval_ms_, 100 * took_ms));
}

}  // namespace chainstore
