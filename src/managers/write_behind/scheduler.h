// Scheduler: time, chance, timers and threads as the queue uses them: in production the runtime's,
// in tests a simulation on one thread, where ten minutes pass in an instant.
// Thread safety: any thread. Post and At only queue the task: they run nothing on the caller's
// stack, and may be called under a lock.
#pragma once

#include <cstdint>
#include <memory>

#include "base/function.h"
#include "core/runtime.h"

namespace chainstore::behind {

class Scheduler {
 public:
  using Task = UniqueFunction<void()>;
  virtual ~Scheduler() = default;
  virtual int64_t NowNs() noexcept = 0;   // monotonic
  virtual int64_t WallMs() noexcept = 0;  // Unix time that never steps back, for expiry
  virtual uint64_t Random() noexcept = 0;
  virtual void Post(Task task) noexcept = 0;
  virtual uint64_t At(int64_t when_ns, Task task) noexcept = 0;
  // Drops the task unless it has run or is running.
  virtual void Cancel(uint64_t id, int64_t when_ns) noexcept = 0;
};

std::unique_ptr<Scheduler> NewRuntimeScheduler(Ref<Runtime> runtime);

}  // namespace chainstore::behind
