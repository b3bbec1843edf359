// ScriptedStore: a store in a map that a test can make slow, broken or forgetful, one operation at
// a time. Values are as real as any store's; only when and how it answers is scripted.
// Thread safety: as Store.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "core/store.h"

namespace chainstore {

class ScriptedStore final : public Store {
 public:
  enum class Op : uint8_t { kGet, kPut, kDel, kScan };
  // Ends an operation: with kOk it takes effect and answers, else it answers that code only.
  using Go = std::function<void(Code)>;
  // Called for each operation that may wait; may keep `go` and call it later, on any thread.
  using Script = std::function<void(Op op, const std::string& key, Go go)>;

  explicit ScriptedStore(std::string name, uint32_t caps = kCapScan | kCapOrdered | kCapTtl);
  static Ref<ScriptedStore> New(std::string name,
                                uint32_t caps = kCapScan | kCapOrdered | kCapTtl) {
    return MakeRef<ScriptedStore>(std::move(name), caps);
  }

  void SetScript(Script script) CS_EXCLUDES(mutex_);
  // Every operation of this kind fails until told otherwise (kOk).
  void Fail(Op op, Code code) CS_EXCLUDES(mutex_);
  void SetLimits(const Limits& limits) { limits_ = limits; }

  // Beside every chain: what is really in it.
  std::string Peek(const std::string& key) const CS_EXCLUDES(mutex_);  // "" if absent
  bool Has(const std::string& key) const CS_EXCLUDES(mutex_);
  void Plant(const std::string& key, const std::string& value) CS_EXCLUDES(mutex_);
  void Evict(const std::string& key) CS_EXCLUDES(mutex_);
  size_t Count(Op op) const CS_EXCLUDES(mutex_);
  std::vector<std::string> Log() const CS_EXCLUDES(mutex_);  // "put k=v", "del k", as applied
  size_t misses_noted() const CS_EXCLUDES(mutex_);

  uint32_t caps() const noexcept override { return caps_; }
  Limits limits() const noexcept override { return limits_; }
  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  // With kCapTry, as long as nothing is scripted.
  bool GetHit(const Key& key, Hit* hit) noexcept override CS_EXCLUDES(mutex_);
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void NoteMiss(const Key& key) noexcept override;

 private:
  struct Stored {
    std::string value;
    int64_t expires_at_ms;
    uint64_t version;
  };
  template <class T>
  void Play(Op op, const Key& key, const Call& call, Done<T> done,
            std::function<T(ScriptedStore&)> effect);
  Answer Look(const std::string& key, const Read& read) CS_EXCLUDES(mutex_);
  Page Collect(const Range& range) CS_EXCLUDES(mutex_);

  const uint32_t caps_;
  Limits limits_;
  mutable Mutex mutex_;
  Script script_ CS_GUARDED_BY(mutex_);
  std::map<Op, Code> failures_ CS_GUARDED_BY(mutex_);
  std::map<std::string, Stored> data_ CS_GUARDED_BY(mutex_);
  std::map<Op, size_t> counts_ CS_GUARDED_BY(mutex_);
  std::vector<std::string> log_ CS_GUARDED_BY(mutex_);
  uint64_t last_version_ CS_GUARDED_BY(mutex_) = 0;
  size_t misses_noted_ CS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chainstore
