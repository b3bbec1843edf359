// Runtime: the threads of the library. Workers with a fast lane (completions, short steps) and a
// slow one (blocking engines; at most half of the workers), one timer thread, and one background
// thread for what tasks of the other lanes may wait for (an engine's compaction, which a write
// waits for when its buffer is full): in the slow lane it could stand behind the very tasks that
// wait for it. Threads start when they are first needed, block all signals and carry names.
// RuntimeSlot: a place where a Runtime is made by its first user and gone with its last.
// Thread safety: any thread. Invariant: a posted task runs exactly once, never under a lock.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/function.h"
#include "base/mutex.h"
#include "base/ref.h"

namespace chainstore {

// A task in kBackground must never wait for a task of any lane.
enum class Lane : uint8_t { kFast, kSlow, kBackground };

struct RuntimeSettings {
  uint32_t workers = 0;  // 0: twice the cores, at least 8
  uint32_t max_calls = 1u << 20;
  const Clock* clock = &Clock::System();
};

class RuntimeSlot;

class Runtime final : public RefCounted<Runtime> {
 public:
  using Task = UniqueFunction<void()>;
  using TimerId = uint64_t;

  const Clock& clock() const noexcept { return clock_; }
  void Post(Lane lane, Task task) CS_EXCLUDES(mutex_);
  // Runs `task` on the timer thread, which it must not hold up: it posts what takes longer.
  TimerId At(int64_t deadline_ns, Task task) CS_EXCLUDES(timer_mutex_);
  // False: the task has run, or is running now. It is dropped otherwise.
  bool CancelTimer(TimerId id, int64_t deadline_ns) CS_EXCLUDES(timer_mutex_);

  // Counts the calls that callers have started; false: there are max_calls of them already.
  bool BeginCall() noexcept;
  void EndCall() noexcept { calls_.fetch_sub(1, std::memory_order_relaxed); }

  // Whether this thread belongs to any runtime.
  static bool OnLibraryThread() noexcept;
  // How often the process has forked on the way to here: what was made under another number
  // belongs to the parent, and is answered with kForked.
  static uint32_t ForkGeneration() noexcept {
    return process_fork_generation_.load(std::memory_order_relaxed);
  }
  bool IsForked() const noexcept { return fork_generation_ != ForkGeneration(); }

 private:
  friend class RefCounted<Runtime>;
  friend class RuntimeSlot;
  Runtime(Ref<RuntimeSlot> slot, const RuntimeSettings& settings);
  ~Runtime() = default;
  // Stops and joins the threads: nobody is left who could have a task pending. On one of its own
  // threads it leaves that one to end by itself.
  void OnLastUnref() noexcept;
  void SpawnLocked(const char* name, void (Runtime::*main)()) CS_REQUIRES(threads_mutex_);
  void WorkerMain();
  void TimerMain();
  void BackgroundMain();
  bool TakeTaskLocked(Task* task, Lane* lane) CS_REQUIRES(mutex_);
  static void WatchForks();

  static inline std::atomic<uint32_t> process_fork_generation_{0};

  const Ref<RuntimeSlot> slot_;
  const Clock& clock_;
  const uint32_t max_workers_;
  const uint32_t max_calls_;
  const uint32_t fork_generation_;
  std::atomic<uint32_t> calls_{0};

  Mutex mutex_;
  CondVar work_;
  std::deque<Task> fast_ CS_GUARDED_BY(mutex_);
  std::deque<Task> slow_ CS_GUARDED_BY(mutex_);
  std::deque<Task> background_ CS_GUARDED_BY(mutex_);
  CondVar background_work_;
  bool background_started_ CS_GUARDED_BY(mutex_) = false;
  uint32_t slow_running_ CS_GUARDED_BY(mutex_) = 0;
  uint32_t workers_ CS_GUARDED_BY(mutex_) = 0;
  uint32_t idle_workers_ CS_GUARDED_BY(mutex_) = 0;
  bool stopping_ CS_GUARDED_BY(mutex_) = false;

  Mutex timer_mutex_;
  CondVar timer_changed_;
  std::map<std::pair<int64_t, TimerId>, Task> timers_ CS_GUARDED_BY(timer_mutex_);
  TimerId next_timer_ CS_GUARDED_BY(timer_mutex_) = 1;
  bool timer_started_ CS_GUARDED_BY(timer_mutex_) = false;
  bool timer_stopping_ CS_GUARDED_BY(timer_mutex_) = false;

  Mutex threads_mutex_;
  std::vector<std::thread> threads_ CS_GUARDED_BY(threads_mutex_);
  std::vector<pid_t> thread_ids_;  // written under threads_mutex_, read when all have ended
};

class RuntimeSlot final : public RefCounted<RuntimeSlot> {
 public:
  explicit RuntimeSlot(const RuntimeSettings& settings) : settings_(settings) {}
  // The process's shared slot (a forked child gets one of its own).
  static RuntimeSlot& Default();
  // The runtime that lives here, or a new one.
  Ref<Runtime> Acquire() CS_EXCLUDES(mutex_);
  // Until no runtime that lived here has a user or a thread left. False: the time is up.
  bool WaitGone(int64_t deadline_ns) CS_EXCLUDES(mutex_);
  bool IsForked() const noexcept { return fork_generation_ != Runtime::ForkGeneration(); }

 private:
  friend class Runtime;
  void Gone(Runtime* runtime, pid_t leaving_thread) CS_EXCLUDES(mutex_);

  const RuntimeSettings settings_;
  const uint32_t fork_generation_ = Runtime::ForkGeneration();
  Mutex mutex_;
  CondVar changed_;
  Runtime* current_ CS_GUARDED_BY(mutex_) = nullptr;
  uint32_t alive_ CS_GUARDED_BY(mutex_) = 0;
  // Threads that dropped the last reference to their own runtime and are about to end.
  std::vector<pid_t> leaving_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
