#include "managers/write_behind/call_watch.h"

namespace chainstore::behind {

void CallWatch::Arm(Scheduler* scheduler, const Call& call) {
  if (scheduler_ || !call.limited()) return;
  scheduler_ = scheduler;
  if (call.deadline_ns != kForeverNs) {
    deadline_ns_ = call.deadline_ns;
    timer_ = scheduler->At(deadline_ns_,
                           [self = Ref<CallWatch>(this)] { self->OnEnded(Code::kTimeout); });
  }
  if (!Watch(call.cancel)) Wake();
}

void CallWatch::Disarm() noexcept {
  Stop();
  if (timer_ != 0) scheduler_->Cancel(std::exchange(timer_, 0), deadline_ns_);
}

void CallWatch::Wake() noexcept {
  scheduler_->Post([self = Ref<CallWatch>(this)] { self->OnEnded(Code::kCancelled); });
}

}  // namespace chainstore::behind
