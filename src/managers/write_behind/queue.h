// Queue: the heart of a write-behind, between the Store that callers see and the inner store.
//   queue.cc      what readers see, reports, counters
//   admission.cc  how a write gets in: per-key order, bounds, if-absent, overflow
//   delivery.cc   how it gets out: one operation per key, retries, settling, parking
//   drain.cc      flush and close
// Thread safety: any thread; one lock, under which nothing is called out (see Outbox). What goes on
// in the background holds the Queue, not the Store, so that a store whose last user has gone ends.
// Invariants
//   - At most one operation of a key is on its way to the inner store.
//   - While an operation may still take effect by itself, nothing different of its key is sent.
//   - Writes of a key take their sequence in the order in which they were started.
//   - Once `dead_`, nothing is sent any more, and answers that still come are dropped.
#pragma once

#include <deque>
#include <list>

#include "core/store.h"
#include "managers/write_behind/breaker.h"
#include "managers/write_behind/journal.h"
#include "managers/write_behind/outbox.h"
#include "managers/write_behind/outcome.h"
#include "managers/write_behind/pending.h"

namespace chainstore::behind {

// cs_backlog_state's values.
enum class KeyState : uint8_t { kNone, kQueued, kInFlight, kParked };

struct Counters {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t undelivered = 0;
  uint64_t parked = 0;
  uint64_t in_flight = 0;
  uint64_t waiting_for_room = 0;
  uint64_t coalesced = 0;
  uint64_t attempts = 0;
  uint64_t delivered = 0;
  uint64_t failed_attempts = 0;
  uint64_t keys_known = 0;  // with those that only settle or hold
  Breaker::State breaker = Breaker::State::kClosed;
};

class FlushWait;
class CloseWait;

class Queue final : public RefCounted<Queue> {
 public:
  // `owner` is told of failures until Close has ended, and must call it before it goes.
  Queue(Store* owner, Ref<Store> inner, const Settings& settings, std::unique_ptr<Journal> journal,
        std::unique_ptr<Scheduler> scheduler);
  ~Queue();

  // ---- Writes (admission.cc) ----
  // A null `value` deletes. The limits of key and value have been checked.
  void Write(const Key& key, Ref<Value> value, int64_t expires_at_ms, const Call& call,
             Done<Receipt> done) noexcept;

  // ---- Reads (queue.cc) ----
  // True: `view` answers. False: the inner store has to be asked, and EndRead follows with *began.
  bool Look(const Key& key, Pending::View* view, uint64_t* began);
  uint64_t BeginRead();
  void EndRead(uint64_t began);
  // The pending entries of a page, and a read that begins with them.
  bool Pin(const Range& range, size_t limit, std::vector<Pending::View>* pins, uint64_t* began);

  // ---- Drain (drain.cc) ----
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept;
  // Once, when no new write can begin.
  void Close(const Call& call, Done<Status> done) noexcept;

  // ---- Introspection (queue.cc) ----
  Counters counters();
  KeyState StateOf(const Key& key);

 private:
  friend class Op;
  friend class FlushWait;
  friend class CloseWait;

  // ---- admission.cc ----
  bool TryAdmitLocked(const Key& key, Record* record, Outbox* out) CS_REQUIRES(mutex_);
  void Start(const Ref<Op>& op) noexcept;
  void EnterLocked(const Ref<Op>& op, Outbox* out) CS_REQUIRES(mutex_);
  void DecideLocked(const Ref<Op>& op, Outbox* out) CS_REQUIRES(mutex_);
  void AdmitLocked(const Ref<Op>& op, Outbox* out) CS_REQUIRES(mutex_);
  void ThroughLocked(const Ref<Op>& op, Outbox* out) CS_REQUIRES(mutex_);
  void PublishLocked(const Ref<Op>& op, Outbox* out) CS_REQUIRES(mutex_);
  void WaitLocked(const Ref<Op>& op, Op::Stage stage) CS_REQUIRES(mutex_);
  void ActLocked(const Ref<Op>& op, Op::Action action, Outbox* out) CS_REQUIRES(mutex_);
  void Act(const Ref<Op>& op, Op::Action action, Wait wait) noexcept;
  void SendDirectly(const Ref<Op>& op, Op::Action action, Wait wait) noexcept;
  void OnDecided(const Ref<Op>& op, const Answer& answer) noexcept;
  void OnSentDirectly(const Ref<Op>& op, Op::Action action, Receipt receipt) noexcept;
  void SupersedeLocked(Item* item, const Receipt& receipt, Outbox* out) CS_REQUIRES(mutex_);
  void OnCommitted(const Ref<Op>& op, Status status) noexcept;
  void EndOp(const Ref<Op>& op, Code code) noexcept;
  void ReleaseLocked(Item* item) CS_REQUIRES(mutex_);
  void CompleteLocked(const Ref<Op>& op, Receipt receipt, Outbox* out) CS_REQUIRES(mutex_);
  void ServeRoomLocked(Outbox* out) CS_REQUIRES(mutex_);

  // ---- delivery.cc ----
  void Pump() noexcept;
  Item* PickLocked(Outbox* out) CS_REQUIRES(mutex_);
  bool PrepareLocked(Item* item, int64_t now_ns, Outbox* out) CS_REQUIRES(mutex_);
  void WakeSettledLocked(int64_t now_ns, Outbox* out) CS_REQUIRES(mutex_);
  void ArmTimerLocked(int64_t now_ns) CS_REQUIRES(mutex_);
  void Send(Item* item, const Record& record) noexcept;
  void OnSent(Item* item, Receipt receipt) noexcept;
  void OnDeliveredLocked(Item* item, const Receipt& receipt, Outbox* out) CS_REQUIRES(mutex_);
  void OnFailedLocked(Item* item, Outcome outcome, const Status& status, Outbox* out)
      CS_REQUIRES(mutex_);
  bool IsPoisonLocked(Item* item, Outcome outcome, const Status& status) CS_REQUIRES(mutex_);
  void ParkLocked(Item* item, const Status& status, Outbox* out) CS_REQUIRES(mutex_);
  void AfterFlightLocked(Item* item, Outbox* out) CS_REQUIRES(mutex_);
  void UnsettleLocked(Item* item, uint64_t sequence) CS_REQUIRES(mutex_);
  bool MustSettleLocked(const Item* item, uint64_t sequence, int64_t now_ns) const
      CS_REQUIRES(mutex_);
  // Items that are no longer needed, keys whose turn it is, a close that may end, the next pump:
  // the last step under the lock of whatever changed something.
  void FinishLocked(Outbox* out) CS_REQUIRES(mutex_);
  void TouchLocked(Item* item) CS_REQUIRES(mutex_);
  void ServeTouchedLocked(Item* item, Outbox* out) CS_REQUIRES(mutex_);
  void StoreAnswersLocked() CS_REQUIRES(mutex_);
  bool CanSendLocked() CS_REQUIRES(mutex_);
  void CompleteWaitersLocked(Item* item, uint64_t up_to, const Receipt& receipt, Outbox* out)
      CS_REQUIRES(mutex_);
  void ReportFailureLocked(Item* item, const Status& status, bool changed, int64_t delay_ms,
                           Outbox* out) CS_REQUIRES(mutex_);

  // ---- drain.cc ----
  void BeginFlushLocked(const Ref<FlushWait>& flush) CS_REQUIRES(mutex_);
  void FlushInner(const Ref<FlushWait>& flush, const Call& call) noexcept;
  Status FlushedStatus(const FlushWait& flush) const;
  static void CountParkedLocked(FlushWait* flush, const Status& cause);
  void EndFlush(const Ref<FlushWait>& flush, Status status) noexcept;
  void FinishFlushLocked(const Ref<FlushWait>& flush, Status status, Outbox* out)
      CS_REQUIRES(mutex_);
  // `item` was waited for because of the write `old_age`; that one is done with. `cause`: it was
  // parked.
  void AgeChangedLocked(Item* item, uint64_t old_age, const Status* cause, Outbox* out)
      CS_REQUIRES(mutex_);
  bool DrainedLocked() const CS_REQUIRES(mutex_);
  void ArmDrainTimerLocked() CS_REQUIRES(mutex_);
  void OnDrainIdle() noexcept;
  void EndClose() noexcept;
  void EndCloseLocked(Outbox* out) CS_REQUIRES(mutex_);
  Status LoseAllLocked(Outbox* out) CS_REQUIRES(mutex_);
  Status LostStatus(const Item& item) const;
  void LoseOpsLocked(Item* item, Outbox* out) CS_REQUIRES(mutex_);
  void LoseOpLocked(const Ref<Op>& op, Outbox* out) CS_REQUIRES(mutex_);

  // ---- queue.cc ----
  Failure Fail(Code code, std::string_view operation, std::string what) const;
  void ReportLocked(Status status, Outbox* out) CS_REQUIRES(mutex_);
  void PostPump() noexcept;

  const std::string name_;
  const Ref<Store> inner_;
  const Settings settings_;
  const std::unique_ptr<Journal> journal_;
  const bool commits_at_once_;
  const std::unique_ptr<Scheduler> scheduler_;

  Mutex mutex_;
  Store* owner_ CS_GUARDED_BY(mutex_);
  Pending pending_ CS_GUARDED_BY(mutex_);
  Breaker breaker_ CS_GUARDED_BY(mutex_);
  uint64_t sequence_ CS_GUARDED_BY(mutex_) = 0;
  Counters counters_ CS_GUARDED_BY(mutex_);
  bool dead_ CS_GUARDED_BY(mutex_) = false;

  std::deque<Ref<Op>> room_ CS_GUARDED_BY(mutex_);    // waiting for room, each with its key held
  uint64_t busy_ops_ CS_GUARDED_BY(mutex_) = 0;       // before kDelivering: not admitted yet
  std::vector<Item*> touched_ CS_GUARDED_BY(mutex_);  // for FinishLocked

  bool pump_scheduled_ CS_GUARDED_BY(mutex_) = false;  // posted or running
  bool want_pump_ CS_GUARDED_BY(mutex_) = false;
  uint64_t timer_ CS_GUARDED_BY(mutex_) = 0;
  int64_t timer_ns_ CS_GUARDED_BY(mutex_) = INT64_MAX;

  std::list<Ref<FlushWait>> flushes_ CS_GUARDED_BY(mutex_);
  Ref<CloseWait> closing_ CS_GUARDED_BY(mutex_);
  int64_t last_success_ns_ CS_GUARDED_BY(mutex_) = 0;
  uint64_t drain_timer_ CS_GUARDED_BY(mutex_) = 0;
  int64_t drain_timer_ns_ CS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chainstore::behind
