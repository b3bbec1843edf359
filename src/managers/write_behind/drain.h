// FlushWait and CloseWait: who waits until the queue has delivered.
// Thread safety: their fields are guarded by the queue's lock; `done` runs once, outside it.
#pragma once

#include <string>
#include <vector>

#include "managers/write_behind/call_watch.h"
#include "managers/write_behind/queue.h"

namespace chainstore::behind {

class FlushWait final : public CallWatch {
 public:
  FlushWait(Ref<Queue> queue, Bytes prefix, const Call& call)
      : queue(std::move(queue)), prefix(prefix), call(call) {}

  const Ref<Queue> queue;
  const std::string prefix;
  const Call call;
  Done<Status> done;

  uint64_t sequence = 0;   // writes up to it are waited for
  uint64_t remaining = 0;  // keys that have one
  uint64_t parked = 0;
  std::vector<Status> causes;  // of the first parked ones
  bool ended = false;

 private:
  void OnEnded(Code code) noexcept override;
};

class CloseWait final : public CallWatch {
 public:
  CloseWait(Ref<Queue> queue, Done<Status> done) : queue(std::move(queue)), done(std::move(done)) {}

  const Ref<Queue> queue;
  Done<Status> done;

 private:
  void OnEnded(Code) noexcept override { queue->EndClose(); }
};

}  // namespace chainstore::behind
