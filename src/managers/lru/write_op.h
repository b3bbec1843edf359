// WriteOp: one put, del or batch through an LRU that could not be done at once. Locks its keys (in
// one order), reserves its cost, evicting or waiting as long as there is no room, passes through,
// and settles the ledger.
// Thread safety: as Steps.
#pragma once

#include <vector>

#include "core/steps.h"
#include "core/store.h"
#include "managers/lru/lru_store.h"

namespace chainstore {

// A failure after which the inner store is as it was before.
bool LeftNothing(Code code) noexcept;

class WriteOp final : public Steps {
 public:
  // `held`: the key's lock, if the caller has it already. `payload` stays borrowed under kHere and
  // kNever.
  static void Put(LruStore& store, GatePass pass, const Key& key, const Payload& payload,
                  const Call& call, const Held* held, Done<Receipt> done);
  static void Del(LruStore& store, GatePass pass, const Key& key, const Call& call,
                  Done<Receipt> done);
  static void Write(LruStore& store, GatePass pass, Ref<const Batch> batch, const Call& call,
                    Done<Entries> done);

  // For the functions above.
  WriteOp(LruStore& store, GatePass pass, const Call& call, const char* operation)
      : store_(&store), pass_(std::move(pass)), call_(call), operation_(operation), payload_("") {}

 private:
  enum class Kind : uint8_t { kPut, kDrop, kDel, kWrite };
  enum class Phase : uint8_t { kLock, kRoom, kApply, kSettle };
  struct Item {
    Key key;
    Held held;
  };

  bool Step() override;
  bool LockNext();
  bool MakeRoom();
  // Own entries go last, when nothing else can: they are replaced or deleted anyway.
  bool EvictOwn();
  bool WaitForRoom(uint64_t epoch, uint64_t work);
  bool Apply();
  bool Settle();
  void SettleBatch();
  // Unlocks everything as it was and answers `status`.
  bool End(Status status);
  void StopWanting();
  Status NoRoom() const;

  const Ref<LruStore> store_;
  const GatePass pass_;
  const Call call_;
  const char* const operation_;
  Kind kind_ = Kind::kPut;
  Phase phase_ = Phase::kLock;

  OwnedKey key_;
  Payload payload_;
  Ref<const Batch> batch_;
  Done<Receipt> receipt_done_;
  Done<Entries> entries_done_;
  Receipt receipt_;
  Entries entries_;

  std::vector<Item> items_;
  size_t locked_ = 0;
  Status lock_status_;
  uint64_t cost_ = 0;
  bool reserved_ = false;
  bool wanting_ = false;
  uint32_t failures_ = 0;
  Status last_failure_;
};

}  // namespace chainstore
