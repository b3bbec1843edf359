// What the tests of the LRU share.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/error_sink.h"
#include "managers/lru/lru.h"
#include "managers/lru/lru_store.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {

using OptionList = std::vector<std::pair<std::string, std::string>>;

inline Options OptionsOf(const OptionList& list) {
  Options options;
  for (const auto& [name, value] : list) options.values[name] = value;
  return options;
}

// Exact and without a background: one shard, no cushion, unless told otherwise.
inline Ref<LruStore> LruAround(Ref<Store> inner, uint64_t max_bytes, OptionList list = {}) {
  OptionList all = {{"shards", "1"}, {"cushion", "0"}};
  for (auto& option : list) all.push_back(option);
  const Options options = OptionsOf(all);
  auto lru = NewLru(std::move(inner), max_bytes, &options);
  EXPECT_TRUE(lru.ok()) << lru.status().ToString();
  return lru.ok() ? Ref<LruStore>(static_cast<LruStore*>(lru->get())) : nullptr;
}

// For what happens in the background: a test that hangs here has found a bug.
inline void WaitUntil(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::yield();
}

inline void WaitLoaded(LruStore& lru) {
  WaitUntil([&] { return !lru.counting(); });
}

// Nothing is under way, so the ledger can be compared with the store.
inline void WaitIdle(LruStore& lru) {
  WaitUntil([&] { return Ledger::Working(lru.ledger().Work()) == 0 && lru.IsUnique(); });
}

// The errors that reach a store's handler.
class Reported {
 public:
  explicit Reported(Store& store) : store_(store) {
    store.error_sink().Set(
        [](void* self, const Error* error) {
          auto* reported = static_cast<Reported*>(self);
          MutexLock lock(reported->mutex_);
          reported->messages_.push_back(error->message());
        },
        this, [](void* self) { static_cast<Reported*>(self)->released_.store(true); });
  }
  ~Reported() {
    store_.error_sink().Set(nullptr, nullptr, nullptr);
    while (!released_.load()) std::this_thread::yield();
  }
  size_t count() {
    MutexLock lock(mutex_);
    return messages_.size();
  }
  std::string first() {
    MutexLock lock(mutex_);
    return messages_.empty() ? "" : messages_.front();
  }

 private:
  Store& store_;
  Mutex mutex_;
  std::vector<std::string> messages_ CS_GUARDED_BY(mutex_);
  std::atomic<bool> released_{false};
};

}  // namespace chainstore
