// A chain of scripted stores whose writes go through, and the failures that it reports.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chain/chain.h"
#include "core/error_sink.h"
#include "support/event.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {

class ChainTest : public ::testing::Test {
 protected:
  using Op = ScriptedStore::Op;
  static constexpr uint32_t kDisk = kCapScan | kCapOrdered | kCapTtl;
  static constexpr uint32_t kMemory = kDisk | kCapTry;
  static constexpr uint32_t kFar = kDisk | kCapRemote;

  static Options With(std::vector<std::pair<std::string, std::string>> pairs) {
    Options options;
    for (auto& [name, value] : pairs) options.values[name] = value;
    return options;
  }

  // Through and with fills that are over when a get returns, unless told otherwise.
  Ref<Store> Make(std::vector<Ref<Store>> stores,
                  Options options = With({{"writes", "through"}, {"fill", "sync"}})) {
    auto made = NewChain(std::move(stores), &options);
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    if (!made.ok()) return nullptr;
    Ref<Store> chain = *made;
    chain->error_sink().Set(
        [](void* self, const Error* error) { static_cast<ChainTest*>(self)->Reported(error); },
        this, nullptr);
    chains_.push_back(chain);
    return chain;
  }

  void TearDown() override {
    for (const Ref<Store>& chain : chains_) {
      EXPECT_TRUE(CloseStore(*chain).ok());
      chain->error_sink().Set(nullptr, nullptr, nullptr);
    }
    chains_.clear();
    RuntimeSlot::Default().WaitGone(Clock::System().DeadlineAfterMs(5000));
  }

  // Reports arrive on a worker: waits until there are `count`.
  std::vector<std::string> Reports(size_t count) {
    MutexLock lock(mutex_);
    while (reports_.size() < count) changed_.Wait(mutex_);
    return reports_;
  }
  size_t ReportCount() {
    MutexLock lock(mutex_);
    return reports_.size();
  }

 private:
  void Reported(const Error* error) {
    MutexLock lock(mutex_);
    reports_.push_back(error->message());
    changed_.NotifyAll();
  }

  std::vector<Ref<Store>> chains_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> reports_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
