// Op: a put or a delete that could not be acknowledged at once: it waits for its key, for room, for
// an answer from below, for its commit, or for its delivery. The usual write never makes one.
// Thread safety: `stage`, `item` and `action` are guarded by the queue's lock; the rest is written
// before the op is shared. `done` runs once, by whoever sets the stage to kEnded.
#pragma once

#include "core/answer.h"
#include "core/request.h"
#include "managers/write_behind/call_watch.h"

namespace chainstore::behind {

class Queue;
struct Item;

class Op final : public CallWatch {
 public:
  enum class Stage : uint8_t {
    kLine,        // behind another op of its key
    kRoom,        // holds its key, waits for room
    kFlight,      // overflow=through: holds its key, waits until nothing of it is under way
    kActing,      // holds its key, waits for the inner store or the journal
    kDelivering,  // queued, and acknowledged when delivered
    kEnded,
  };
  enum class Action : uint8_t { kNone, kDecide, kSendIfAbsent, kSendThrough, kAppend };

  Op(Ref<Queue> queue, const Key& key, Ref<Value> value, int64_t expires_at_ms, const Call& call,
     Done<Receipt> done);
  ~Op() override;

  const Ref<Queue> queue;
  const OwnedKey key;
  const Ref<Value> value;  // null: a delete
  const int64_t expires_at_ms;
  const Call call;
  Done<Receipt> done;

  Stage stage = Stage::kLine;
  Action action = Action::kNone;
  Item* item = nullptr;    // the key's, while the stage is not kEnded
  bool decided = false;    // if-absent: the key is known to be absent
  bool has_turn = false;   // it came to the head of those that wait for room
  bool starting = true;    // its caller's stack is still the one that runs it
  Code ended = Code::kOk;  // the call ended while an answer from below was under way
  uint64_t sequence = 0;   // of its record, once it has one

 private:
  void OnEnded(Code code) noexcept override;
};

}  // namespace chainstore::behind
