// Write-behind: puts and deletes are acknowledged when they are in its queue, and delivered to the
// inner store in the background, per key in order, until they are there. Reads through it see what
// is queued. The queue is in memory: a crash loses what was not delivered, and a close reports it.
// What is promised, and the rules of delivery: ARCHITECTURE.md and queue.h.
// Thread safety: as Store.
#pragma once

#include "core/option.h"
#include "core/store.h"
#include "managers/write_behind/queue.h"

namespace chainstore {

inline constexpr OptionSpec kWriteBehindOptions[] = {
    {"journal", OptionSpec::Type::kText, "auto",
     "where the queue is kept: auto or off (both in memory in this build)"},
    {"max_entries", OptionSpec::Type::kCount, "100000", "keys that may wait"},
    {"max_bytes", OptionSpec::Type::kSize, "256MiB", "bytes of keys and values that may wait"},
    {"overflow", OptionSpec::Type::kChoice, "block",
     "a write that finds the queue full waits for room, fails with CS_BUSY, or is written through",
     "block|fail|through"},
    {"concurrency", OptionSpec::Type::kCount, "16",
     "operations on their way to the inner store at once, 1 to 1024"},
    {"attempt_timeout", OptionSpec::Type::kDuration, "5m", "the longest that one attempt may take"},
    {"settle", OptionSpec::Type::kDuration, "30s",
     "after an attempt without a clear answer, how long it may still take effect by itself"},
    {"retry_min", OptionSpec::Type::kDuration, "50ms", "the shortest wait before another attempt"},
    {"retry_max", OptionSpec::Type::kDuration, "60s", "the longest wait before another attempt"},
    {"drain_idle", OptionSpec::Type::kDuration, "10s",
     "a close without a time limit gives up when nothing was delivered for so long"},
};

// `options` may be null.
Result<Ref<Store>> NewWriteBehind(Ref<Store> inner, const Options* options);

namespace behind {

class WriteBehind final : public Store {
 public:
  // Null `journal`: in memory. Null `scheduler`: that of the runtime.
  WriteBehind(Ref<Store> inner, const Settings& settings, Ref<Runtime> runtime,
              std::unique_ptr<Journal> journal = nullptr,
              std::unique_ptr<Scheduler> scheduler = nullptr);

  uint32_t caps() const noexcept override;
  Limits limits() const noexcept override;
  Store* inner(size_t index) const noexcept override { return index == 0 ? inner_.get() : nullptr; }
  uint32_t tier_count() const noexcept override { return inner_->tier_count(); }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;

  Counters counters() const { return queue_->counters(); }
  KeyState StateOf(const Key& key) const { return queue_->StateOf(key); }

 private:
  void CloseSelf(const Call& call, Done<Status> done) noexcept override;
  // What is wrong with a write before it may enter the queue.
  Status CheckWrite(const Key& key, const Ref<Value>* value, int64_t expires_at_ms,
                    const Call& call) const;

  const Ref<Store> inner_;
  const Settings settings_;
  Ref<Queue> queue_;
};

}  // namespace behind
}  // namespace chainstore
