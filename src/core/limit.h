// LimitDone: wraps a continuation so that it runs at the call's deadline or cancel at the latest.
// The operation itself goes on; what it answers then goes to `late`.
// Thread safety: any thread. Invariant: `done` runs exactly once; `late` at most once, after it.
#pragma once

#include <utility>

#include "base/function.h"
#include "core/call.h"
#include "core/runtime.h"

namespace chainstore {

// The failure of a call whose time is up (kTimeout) or whose token has fired (kCancelled).
Status EndedStatus(Code code, std::string_view store, std::string_view operation);

template <class T>
class Limit final : public RefCounted<Limit<T>>, private CancelWatch {
 public:
  using Late = UniqueFunction<void(T&&)>;
  Limit(Ref<Runtime> runtime, Done<T> done, Late late)
      : runtime_(std::move(runtime)), done_(std::move(done)), late_(std::move(late)) {}

  void Arm(const Call& call) {
    MutexLock lock(mutex_);
    if (call.deadline_ns != kForeverNs) {
      deadline_ns_ = call.deadline_ns;
      timer_ =
          runtime_->At(deadline_ns_, [self = Ref<Limit>(this)] { self->PostEnd(Code::kTimeout); });
    }
    if (!this->Watch(call.cancel)) PostEnd(Code::kCancelled);
  }
  void Answer(T&& answer) {
    if (Claim()) {
      Take()(std::move(answer));
    } else if (late_) {
      late_(std::move(answer));
    }
  }

 private:
  void Wake() noexcept override { PostEnd(Code::kCancelled); }
  // The timer's thread must not be held up, and nothing may run on the stack of a firing token.
  void PostEnd(Code code) {
    runtime_->Post(Lane::kFast, [self = Ref<Limit>(this), code] { self->End(code); });
  }
  void End(Code code) {
    if (Claim()) Take()(T(Status(code)));
  }
  bool Claim() {
    MutexLock lock(mutex_);
    if (std::exchange(claimed_, true)) return false;
    this->Stop();
    if (timer_ != 0) runtime_->CancelTimer(timer_, deadline_ns_);
    return true;
  }
  Done<T> Take() { return std::move(done_); }

  const Ref<Runtime> runtime_;
  Done<T> done_;
  Late late_;
  Mutex mutex_;
  bool claimed_ CS_GUARDED_BY(mutex_) = false;
  Runtime::TimerId timer_ CS_GUARDED_BY(mutex_) = 0;
  int64_t deadline_ns_ CS_GUARDED_BY(mutex_) = 0;
};

// An unlimited call's continuation is returned as it is. A limited one gets a T made of
// Status(kTimeout) or Status(kCancelled), without an Error: whoever knows the store adds it.
template <class T>
Done<T> LimitDone(Ref<Runtime> runtime, const Call& call, Done<T> done,
                  typename Limit<T>::Late late = nullptr) {
  if (!call.limited()) return done;
  auto limit = MakeRef<Limit<T>>(std::move(runtime), std::move(done), std::move(late));
  limit->Arm(call);
  return Done<T>([limit](T&& answer) { limit->Answer(std::move(answer)); });
}

}  // namespace chainstore
