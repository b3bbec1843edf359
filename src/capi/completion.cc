#include "capi/completion.h"

#include "capi/calling_out.h"

namespace chainstore {

cs_status Pending::Create(cs_store* store, const char* operation, Kind kind, const Target& target,
                          CallIn* in, Ref<Pending>* out) {
  if (!store) return CS_INVALID;
  Store* const asked = Unwrap(store);
  if (asked->runtime().IsForked()) return CS_FORKED;
  if (ReadCall(target.call, kind, *asked, in)) return CS_INVALID;
  if (in->queue && target.done) return CS_INVALID;
  if (in->queue && in->queue->IsForked()) return CS_FORKED;
  if (!asked->runtime().BeginCall()) return CS_BUSY;
  if (in->queue && !in->queue->Reserve()) {
    asked->runtime().EndCall();
    return CS_BUSY;
  }
  try {
    *out = Ref<Pending>::Adopt(new Pending(asked, operation, *in, target));
  } catch (...) {
    if (in->queue) in->queue->Unreserve();
    asked->runtime().EndCall();
    return CS_NO_MEMORY;
  }
  return CS_OK;
}

Pending::Pending(Store* store, const char* operation, const CallIn& in, const Target& target)
    : store_(store),
      queue_(in.queue),
      operation_(operation),
      done_(target.done),
      may_be_inline_(in.may_be_inline),
      holds_slot_(in.queue != nullptr) {
  result_ = cs_result{};
  result_.user_data = target.user_data;
}

Pending::~Pending() {
  if (holds_slot_) queue_->Unreserve();  // it was never started
  LetGo();
}

void Pending::LetGo() noexcept {
  if (!store_) return;
  store_->runtime().EndCall();
  // What brought the answer may be a thread that others wait for.
  if (CallingOut::Active() || Runtime::OnLibraryThread()) {
    store_ = nullptr;
  } else {
    Store::LetGo(std::move(store_));
  }
}

void Pending::EndHere(Status&& status) {
  Claim();
  FillResult(&result_, std::move(status), Origin{store_.get(), operation_});
  Complete(true);
}

void Pending::Started(const Call& call) {
  if (answered_on_stack_) return Complete(true);
  Arm(call);
}

void Pending::Arm(const Call& call) {
  MutexLock lock(mutex_);
  if (claimed_) return;
  if (call.deadline_ns != kForeverNs) {
    deadline_ns_ = call.deadline_ns;
    timer_ = store_->runtime().At(deadline_ns_,
                                  [self = Ref<Pending>(this)] { self->EndSoon(Code::kTimeout); });
  }
  const Ref<CancelToken>& closing = store_->closing_token();
  const bool fired =
      !callers_watch_.Watch(call.cancel) ||
      (own_token_ != closing && (!own_watch_.Watch(own_token_) || !closing_watch_.Watch(closing)));
  if (fired) EndSoon(Code::kCancelled);
}

bool Pending::Claim() {
  MutexLock lock(mutex_);
  if (std::exchange(claimed_, true)) return false;
  callers_watch_.Stop();
  own_watch_.Stop();
  closing_watch_.Stop();
  if (timer_ != 0) store_->runtime().CancelTimer(timer_, deadline_ns_);
  return true;
}

// From the timer's thread, and from the stack of cs_cancel_fire: neither may be held up, and
// neither may see the completion.
void Pending::EndSoon(Code code) {
  store_->runtime().Post(Lane::kFast, [self = Ref<Pending>(this), code] { self->End(code); });
}

void Pending::End(Code code) {
  if (!Claim()) return;
  if (own_token_) own_token_->Fire();
  FillResult(&result_, Status(code), Origin{store_.get(), operation_});
  Complete(false);
}

// The rule. A completion runs on the stack that answered it only if that stack is a library
// thread's and no function of the user's is on it; on the starting stack only if the call says so.
void Pending::Complete(bool on_start_stack) {
  if (watcher_) watcher_->Ended();
  if (queue_) {
    // The queue's from here on: whoever takes the result gives this object up, perhaps at once.
    const Ref<cs_queue> queue = std::move(queue_);
    holds_slot_ = false;
    own_token_ = nullptr;
    watcher_ = nullptr;
    LetGo();
    AddRef();
    queue->Post(this);
    return;
  }
  if (!done_) {
    if (result_.status < 0) store_->Report(Status(Ref<const Error>(Unwrap(result_.error))));
    cs_result_release(&result_);
    return;
  }
  const bool here =
      on_start_stack ? may_be_inline_ : Runtime::OnLibraryThread() && !CallingOut::Active();
  if (here) return CallBack(done_, &result_);
  store_->runtime().Post(
      Lane::kFast, [self = Ref<Pending>(this)] { self->CallBack(self->done_, &self->result_); });
}

void Pending::CallBack(cs_done done, cs_result* result) {
  CallingOut mark;
  done(result->user_data, result);
  cs_result_release(result);
}

void Pending::TakeResult(cs_result* out) {
  *out = result_;
  Unref();
}

}  // namespace chainstore
