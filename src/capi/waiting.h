// The waiting functions, made of the operations: checks, then the store's operation with
// Wait::kHere, on the caller's thread.
// Thread safety: any thread that may block.
#pragma once

#include "capi/call.h"
#include "capi/calling_out.h"
#include "capi/guard.h"
#include "capi/result.h"

namespace chainstore {

// Where the result goes: the caller's struct, or one that nobody sees.
class Out {
 public:
  Out(cs_result* callers, const cs_store* store, const char* operation)
      : out_(callers ? callers : &unseen_),
        callers_(callers),
        origin_{store ? Unwrap(store) : nullptr, operation} {
    out_->user_data = nullptr;
  }
  ~Out() {
    if (!callers_) cs_result_release(&unseen_);
  }
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;

  template <class T>
  cs_status Fill(T&& answer) noexcept {
    if constexpr (std::is_same_v<std::decay_t<T>, Entries>) {
      if (!callers_) answer.entries.clear();  // nobody looks
    }
    FillResult(out_, std::forward<T>(answer), origin_);
    return out_->status;
  }
  cs_status status() const noexcept { return out_->status; }

 private:
  cs_result unseen_;
  cs_result* const out_;
  cs_result* const callers_;
  const Origin origin_;
};

// Why this call cannot be made at all, or kOk and *in.
inline Status Admit(const cs_store* store, const char* operation, Kind kind, const cs_call* call,
                    CallIn* in) noexcept {
  if (!store) [[unlikely]]
    return Invalid(nullptr, operation, "the store is NULL");
  const Store* const asked = Unwrap(store);
  if (asked->runtime().IsForked()) [[unlikely]] {
    return WithError(Code::kForked, nullptr, operation);
  }
  if (const char* wrong = ReadCall(call, kind, *asked, in)) [[unlikely]] {
    return Invalid(asked, operation, wrong);
  }
  if (in->queue) [[unlikely]] {
    return Invalid(asked, operation, "a call that waits cannot have a queue");
  }
  if (CallingOut::Active() && in->call.wait != Wait::kNever) [[unlikely]] {
    return WithError(Code::kDeadlock, asked, operation);
  }
  return Status();
}

// Nothing is set, and nothing stands against the call: most are like that, and it is cheap to see.
inline bool IsPlain(const cs_store* store, const cs_call* call) noexcept {
  return store && !call && !CallingOut::Active() && !Unwrap(store)->runtime().IsForked();
}

// `op.Begin` has answered when it returns: that is what Wait::kHere and kNever mean.
template <class Op>
cs_status RunHere(cs_store* store, Op&& op, const cs_call* call, cs_result* result,
                  Wait wait = Wait::kHere) noexcept {
  Out out(result, store, op.name);
  try {
    CallIn in;
    in.call.wait = wait;
    if (!IsPlain(store, call)) {
      Status problem = Admit(store, op.name, Op::kKind, call, &in);
      if (!problem.ok()) [[unlikely]]
        return out.Fill(std::move(problem));
    }
    if (Status problem = op.Check(*Unwrap(store), in); !problem.ok()) [[unlikely]] {
      return out.Fill(std::move(problem));
    }
    if (const Code ended = CheckStart(in, Op::kKind, *Unwrap(store)); ended != Code::kOk)
        [[unlikely]] {
      return out.Fill(Status(ended));
    }
    op.Accepted();
    op.Begin(*Unwrap(store), in.call,
             [&out](typename Op::Answer&& answer) { out.Fill(std::move(answer)); });
    return out.status();
  } catch (...) {
    return out.Fill(OutOfMemory());
  }
}

}  // namespace chainstore
