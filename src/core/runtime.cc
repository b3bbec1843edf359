#include "core/runtime.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <mutex>

namespace chainstore {
namespace {

// Which runtime this thread works for; null on every thread that is not the library's.
thread_local Runtime* this_thread_runtime = nullptr;
thread_local bool on_library_thread = false;

pid_t ThisThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// A thread that was joined, or that is about to end, is the kernel's for another moment.
bool IsListed(pid_t thread) { return syscall(SYS_tgkill, getpid(), thread, 0) == 0; }
void PauseForTheKernel() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

uint32_t WorkersFor(uint32_t asked) {
  return asked ? asked : std::max(8u, 2 * std::thread::hardware_concurrency());
}

}  // namespace

Runtime::Runtime(Ref<RuntimeSlot> slot, const RuntimeSettings& settings)
    : slot_(std::move(slot)),
      clock_(*settings.clock),
      max_workers_(WorkersFor(settings.workers)),
      max_calls_(settings.max_calls),
      fork_generation_(ForkGeneration()) {}

bool Runtime::BeginCall() noexcept {
  if (calls_.fetch_add(1, std::memory_order_relaxed) < max_calls_) return true;
  EndCall();
  return false;
}

bool Runtime::OnLibraryThread() noexcept { return on_library_thread; }

void Runtime::WatchForks() {
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, [] {
      process_fork_generation_.fetch_add(1, std::memory_order_relaxed);
      on_library_thread = false;
      this_thread_runtime = nullptr;
    });
  });
}

void Runtime::SpawnLocked(const char* name, void (Runtime::*main)()) {
  // A new thread inherits the mask: the user's signal handlers never run on our threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  threads_.emplace_back([this, name, main] {
    pthread_setname_np(pthread_self(), name);
    this_thread_runtime = this;
    on_library_thread = true;
    {
      MutexLock lock(threads_mutex_);
      thread_ids_.push_back(ThisThread());
    }
    (this->*main)();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Runtime::Post(Lane lane, Task task) {
  // The task may run, and drop the last other reference, before this returns.
  const Ref<Runtime> self(this);
  bool spawn = false;
  if (lane == Lane::kBackground) {
    {
      MutexLock lock(mutex_);
      background_.push_back(std::move(task));
      spawn = !std::exchange(background_started_, true);
      background_work_.NotifyOne();
    }
    if (!spawn) return;
    MutexLock lock(threads_mutex_);
    return SpawnLocked("cs-background", &Runtime::BackgroundMain);
  }
  {
    MutexLock lock(mutex_);
    (lane == Lane::kFast ? fast_ : slow_).push_back(std::move(task));
    // Queued work beyond the idle workers: a wake-up that is under way counts as idle until then.
    if (fast_.size() + slow_.size() > idle_workers_ && workers_ < max_workers_) {
      ++workers_;
      spawn = true;
    }
    work_.NotifyOne();
  }
  if (!spawn) return;
  MutexLock lock(threads_mutex_);
  SpawnLocked("cs-worker", &Runtime::WorkerMain);
}

bool Runtime::TakeTaskLocked(Task* task, Lane* lane) {
  const uint32_t most_slow = std::max(1u, max_workers_ / 2);
  if (!fast_.empty()) {
    *lane = Lane::kFast;
    *task = std::move(fast_.front());
    fast_.pop_front();
    return true;
  }
  if (!slow_.empty() && slow_running_ < most_slow) {
    *lane = Lane::kSlow;
    *task = std::move(slow_.front());
    slow_.pop_front();
    ++slow_running_;
    return true;
  }
  return false;
}

void Runtime::WorkerMain() {
  for (;;) {
    Task task;
    Lane lane;
    {
      MutexLock lock(mutex_);
      while (!TakeTaskLocked(&task, &lane)) {
        if (stopping_) return;
        ++idle_workers_;
        work_.Wait(mutex_);
        --idle_workers_;
      }
    }
    task();
    task = nullptr;  // what it held may be the last reference to this runtime
    if (this_thread_runtime == nullptr) return;
    if (lane == Lane::kSlow) {
      MutexLock lock(mutex_);
      --slow_running_;
      // Others may have passed a slow task by while the lane was full.
      if (!slow_.empty()) work_.NotifyOne();
    }
  }
}

void Runtime::BackgroundMain() {
  for (;;) {
    Task task;
    {
      MutexLock lock(mutex_);
      while (background_.empty()) {
        if (stopping_) return;
        background_work_.Wait(mutex_);
      }
      task = std::move(background_.front());
      background_.pop_front();
    }
    task();
    task = nullptr;
    if (this_thread_runtime == nullptr) return;
  }
}

Runtime::TimerId Runtime::At(int64_t deadline_ns, Task task) {
  const Ref<Runtime> self(this);  // as in Post
  bool spawn = false;
  TimerId id;
  {
    MutexLock lock(timer_mutex_);
    id = next_timer_++;
    const auto at = timers_.emplace(std::make_pair(deadline_ns, id), std::move(task)).first;
    spawn = !std::exchange(timer_started_, true);
    if (at == timers_.begin()) timer_changed_.NotifyOne();
  }
  if (spawn) {
    MutexLock lock(threads_mutex_);
    SpawnLocked("cs-timer", &Runtime::TimerMain);
  }
  return id;
}

bool Runtime::CancelTimer(TimerId id, int64_t deadline_ns) {
  Task dropped;  // destroyed outside the lock: it may hold anything
  MutexLock lock(timer_mutex_);
  const auto found = timers_.find({deadline_ns, id});
  if (found == timers_.end()) return false;
  dropped = std::move(found->second);
  timers_.erase(found);
  lock.Unlock();
  return true;
}

void Runtime::TimerMain() {
  for (;;) {
    Task task;
    {
      MutexLock lock(timer_mutex_);
      for (;;) {
        if (timer_stopping_) return;
        if (timers_.empty()) {
          timer_changed_.Wait(timer_mutex_);
          continue;
        }
        const int64_t first_ns = timers_.begin()->first.first;
        if (first_ns <= clock_.SteadyNs()) break;
        timer_changed_.WaitUntil(timer_mutex_, first_ns);
      }
      task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    }
    task();
    task = nullptr;
    if (this_thread_runtime == nullptr) return;
  }
}

void Runtime::OnLastUnref() noexcept {
  if (IsForked()) return;  // its threads are the parent's: leaked, as everything of a forked child
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    work_.NotifyAll();
    background_work_.NotifyAll();
  }
  {
    MutexLock lock(timer_mutex_);
    timer_stopping_ = true;
    timer_changed_.NotifyAll();
  }
  pid_t leaving = 0;
  std::vector<std::thread> threads;
  {
    MutexLock lock(threads_mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) {
    if (thread.get_id() == std::this_thread::get_id()) {
      leaving = ThisThread();
      this_thread_runtime = nullptr;
      thread.detach();
    } else {
      thread.join();
    }
  }
  for (const pid_t thread : thread_ids_) {
    while (thread != leaving && IsListed(thread)) PauseForTheKernel();
  }
  const Ref<RuntimeSlot> slot = slot_;
  slot->Gone(this, leaving);
  delete this;
}

RuntimeSlot& RuntimeSlot::Default() {
  static Mutex mutex;
  static RuntimeSlot* slot = nullptr;  // never destroyed: threads may outlive static destructors
  Runtime::WatchForks();
  MutexLock lock(mutex);
  if (!slot || slot->fork_generation_ != Runtime::ForkGeneration()) {
    slot = new RuntimeSlot(RuntimeSettings{});
  }
  return *slot;
}

Ref<Runtime> RuntimeSlot::Acquire() {
  Runtime::WatchForks();
  MutexLock lock(mutex_);
  if (current_ && current_->TryRef()) return Ref<Runtime>::Adopt(current_);
  current_ = new Runtime(Ref<RuntimeSlot>(this), settings_);
  ++alive_;
  return Ref<Runtime>::Adopt(current_);
}

void RuntimeSlot::Gone(Runtime* runtime, pid_t leaving_thread) {
  MutexLock lock(mutex_);
  if (current_ == runtime) current_ = nullptr;
  if (leaving_thread != 0) leaving_.push_back(leaving_thread);
  --alive_;
  changed_.NotifyAll();
}

bool RuntimeSlot::WaitGone(int64_t deadline_ns) {
  MutexLock lock(mutex_);
  while (alive_ > 0) {
    if (deadline_ns == kForeverNs) {
      changed_.Wait(mutex_);
    } else if (!changed_.WaitUntil(mutex_, deadline_ns) && alive_ > 0) {
      return false;
    }
  }
  // The kernel tells when a detached thread is really gone; that is a matter of microseconds.
  while (!leaving_.empty()) {
    if (!IsListed(leaving_.back())) {
      leaving_.pop_back();
      continue;
    }
    if (Clock::System().SteadyNs() >= deadline_ns) return false;
    PauseForTheKernel();
  }
  return true;
}

}  // namespace chainstore
