// Checker: asks the inner store whether it holds a key that the ledger is not sure of (a write
// failed; a read found what the ledger does not know, or missed what it does), and corrects the
// ledger while it holds the key's lock. What is not there is deleted once more: an expired entry
// may still take its room.
// Thread safety: as Steps.
#pragma once

#include "core/steps.h"
#include "managers/lru/lru_store.h"

namespace chainstore {

class Checker final : public Steps {
 public:
  // At so many at once further ones are dropped: the ledger stays too careful for longer.
  static constexpr uint32_t kMaxAtOnce = 64;
  Checker(LruStore& store, GatePass pass, const Key& key);
  ~Checker() override;

 private:
  enum class Phase : uint8_t { kLock, kAsk, kDecide };
  bool Step() override;
  bool Decide();

  const Ref<LruStore> store_;
  const GatePass pass_;
  const OwnedKey key_;
  Call call_;
  Phase phase_ = Phase::kLock;
  Held held_;
  Status locked_;
  Answer answer_;
};

}  // namespace chainstore
