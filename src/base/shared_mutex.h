// SharedMutex: many readers or one writer, with clang's thread-safety annotations. A writer that
// waits goes before readers that come later, so that steady reading cannot keep it out for ever.
// Invariant: a thread never takes it twice, also not shared: a writer may stand between the two.
#pragma once

#include <pthread.h>

#include "base/mutex.h"

#define CS_ACQUIRE_SHARED(...) CS_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define CS_RELEASE_SHARED(...) CS_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define CS_RELEASE_GENERIC(...) CS_THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))

namespace chainstore {

class CS_CAPABILITY("shared_mutex") SharedMutex {
 public:
  SharedMutex() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  ~SharedMutex() { pthread_rwlock_destroy(&lock_); }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void Lock() CS_ACQUIRE() { pthread_rwlock_wrlock(&lock_); }
  void Unlock() CS_RELEASE() { pthread_rwlock_unlock(&lock_); }
  void LockShared() CS_ACQUIRE_SHARED() { pthread_rwlock_rdlock(&lock_); }
  void UnlockShared() CS_RELEASE_SHARED() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

class CS_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) CS_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~WriterLock() CS_RELEASE() { mutex_.Unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class CS_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) CS_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.LockShared();
  }
  ~ReaderLock() CS_RELEASE_GENERIC() { mutex_.UnlockShared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace chainstore
