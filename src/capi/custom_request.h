// cs_request: what a custom store is asked, from its submission to its answer. The caller is
// answered by the store, or by his deadline or a token, whichever comes first; the store keeps its
// hold on the request until it has ended it.
// Thread safety: any thread, but for Add (one at a time). Invariant: the continuation runs exactly
// once.
#pragma once

#include <atomic>
#include <thread>

#include "capi/handles.h"
#include "core/answer.h"
#include "core/request.h"

namespace chainstore {

class CustomStore;

// What any operation of a store may ask, and answer.
struct Asked {
  uint32_t op;
  OwnedKey key;
  Read read = {};
  Ref<Value> value = {};
  int64_t expires_at_ms = 0;
  Range range = {};
  Call call = {};
};
struct Outcome {
  Status status;
  uint32_t flags = 0;
  uint32_t tier = 0;
  Meta meta = {};
  Ref<Value> value = {};
  std::vector<Entry> entries = {};
  bool more = false;
};

const char* OperationName(uint32_t op) noexcept;

}  // namespace chainstore

struct cs_request final : chainstore::RefCounted<cs_request> {
 public:
  using Outcome = chainstore::Outcome;
  using Callback = void (*)(void* user_data);

  cs_request(chainstore::CustomStore* store, chainstore::Asked asked, chainstore::GatePass pass,
             chainstore::Done<Outcome> done);
  // Hands it to the store. Unless the caller waits kLater, it has been answered on return.
  void Run() noexcept;

  const chainstore::Asked& asked() const noexcept { return asked_; }
  chainstore::CustomStore& store() const noexcept { return *owner_; }
  cs_status OnCancel(Callback fn, void* user_data, Callback release) CS_EXCLUDES(mutex_);
  cs_status Add(const cs_entry& entry);
  // These two end it: the store's hold is given up.
  void Finish(cs_result* answer) noexcept CS_EXCLUDES(mutex_);
  void Forward(cs_store* to) noexcept CS_EXCLUDES(mutex_);

 private:
  class TokenWatch final : public chainstore::CancelWatch {
   public:
    explicit TokenWatch(cs_request* request) : request_(request) {}

   private:
    void Wake() noexcept override { request_->EndSoon(chainstore::Code::kCancelled); }
    cs_request* const request_;
  };
  struct Handler {
    Callback fn = nullptr;
    void* user_data = nullptr;
    Callback release = nullptr;
    bool set = false;
  };

  void Arm() CS_EXCLUDES(mutex_);
  void Submit() noexcept;
  // True: the store may end it now. False: it has done so before, which is reported.
  bool Consume(const char* how) CS_EXCLUDES(mutex_);
  // True for the one who may answer the caller; nothing is watched any more then.
  bool Claim() CS_EXCLUDES(mutex_);
  void EndSoon(chainstore::Code code);
  void End(chainstore::Code code) noexcept;
  void Complete(Outcome&& outcome, bool on_users_stack) noexcept;
  void Deliver(Outcome&& outcome) noexcept CS_EXCLUDES(mutex_);
  void TellLate(const Outcome& outcome) noexcept;
  // Keeps what is left of it for a while, to know it when it is ended twice.
  void Retire() noexcept;
  Handler TakeHandler() CS_EXCLUDES(mutex_);
  static void CallBack(const Handler& handler, bool ended) noexcept;
  bool InSubmitHere() const noexcept;
  Outcome Understand(cs_result* answer);
  Outcome Misused(const char* what) const;
  void Ask(chainstore::Store& to, const chainstore::Call& call, uint32_t tiers_before) noexcept;

  chainstore::CustomStore* const owner_;
  chainstore::Ref<chainstore::Store> hold_;  // of the store, until it has ended the request
  chainstore::Asked asked_;
  chainstore::GatePass pass_;
  chainstore::Done<Outcome> done_;
  std::vector<chainstore::Entry> page_;
  size_t page_bytes_ = 0;
  bool page_full_ = false;
  std::thread::id submit_thread_;
  std::atomic<bool> in_submit_{false};

  chainstore::Mutex mutex_;
  chainstore::CondVar changed_;
  bool consumed_ CS_GUARDED_BY(mutex_) = false;
  bool claimed_ CS_GUARDED_BY(mutex_) = false;
  bool ended_ CS_GUARDED_BY(mutex_) = false;
  bool delivered_ CS_GUARDED_BY(mutex_) = false;
  bool handler_asked_ CS_GUARDED_BY(mutex_) = false;
  Handler handler_ CS_GUARDED_BY(mutex_);
  Outcome outcome_ CS_GUARDED_BY(mutex_);
  chainstore::Runtime::TimerId timer_ CS_GUARDED_BY(mutex_) = 0;
  TokenWatch callers_watch_{this};
  TokenWatch closing_watch_{this};
};

namespace chainstore {
inline cs_request* Wrap(cs_request* request) noexcept { return request; }
}  // namespace chainstore
