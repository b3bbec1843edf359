// RecencyKeeper: writes the ledger's order of use to its log: every so often those that were used
// since (a kill -9 loses the order of the last few seconds), all of them when the log has grown to
// twice what it needs, and at a clean close.
// Thread safety: any thread that may block. Invariant: the log is never larger than twice the
// entries, or 64 Ki keys where those are few.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/ref.h"
#include "core/runtime.h"
#include "managers/lru/ledger.h"
#include "managers/lru/recency_log.h"

namespace chainstore {

class LruStore;

class RecencyKeeper {
 public:
  // `directory` and `name`: of the store that the LRU is around.
  RecencyKeeper(LruStore& store, const std::string& directory, const std::string& name,
                uint64_t interval_ms);
  ~RecencyKeeper();

  // Opens the log and reads it, the oldest first. Failures are reported.
  std::vector<uint64_t> Load() CS_EXCLUDES(mutex_);
  // From now on the ledger knows all entries, so that the log may be rewritten from it.
  void Complete() CS_EXCLUDES(mutex_);
  // Those that were used since the last time; or all, once the ledger is complete.
  void Save(bool all) CS_EXCLUDES(mutex_);
  // Saves all and lets go of the log, for the next owner.
  void Close() CS_EXCLUDES(mutex_);
  // What the timer does: saves, and sets the timer again.
  void Tick() CS_EXCLUDES(mutex_, timer_mutex_);
  // Saves now and then, until Stop.
  void Start() CS_EXCLUDES(timer_mutex_);
  void Stop() CS_EXCLUDES(timer_mutex_);

 private:
  // The way from a timer to the store, which it must not keep alive.
  struct Beacon final : RefCounted<Beacon> {
    Mutex mutex;
    LruStore* store CS_GUARDED_BY(mutex) = nullptr;
  };
  void ArmLocked(uint64_t delay_ms) CS_REQUIRES(timer_mutex_);

  // The fingerprints of the entries used after `since`, the oldest first.
  std::vector<uint64_t> Collect(uint64_t since);
  void Note(const Status& status) CS_REQUIRES(mutex_);
  void ReportNoted() CS_EXCLUDES(mutex_);

  LruStore& store_;
  const std::string directory_;
  const std::string name_;
  const uint64_t interval_ms_;

  Mutex mutex_;
  std::unique_ptr<RecencyLog> log_ CS_GUARDED_BY(mutex_);
  bool complete_ CS_GUARDED_BY(mutex_) = false;
  uint64_t saved_ CS_GUARDED_BY(mutex_) = Ticker::kFirst;
  bool failing_ CS_GUARDED_BY(mutex_) = false;
  std::vector<Status> noted_ CS_GUARDED_BY(mutex_);

  const Ref<Beacon> beacon_ = MakeRef<Beacon>();
  Mutex timer_mutex_;
  bool running_ CS_GUARDED_BY(timer_mutex_) = false;
  Runtime::TimerId timer_ CS_GUARDED_BY(timer_mutex_) = 0;
  int64_t timer_deadline_ns_ CS_GUARDED_BY(timer_mutex_) = 0;
};

}  // namespace chainstore
