// What the tests of the filesystem store share: a directory, a clock that they move, and the store.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "stores/filesystem/filesystem_store.h"
#include "support/store_calls.h"
#include "support/temporary_directory.h"

namespace chainstore {

class FilesystemTest : public ::testing::Test {
 protected:
  // A store that was only let go of closes on a worker, and needs its directory until then.
  ~FilesystemTest() override {
    EXPECT_TRUE(slot_->WaitGone(Clock::System().DeadlineAfterMs(30'000)));
  }

  using OptionPairs = std::initializer_list<std::pair<const std::string, std::string>>;

  Result<Ref<Store>> TryOpen(const std::string& path, OptionPairs pairs = {}) {
    Options options;
    options.values.insert(pairs.begin(), pairs.end());
    options.runtime = slot_;
    return NewFilesystemStore(path, &options);
  }
  Ref<Store> Open(OptionPairs pairs = {{"durability", "cache"}}) {
    Result<Ref<Store>> opened = TryOpen(root(), pairs);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *opened : Ref<Store>();
  }
  std::string root() const { return temporary_ / "root"; }
  std::string operator/(const std::string& name) const { return root() + "/" + name; }
  int64_t now_ms() const { return clock_.WallMs(); }

  ManualClock clock_{1'700'000'000'000};
  const Ref<RuntimeSlot> slot_ = MakeRef<RuntimeSlot>(RuntimeSettings{.clock = &clock_});
  const TemporaryDirectory temporary_;
};

}  // namespace chainstore
