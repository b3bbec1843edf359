#include "core/cancel.h"

#include <cassert>

namespace chainstore {

void CancelToken::Fire() noexcept {
  MutexLock lock(mutex_);
  if (fired_.exchange(true, std::memory_order_acq_rel)) return;
  while (watches_) {
    CancelWatch* watch = watches_;
    watches_ = watch->next_;
    watch->linked_ = false;
    watch->Wake();
  }
}

bool CancelWatch::Watch(const Ref<CancelToken>& token) CS_NO_THREAD_SAFETY_ANALYSIS {
  assert(!token_);
  if (!token) return true;
  MutexLock lock(token->mutex_);
  if (token->fired()) return false;
  token_ = token;
  next_ = token->watches_;
  previous_ = nullptr;
  if (next_) next_->previous_ = this;
  token->watches_ = this;
  linked_ = true;
  return true;
}

void CancelWatch::Stop() noexcept CS_NO_THREAD_SAFETY_ANALYSIS {
  if (!token_) return;
  {
    MutexLock lock(token_->mutex_);
    if (linked_) {
      linked_ = false;
      if (next_) next_->previous_ = previous_;
      (previous_ ? previous_->next_ : token_->watches_) = next_;
    }
  }
  token_ = nullptr;
}

CancelWatch::~CancelWatch() { assert(!token_ && "a CancelWatch was destroyed while it watched"); }

}  // namespace chainstore
