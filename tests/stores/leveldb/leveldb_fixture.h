// What the tests of the LevelDB store share: a directory, a clock that they move, and opening.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "stores/leveldb/leveldb_store.h"
#include "support/store_calls.h"
#include "support/temporary_directory.h"

namespace chainstore {

class LevelDbFixture : public ::testing::Test {
 protected:
  using Given = std::map<std::string, std::string, std::less<>>;
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  LevelDbFixture() {
    RuntimeSettings settings;
    settings.workers = workers_;
    settings.clock = &clock_;
    slot_ = MakeRef<RuntimeSlot>(settings);
  }
  // A store leaves its thread behind for a moment after its last user: the clock must outlive it.
  ~LevelDbFixture() override { EXPECT_TRUE(slot_->WaitGone(kForeverNs)); }

  Result<Ref<Store>> TryOpen(const std::string& path, const Given& given = {},
                             leveldb::Env* env = leveldb::Env::Default()) {
    Options options;
    options.values = given;
    options.runtime = slot_;
    return NewLevelDbStore(path, &options, env);
  }
  Ref<Store> Open(const Given& given = {}, leveldb::Env* env = leveldb::Env::Default()) {
    auto store = TryOpen(folder_ / "db", given, env);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return store.ok() ? *store : nullptr;
  }
  // Closes it and opens it anew, as a restart does.
  void Restart(Ref<Store>* store, const Given& given = {}) {
    EXPECT_TRUE(CloseStore(**store).ok());
    *store = nullptr;
    *store = Open(given);
  }

  const uint32_t workers_ = 4;
  ManualClock clock_{kStartMs};
  const TemporaryDirectory folder_;
  Ref<RuntimeSlot> slot_;
};

}  // namespace chainstore
