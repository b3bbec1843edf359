// Mutex, MutexLock and CondVar: the standard ones, with clang's thread-safety annotations, so that
// `-Wthread-safety` proves which field is read under which lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define CS_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define CS_THREAD_ANNOTATION(x)
#endif
#define CS_CAPABILITY(x) CS_THREAD_ANNOTATION(capability(x))
#define CS_SCOPED_CAPABILITY CS_THREAD_ANNOTATION(scoped_lockable)
#define CS_GUARDED_BY(x) CS_THREAD_ANNOTATION(guarded_by(x))
#define CS_REQUIRES(...) CS_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CS_EXCLUDES(...) CS_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define CS_ACQUIRE(...) CS_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define CS_RELEASE(...) CS_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define CS_TRY_ACQUIRE(...) CS_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define CS_NO_THREAD_SAFETY_ANALYSIS CS_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace chainstore {

class CS_CAPABILITY("mutex") Mutex {
 public:
  void Lock() CS_ACQUIRE() { mutex_.lock(); }
  void Unlock() CS_RELEASE() { mutex_.unlock(); }
  bool TryLock() CS_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class CS_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CS_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() CS_RELEASE() {
    if (held_) mutex_.Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  // For the one pattern that a scope cannot say: unlock, call out, lock again.
  void Unlock() CS_RELEASE() {
    held_ = false;
    mutex_.Unlock();
  }
  void Lock() CS_ACQUIRE() {
    mutex_.Lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

class CondVar {
 public:
  void Wait(Mutex& mutex) CS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cond_.wait(lock);
    lock.release();
  }
  // `deadline_ns` is a steady_clock time. False: the time is up.
  bool WaitUntil(Mutex& mutex, int64_t deadline_ns) CS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto when = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(deadline_ns));
    const bool in_time = cond_.wait_until(lock, when) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() noexcept { cond_.notify_one(); }
  void NotifyAll() noexcept { cond_.notify_all(); }

 private:
  std::condition_variable cond_;
};

}  // namespace chainstore
