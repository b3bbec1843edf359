// cs_queue: completed calls that wait for somebody to take their results. The calls themselves are
// the links, so that posting a result never allocates and never fails.
// Thread safety: any thread. Invariants: used_ counts the calls started and not yet taken, at most
// capacity_; the event is readable exactly while there is something to take or a wake to consume,
// from when its descriptor was first asked for.
#pragma once

#include "base/mutex.h"
#include "capi/handles.h"

namespace chainstore {
class Pending;
}

struct cs_queue final : chainstore::RefCounted<cs_queue> {
 public:
  // `event_fd` is the queue's own from here on.
  cs_queue(uint32_t capacity, int event_fd);
  ~cs_queue();

  bool IsForked() const noexcept {
    return fork_generation_ != chainstore::Runtime::ForkGeneration();
  }
  // A slot for a call that is about to start; false: the queue is full.
  bool Reserve() CS_EXCLUDES(mutex_);
  // Gives the slot of a call that was not started back.
  void Unreserve() CS_EXCLUDES(mutex_);
  // Takes over a reference to a completed call, which holds a slot.
  void Post(chainstore::Pending* call) CS_EXCLUDES(mutex_);
  // Takes up to `capacity` results, waiting for the first until `deadline_ns`.
  size_t Take(cs_result* out, size_t capacity, int64_t deadline_ns) CS_EXCLUDES(mutex_);
  void Wake() CS_EXCLUDES(mutex_);
  int Fd() CS_EXCLUDES(mutex_);

 private:
  chainstore::Pending* PopLocked() CS_REQUIRES(mutex_);
  void UpdateEventLocked() CS_REQUIRES(mutex_);

  const uint32_t capacity_;
  const int event_fd_;
  const uint32_t fork_generation_;
  chainstore::Mutex mutex_;
  chainstore::CondVar changed_;
  chainstore::Pending* first_ CS_GUARDED_BY(mutex_) = nullptr;
  chainstore::Pending* last_ CS_GUARDED_BY(mutex_) = nullptr;
  uint32_t used_ CS_GUARDED_BY(mutex_) = 0;
  bool woken_ CS_GUARDED_BY(mutex_) = false;
  bool fd_in_use_ CS_GUARDED_BY(mutex_) = false;
  bool readable_ CS_GUARDED_BY(mutex_) = false;
};
