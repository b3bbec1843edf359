// CallWatch: something that waits on behalf of a call, and is told when the call's time is up or
// its token fires.
// Thread safety: Arm and Disarm under the queue's lock. OnEnded runs without it, on a library
// thread, perhaps just after Disarm: the subclass looks at its own state first.
#pragma once

#include "core/call.h"
#include "managers/write_behind/scheduler.h"

namespace chainstore::behind {

class CallWatch : public RefCounted<CallWatch>, private CancelWatch {
 public:
  virtual ~CallWatch() = default;
  // Does nothing for an unlimited call, or the second time.
  void Arm(Scheduler* scheduler, const Call& call);
  void Disarm() noexcept;

 protected:
  virtual void OnEnded(Code code) noexcept = 0;

 private:
  void Wake() noexcept override;

  Scheduler* scheduler_ = nullptr;
  uint64_t timer_ = 0;
  int64_t deadline_ns_ = 0;
};

}  // namespace chainstore::behind
