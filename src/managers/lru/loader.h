// Loader: counts what is in the inner store when an LRU is put around it: a scan of its keys in
// pages, in the background, which gives each entry its cost and its place in the order of use.
// That place comes from the recency log; entries that the log does not know were written after its
// last batch and follow it, in the order of their versions, as do all where there is no log.
// Thread safety: any thread.
#pragma once

#include <atomic>

#include "base/mutex.h"
#include "core/answer.h"
#include "core/steps.h"
#include "managers/lru/order_map.h"

namespace chainstore {

class LruStore;
struct Key;

class Loader {
 public:
  explicit Loader(LruStore& store) : store_(store) {}
  // Once. A store that answers from memory is begun with on this thread: an empty one is done then.
  void Start();

  // Until all is counted.
  bool loading() const noexcept { return loading_.load(std::memory_order_acquire); }
  // The same, but false while the inner store fails to be scanned.
  bool progressing() const noexcept { return loading() && !failing_.load(); }
  // A hit of a key that is not counted yet.
  void Touched(const Key& key) CS_EXCLUDES(mutex_);

 private:
  friend class CountOp;
  void LoadOrders() CS_EXCLUDES(mutex_);
  void Seed(const Page& page) CS_EXCLUDES(mutex_);
  void Failing(const Status& status);
  // `known`: every entry was seen.
  void Finish(bool known);

  LruStore& store_;
  std::atomic<bool> loading_{false};
  std::atomic<bool> failing_{false};
  bool guessed_ = false;  // some entry was not in the log

  Mutex mutex_;
  OrderMap orders_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
