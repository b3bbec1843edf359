// Repairs: makes the stores above forget, in the background, what a write could not make them
// forget at once. Until that has worked the store stays barred for the key.
// Thread safety: any thread. Bounded by the bars themselves (Fence::kMaxBars).
// Life: its timer holds it, not the chain: a chain with repairs due can still be let go of. Every
// chain stops its repairs before it is destroyed.
#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "chain/chain.h"

namespace chainstore {

class Repairs final : public RefCounted<Repairs> {
 public:
  explicit Repairs(Chain& chain) : chain_(chain) {}
  // `link` is barred for `key`, and nothing of it is outstanding there.
  void Add(const Key& key, size_t link) CS_EXCLUDES(mutex_);
  // No more repairs: the chain is closed.
  void Stop() CS_EXCLUDES(mutex_);

 private:
  // From 100 ms, doubled to 30 s while repairs fail.
  static constexpr int64_t kFirstDelayNs = 100'000'000;
  static constexpr int64_t kLongestDelayNs = 30'000'000'000;

  void ScheduleLocked() CS_REQUIRES(mutex_);
  void TimerFired() CS_EXCLUDES(mutex_);
  void Run();
  void RepairOne(const OwnedKey& key, size_t link);
  void Finished(const OwnedKey& key, size_t link, bool repaired);

  Chain& chain_;
  Mutex mutex_;
  std::map<std::string, uint64_t> waiting_ CS_GUARDED_BY(mutex_);  // key -> links
  int64_t delay_ns_ CS_GUARDED_BY(mutex_) = kFirstDelayNs;
  bool scheduled_ CS_GUARDED_BY(mutex_) = false;
  bool stopped_ CS_GUARDED_BY(mutex_) = false;
  Runtime::TimerId timer_ CS_GUARDED_BY(mutex_) = 0;
  int64_t timer_at_ns_ CS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chainstore
