// What the memory store's tests share: a store with a clock that they move, and operations as
// plain functions.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/error_sink.h"
#include "stores/memory/memory_store.h"

namespace chainstore {

class MemoryFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  MemoryFixture() : clock_(kStartMs) { Open(uint64_t{64} << 20); }
  ~MemoryFixture() override { EXPECT_TRUE(Close(*store_).ok()); }

  void Open(uint64_t max_bytes, const char* shards = "16") {
    if (store_) {
      ASSERT_TRUE(Close(*store_).ok());
    }
    RuntimeSettings settings;
    settings.clock = &clock_;
    Options options;
    options.runtime = MakeRef<RuntimeSlot>(settings);
    options.values["shards"] = shards;
    Result<Ref<Store>> store = NewMemoryStore(max_bytes, &options);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = *store;
  }

  Answer Get(Bytes key, const Read& read = Read::Whole(), const Call& call = {}) {
    std::optional<Answer> out;
    store_->Get(Key(key), read, call, [&](Answer&& answer) { out = std::move(answer); });
    EXPECT_TRUE(out) << "a memory store answers inline";
    return std::move(*out);
  }
  // The value, or the status in brackets.
  std::string Text(Bytes key) {
    const Answer answer = Get(key);
    return answer.value ? std::string(answer.value->bytes())
                        : std::string("[") + CodeName(answer.status.code()) + "]";
  }
  Receipt Put(Bytes key, const Payload& payload, const Call& call = {}) {
    std::optional<Receipt> out;
    store_->Put(Key(key), payload, call, [&](Receipt&& receipt) { out = std::move(receipt); });
    EXPECT_TRUE(out);
    return std::move(*out);
  }
  Receipt Put(Bytes key, Bytes value, int64_t expires_at_ms = 0) {
    return Put(key, Payload(value, expires_at_ms));
  }
  Receipt Del(Bytes key) {
    std::optional<Receipt> out;
    store_->Del(Key(key), Call(), [&](Receipt&& receipt) { out = std::move(receipt); });
    EXPECT_TRUE(out);
    return std::move(*out);
  }
  Page Scan(const Range& range, const Call& call = {}) {
    std::optional<Page> out;
    store_->Scan(range, call, [&](Page&& page) { out = std::move(page); });
    EXPECT_TRUE(out);
    return std::move(*out);
  }
  uint64_t Used() {
    uint64_t used = 0;
    EXPECT_TRUE(store_->UsedBytes(&used));
    return used;
  }
  static Status Close(Store& store) {
    std::optional<Status> out;
    store.Close(Call(), [&](Status&& status) { out = std::move(status); });
    EXPECT_TRUE(out);
    return std::move(*out);
  }
  static Call With(uint32_t flags) {
    Call call;
    call.flags = flags;
    return call;
  }

  ManualClock clock_;
  Ref<Store> store_;
};

}  // namespace chainstore
