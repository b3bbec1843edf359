#include "capi/custom_request.h"

#include <utility>

#include "capi/calling_out.h"
#include "capi/custom_store.h"
#include "capi/result.h"
#include "core/below.h"
#include "core/limit.h"

using chainstore::Answer;
using chainstore::Asked;
using chainstore::Below;
using chainstore::Call;
using chainstore::CallingOut;
using chainstore::Code;
using chainstore::CustomStore;
using chainstore::Done;
using chainstore::Entry;
using chainstore::Failure;
using chainstore::GatePass;
using chainstore::Lane;
using chainstore::MutexLock;
using chainstore::OperationName;
using chainstore::Outcome;
using chainstore::Page;
using chainstore::Payload;
using chainstore::Range;
using chainstore::Receipt;
using chainstore::Ref;
using chainstore::Status;
using chainstore::Store;
using chainstore::Value;
using chainstore::Wait;

const char* chainstore::OperationName(uint32_t op) noexcept {
  static constexpr const char* kNames[] = {"?",     "get",   "put",  "del",      "scan",
                                           "flush", "close", "stat", "get_range"};
  return op < std::size(kNames) ? kNames[op] : kNames[0];
}

// Whether it may be the answer to what was asked: see CS_OP_* in chainstore.h.
static bool HasAnswer(const Asked& asked, Code code) {
  if (code == Code::kOk) return true;
  if (code == Code::kWouldBlock) return asked.call.wait == Wait::kNever;
  switch (asked.op) {
    case CS_OP_GET:
    case CS_OP_GET_RANGE:
    case CS_OP_STAT:
      return code == Code::kNotFound;
    case CS_OP_PUT:
      return code == Code::kExists && asked.call.Has(Call::kIfAbsent);
    case CS_OP_SCAN:
      return code == Code::kEnd;
    default:
      return false;
  }
}

cs_request::cs_request(CustomStore* store, Asked asked, GatePass pass, Done<Outcome> done)
    : owner_(store),
      hold_(store),
      asked_(std::move(asked)),
      pass_(std::move(pass)),
      done_(std::move(done)),
      submit_thread_(std::this_thread::get_id()) {}

// ---- On the caller's stack ----

void cs_request::Run() noexcept {
  const Ref<Store> store = hold_;
  const Wait wait = asked_.call.wait;
  if (wait != Wait::kNever) Arm();
  AddRef();  // the store's own hold, given up in Finish or Forward
  Submit();
  if (wait == Wait::kNever) {
    if (Claim()) Deliver(Outcome{Code::kWouldBlock});
  }
  if (wait != Wait::kHere) return;
  Outcome outcome;
  {
    MutexLock lock(mutex_);
    while (!delivered_) changed_.Wait(mutex_);
    outcome = std::move(outcome_);
  }
  pass_ = GatePass();
  done_(std::move(outcome));
}

void cs_request::Submit() noexcept {
  in_submit_.store(true);
  if (asked_.call.wait == Wait::kHere) {
    owner_->Submit(this);  // unmarked: it may block, there is nobody else on this stack
  } else {
    CallingOut mark;
    owner_->Submit(this);
  }
  in_submit_.store(false);
}

bool cs_request::InSubmitHere() const noexcept {
  return in_submit_.load() && submit_thread_ == std::this_thread::get_id();
}

void cs_request::Arm() {
  MutexLock lock(mutex_);
  if (asked_.call.deadline_ns != chainstore::kForeverNs) {
    timer_ = owner_->runtime().At(
        asked_.call.deadline_ns, [self = Ref<cs_request>(this)] { self->EndSoon(Code::kTimeout); });
  }
  if (!callers_watch_.Watch(asked_.call.cancel) || !closing_watch_.Watch(owner_->closing_token())) {
    EndSoon(Code::kCancelled);
  }
}

// ---- Its end ----

bool cs_request::Claim() {
  MutexLock lock(mutex_);
  if (std::exchange(claimed_, true)) return false;
  callers_watch_.Stop();
  closing_watch_.Stop();
  if (timer_ != 0) owner_->runtime().CancelTimer(timer_, asked_.call.deadline_ns);
  return true;
}

// Nothing runs on the timer's thread, nor on the stack of a firing token.
void cs_request::EndSoon(Code code) {
  // A close is given up by a token of its own, whatever the reason was.
  const bool late = asked_.op == CS_OP_CLOSE && asked_.call.deadline_ns != chainstore::kForeverNs &&
                    owner_->runtime().clock().SteadyNs() >= asked_.call.deadline_ns;
  if (late) code = Code::kTimeout;
  owner_->runtime().Post(Lane::kFast, [self = Ref<cs_request>(this), code] { self->End(code); });
}

void cs_request::End(Code code) noexcept {
  if (!Claim()) return;
  Handler handler;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    handler = std::exchange(handler_, Handler());
  }
  Deliver(Outcome{owner_->EndedStatus(code, OperationName(asked_.op))});
  CallBack(handler, true);
}

void cs_request::Complete(Outcome&& outcome, bool on_users_stack) noexcept {
  if (!Claim()) return TellLate(outcome);
  // The user may hold locks of his own here: what follows the answer must not run under them.
  const bool elsewhere = on_users_stack && asked_.call.wait == Wait::kLater && !InSubmitHere();
  if (!elsewhere) return Deliver(std::move(outcome));
  owner_->runtime().Post(
      Lane::kFast, [self = Ref<cs_request>(this), store = Ref<Store>(owner_),
                    outcome = std::move(outcome)]() mutable { self->Deliver(std::move(outcome)); });
}

void cs_request::Deliver(Outcome&& outcome) noexcept {
  if (asked_.call.wait != Wait::kHere) {
    pass_ = GatePass();
    return done_(std::move(outcome));
  }
  MutexLock lock(mutex_);
  outcome_ = std::move(outcome);
  delivered_ = true;
  changed_.NotifyAll();
}

// A read that comes late harms nobody; a write that failed would be lost unseen.
void cs_request::TellLate(const Outcome& outcome) noexcept {
  if (asked_.call.wait == Wait::kNever) {
    owner_->Report(owner_->Fail(Code::kInternal, OperationName(asked_.op),
                                "a request of CS_WAIT_NEVER was answered after submit returned"));
    return;
  }
  const bool write = asked_.op == CS_OP_PUT || asked_.op == CS_OP_DEL || asked_.op == CS_OP_CLOSE;
  const bool known = outcome.status.Is(Code::kTimeout) || outcome.status.Is(Code::kCancelled);
  if (write && outcome.status.failed() && !known) owner_->Report(outcome.status);
}

bool cs_request::Consume(const char* how) {
  {
    MutexLock lock(mutex_);
    if (!std::exchange(consumed_, true)) return true;
  }
  owner_->Report(owner_->Fail(
      Code::kInternal, OperationName(asked_.op),
      std::string(how) + " for a request that had been ended: a request is ended exactly once"));
  return false;
}

void cs_request::Retire() noexcept {
  const Ref<cs_request> self = Ref<cs_request>::Adopt(this);  // what was the store's hold
  const Ref<Store> store = std::exchange(hold_, nullptr);
  asked_.value = nullptr;
  asked_.call.cancel = nullptr;
  asked_.call.trace = nullptr;
  owner_->Retire(self);
}

// ---- The token ----

cs_request::Handler cs_request::TakeHandler() {
  MutexLock lock(mutex_);
  return std::exchange(handler_, Handler());
}

void cs_request::CallBack(const Handler& handler, bool ended) noexcept {
  if (!handler.set) return;
  CallingOut mark;
  if (ended) handler.fn(handler.user_data);
  if (handler.release) handler.release(handler.user_data);
}

cs_status cs_request::OnCancel(Callback fn, void* user_data, Callback release) {
  const Handler handler = {fn, user_data, release, true};
  {
    MutexLock lock(mutex_);
    if (consumed_ || handler_asked_) return CS_INVALID;
    handler_asked_ = true;
    if (!ended_) {
      handler_ = handler;
      return CS_OK;
    }
  }
  owner_->runtime().Post(Lane::kFast,
                         [store = Ref<Store>(owner_), handler] { CallBack(handler, true); });
  return CS_OK;
}

// ---- What the user answers ----

cs_status cs_request::Add(const cs_entry& in) {
  const Range& range = asked_.range;
  const bool has_key = in.key && in.key_size != 0 && in.key_size <= chainstore::kMaxKeySize;
  if (asked_.op != CS_OP_SCAN || !has_key || (!in.data && in.size != 0)) return CS_INVALID;
  const chainstore::Bytes key(static_cast<const char*>(in.key), in.key_size);
  if (!page_.empty()) {
    const int order = key.compare(page_.back().key);
    if (range.reverse ? order >= 0 : order <= 0) return CS_INVALID;
  }
  if (!range.Contains(key)) return CS_OK;
  if (page_.size() >= range.Limit() || page_bytes_ >= Range::kMaxPageBytes) {
    page_full_ = true;
    return CS_END;
  }
  Entry entry;
  entry.key = key;
  entry.meta = {in.total_size, in.expires_at_ms, in.version};
  Value* const value = chainstore::Unwrap(in.value);
  const size_t size = value ? value->size() : in.size;
  if (value || in.data) entry.meta.total_size = size;
  if (!range.keys_only) {
    entry.value = value ? Ref<Value>(value)
                        : Value::Copy({static_cast<const char*>(in.data), in.data ? size : 0});
    page_bytes_ += size;
  }
  page_.push_back(std::move(entry));
  return CS_OK;
}

Outcome cs_request::Misused(const char* what) const {
  return Outcome{owner_->Fail(Code::kInternal, OperationName(asked_.op), what)};
}

Outcome cs_request::Understand(cs_result* answer) {
  if (!answer) return Misused("the store answered with NULL");
  const auto code = static_cast<Code>(answer->status);
  if (answer->status < CS_NO_SPACE || answer->status > CS_EXISTS) {
    return Misused("the store answered with a status that there is not");
  }
  if (answer->status >= 0 && !HasAnswer(asked_, code)) {
    return Misused(code == Code::kWouldBlock
                       ? "the store answered CS_WOULD_BLOCK to a call that may wait"
                       : "the store answered with a status that this operation has not");
  }
  Outcome out{code};
  if (answer->status < 0) {
    const chainstore::Error* const error = chainstore::Unwrap(answer->error);
    if (error && error->FindDetail("store")) {
      out.status = Status(Ref<const chainstore::Error>(error));
    } else {
      Failure failure = owner_->Fail(code, OperationName(asked_.op),
                                     error ? error->message() : "failed without saying why");
      if (error)
        failure.Cause(Status(Ref<const chainstore::Error>(error))).Retryable(error->retryable());
      out.status = failure;
    }
    return out;
  }
  out.flags = answer->flags &
              (chainstore::kResultStale | chainstore::kResultPending | chainstore::kResultParked);
  out.tier = answer->tier;
  out.meta = {answer->total_size, answer->expires_at_ms, answer->version};
  const bool reads = asked_.op == CS_OP_GET || asked_.op == CS_OP_GET_RANGE;
  if (reads && code == Code::kOk) {
    if (answer->value) {
      out.value = Ref<Value>(chainstore::Unwrap(answer->value));
    } else if (answer->data) {
      out.value = Value::Copy({static_cast<const char*>(answer->data), answer->size});
    } else {
      return Misused("the store answered CS_OK without a value");
    }
    if (asked_.op == CS_OP_GET) out.meta.total_size = out.value->size();
  }
  if (asked_.op == CS_OP_SCAN) {
    for (size_t at = 0; at < answer->count; ++at) {
      const cs_status added = Add(answer->entries[at]);
      if (added == CS_END) break;
      if (added != CS_OK) return Misused("the store's page is not in the order of the keys");
    }
    // OK says that there is more, which it cannot without an entry to go on from.
    out.more = !page_.empty() && (code == Code::kOk || page_full_);
    out.status = page_.empty() ? Code::kEnd : Code::kOk;
    out.entries = std::move(page_);
  }
  return out;
}

void cs_request::Finish(cs_result* answer) noexcept {
  if (!Consume("cs_request_done")) return cs_result_release(answer);
  Outcome outcome;
  try {
    outcome = Understand(answer);
  } catch (...) {
    outcome = Outcome{chainstore::OutOfMemory()};
  }
  cs_result_release(answer);
  CallBack(TakeHandler(), false);
  Complete(std::move(outcome), true);
  Retire();
}

// ---- Forwarding ----

void cs_request::Forward(cs_store* handle) noexcept {
  if (!Consume("cs_request_forward")) return;
  CallBack(TakeHandler(), false);
  Store* const to = chainstore::Unwrap(handle);
  uint32_t tiers_before = 0;
  Call call = asked_.call;
  const bool here = InSubmitHere();
  if (!here && call.wait == Wait::kHere) call.wait = Wait::kLater;
  if (!to || !owner_->FindInner(to, &tiers_before)) {
    Complete(Outcome{owner_->Fail(Code::kInvalid, OperationName(asked_.op),
                                  "forwarded to a store that is not one of its inner stores")},
             true);
  } else if (asked_.op == CS_OP_CLOSE) {
    Complete(Outcome{}, true);  // the library closes the inner stores
  } else if (!here && call.wait == Wait::kNever) {
    Complete(Outcome{Code::kWouldBlock}, true);
  } else {
    Ask(*to, call, tiers_before);
  }
  Retire();
}

void cs_request::Ask(Store& to, const Call& call, uint32_t tiers_before) noexcept {
  const Below below(to);
  // The request keeps what is asked; the store below keeps what it needs.
  const Ref<cs_request> self(this);
  const auto receipt = [&] {
    return Done<Receipt>([self, store = Ref<Store>(owner_)](Receipt&& got) {
      Outcome outcome{std::move(got.status)};
      outcome.flags = got.flags;
      outcome.meta = got.meta;
      self->Complete(std::move(outcome), false);
    });
  };
  const Ref<Store> store(owner_);
  switch (asked_.op) {
    case CS_OP_PUT:
      return below.Put(asked_.key, Payload(asked_.value, asked_.expires_at_ms), call, receipt());
    case CS_OP_DEL:
      return below.Del(asked_.key, call, receipt());
    case CS_OP_SCAN:
      return below.Scan(asked_.range, call, [self, store](Page&& got) {
        Outcome outcome{std::move(got.status)};
        outcome.entries = std::move(got.entries);
        outcome.more = got.more;
        self->Complete(std::move(outcome), false);
      });
    case CS_OP_FLUSH:
      return below.Flush(asked_.key.bytes(), call, [self, store](Status&& got) {
        self->Complete(Outcome{std::move(got)}, false);
      });
    default:
      return below.Get(asked_.key, asked_.read, call, [self, store, tiers_before](Answer&& got) {
        Outcome outcome{std::move(got.status)};
        outcome.flags = got.flags;
        outcome.tier = got.tier;
        if (outcome.tier == 0 && outcome.status.ok()) outcome.tier = 1;
        if (outcome.tier != 0) outcome.tier += tiers_before;
        outcome.meta = got.meta;
        outcome.value = std::move(got.value);
        self->Complete(std::move(outcome), false);
      });
  }
}
