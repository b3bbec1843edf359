// CancelToken: one way, for any number of calls. Firing it calls nothing back on that stack: it
// only wakes what waits (CancelWatch), and whoever is woken does the work.
// Thread safety: any thread.
#pragma once

#include <atomic>

#include "base/mutex.h"
#include "base/ref.h"

namespace chainstore {

class CancelWatch;

class CancelToken final : public RefCounted<CancelToken> {
 public:
  bool fired() const noexcept { return fired_.load(std::memory_order_acquire); }
  void Fire() noexcept CS_EXCLUDES(mutex_);

 private:
  friend class CancelWatch;
  std::atomic<bool> fired_{false};
  Mutex mutex_;
  CancelWatch* watches_ CS_GUARDED_BY(mutex_) = nullptr;
};

// Something to wake when a token fires. `Wake` runs under the token's lock, on the stack of
// cs_cancel_fire: it may set a flag, notify a CondVar or post to a Runtime, and nothing else.
class CancelWatch {
 public:
  CancelWatch() = default;
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;
  // Watches `token` (null: nothing). False: it has fired already, and Wake will not run.
  bool Watch(const Ref<CancelToken>& token);
  // After it Wake runs no more, on any thread.
  void Stop() noexcept;

 protected:
  virtual ~CancelWatch();  // a subclass calls Stop first: its own Wake must be intact until then
  virtual void Wake() noexcept = 0;

 private:
  friend class CancelToken;
  Ref<CancelToken> token_;
  CancelWatch* next_ = nullptr;
  CancelWatch* previous_ = nullptr;
  bool linked_ = false;  // guarded by the token's mutex
};

}  // namespace chainstore
