// Pending: a call that was started and has not completed; the front door's hold on it. It ends at
// the store's answer, at its deadline or at its cancel, whichever comes first; what comes later is
// dropped.
//
// The rule "a completion never runs on the caller's stack" lives in completion.cc and nowhere else.
//
// Thread safety: any thread. Invariants: it completes exactly once; it holds store, token and queue
// until the completion has returned.
#pragma once

#include <type_traits>
#include <utility>

#include "capi/call.h"
#include "capi/queue.h"
#include "capi/result.h"

namespace chainstore {

// Who else wants to know how a call ended: a scan, whose next page depends on it. Both run before
// the completion, on its thread.
class PageWatcher : public RefCounted<PageWatcher> {
 public:
  virtual ~PageWatcher() = default;
  // The page is going to be the result.
  virtual void Got(const Page& page) noexcept = 0;
  virtual void Ended() noexcept = 0;
};

class Pending final : public RefCounted<Pending> {
 public:
  // Where the completion goes: the arguments that all start functions end with.
  struct Target {
    const cs_call* call;
    cs_done done;
    void* user_data;
  };
  // CS_OK and *out, or why the call is refused.
  static cs_status Create(cs_store* store, const char* operation, Kind kind, const Target& target,
                          CallIn* in, Ref<Pending>* out);

  // A result that is there at once, of a call with CS_CALL_INLINE: it needs no Pending.
  template <class T>
  static void CompleteInline(const Target& target, T&& answer, const Origin& origin) {
    cs_result result;
    result.user_data = target.user_data;
    FillResult(&result, std::forward<T>(answer), origin);
    CallBack(target.done, &result);
  }

  Store& store() noexcept { return *store_; }
  // `token` is fired when the call ends before its answer. It also ends the call when it fires, but
  // for the store's closing token: a close ends the calls that it waits for, not other closes.
  // `watcher` may be null. To be called before Run and EndHere.
  void Attach(Ref<CancelToken> token, Ref<PageWatcher> watcher) noexcept {
    own_token_ = std::move(token);
    watcher_ = std::move(watcher);
  }

  // Completes it before its store was asked.
  void EndHere(Status&& status);
  // `begin(done)` begins the operation. Afterwards the call's deadline and tokens are watched.
  template <class T, class Begin>
  void Run(const Call& call, Begin&& begin) {
    {
      OnThisStack mark(this);
      begin(IsBrief() ? Done<T>(BriefAnswerTo<T>{Ref<Pending>(this)})
                      : Done<T>(AnswerTo<T>{Ref<Pending>(this)}));
    }
    Started(call);
  }

  // ---- For cs_queue, which owns a reference to each call that is posted to it ----
  Pending*& next_in_queue() noexcept { return next_in_queue_; }
  // Moves the result out and gives the queue's reference up.
  void TakeResult(cs_result* out);

 private:
  friend class RefCounted<Pending>;
  // Which call is being started on this thread: its answer must not complete it there and then.
  class OnThisStack {
   public:
    explicit OnThisStack(const Pending* call) : outer_(std::exchange(current_, call)) {}
    ~OnThisStack() { current_ = outer_; }
    static bool Is(const Pending* call) noexcept { return current_ == call; }

   private:
    static inline constinit thread_local const Pending* current_ = nullptr;
    const Pending* const outer_;
  };
  class TokenWatch final : public CancelWatch {
   public:
    explicit TokenWatch(Pending* call) : call_(call) {}

   private:
    void Wake() noexcept override { call_->EndSoon(Code::kCancelled); }
    Pending* const call_;
  };

  // A store's answer. It is brief where the result goes into a queue, or the runtime is told to
  // call back: neither holds up the thread that brings the answer.
  template <class T>
  struct AnswerTo {
    Ref<Pending> call;
    void operator()(T&& answer) { call->Answer(std::move(answer)); }
  };
  template <class T>
  struct BriefAnswerTo : AnswerTo<T> {
    using Brief = void;
  };
  bool IsBrief() const noexcept { return (queue_ || done_) && !watcher_; }

  Pending(Store* store, const char* operation, const CallIn& in, const Target& target);
  ~Pending();

  template <class T>
  void Answer(T&& answer) {
    if (!Claim()) {
      const T late = std::move(answer);  // goes here, not whenever its maker lets go of it
      return;
    }
    if constexpr (std::is_same_v<T, Page>) {
      if (watcher_) watcher_->Got(answer);
    }
    FillResult(&result_, std::move(answer), Origin{store_.get(), operation_});
    if (OnThisStack::Is(this)) {
      answered_on_stack_ = true;
    } else {
      Complete(false);
    }
  }
  void Started(const Call& call);
  // Watches the deadline and the tokens, unless the answer is there.
  void Arm(const Call& call) CS_EXCLUDES(mutex_);
  // True for the one who may complete the call; nothing is watched any more then.
  bool Claim() CS_EXCLUDES(mutex_);
  void EndSoon(Code code);
  void End(Code code);
  // The result is there, and this thread has claimed it.
  void Complete(bool on_start_stack);
  void LetGo() noexcept;
  static void CallBack(cs_done done, cs_result* result);

  Ref<Store> store_;
  Ref<cs_queue> queue_;
  Ref<CancelToken> own_token_;
  Ref<PageWatcher> watcher_;
  const char* const operation_;
  const cs_done done_;
  const bool may_be_inline_;
  bool answered_on_stack_ = false;  // written and read by the starting thread only
  bool holds_slot_;
  Pending* next_in_queue_ = nullptr;  // guarded by the queue's mutex
  cs_result result_;

  Mutex mutex_;
  bool claimed_ CS_GUARDED_BY(mutex_) = false;
  Runtime::TimerId timer_ CS_GUARDED_BY(mutex_) = 0;
  int64_t deadline_ns_ CS_GUARDED_BY(mutex_) = 0;
  TokenWatch callers_watch_{this};
  TokenWatch own_watch_{this};
  TokenWatch closing_watch_{this};
};

}  // namespace chainstore
