// Await: runs an asynchronous operation for a kHere caller, who waits with his deadline and token.
// An operation that is given up goes on by itself; its late answer is dropped.
// Thread safety: any thread that may block.
#pragma once

#include <optional>
#include <utility>

#include "base/function.h"
#include "base/mutex.h"
#include "core/call.h"

namespace chainstore {

template <class T>
class Awaited final : public RefCounted<Awaited<T>>, private CancelWatch {
 public:
  // kOk: *answer is there. Otherwise why the wait ended without one.
  Code Wait(const Call& call, T* answer) {
    const bool watching = this->Watch(call.cancel);
    Code ended = Code::kOk;
    {
      MutexLock lock(mutex_);
      while (!answer_ && ended == Code::kOk) {
        if (!watching || woken_)
          ended = Code::kCancelled;
        else if (call.deadline_ns == kForeverNs)
          changed_.Wait(mutex_);
        else if (!changed_.WaitUntil(mutex_, call.deadline_ns))
          ended = Code::kTimeout;
      }
      if (answer_) {
        *answer = std::move(*answer_);
        ended = Code::kOk;
      }
    }
    this->Stop();
    return ended;
  }
  // Held by a reference of the caller's: who waits may be done with it before this returns.
  void Set(T&& answer) {
    {
      MutexLock lock(mutex_);
      answer_.emplace(std::move(answer));
    }
    changed_.NotifyAll();  // who wakes finds the lock free
  }

 private:
  void Wake() noexcept override {
    MutexLock lock(mutex_);
    woken_ = true;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  std::optional<T> answer_ CS_GUARDED_BY(mutex_);
  bool woken_ CS_GUARDED_BY(mutex_) = false;
};

// `start` takes a Done<T> and begins the operation.
template <class T, class Start>
Code Await(const Call& call, T* answer, Start&& start) {
  auto awaited = MakeRef<Awaited<T>>();
  start(Done<T>([awaited](T&& value) { awaited->Set(std::move(value)); }));
  return awaited->Wait(call, answer);
}

}  // namespace chainstore
