// HungStore: a store that answers when the test says so, and what the test says. For what the ABI
// promises even of a store that hangs.
// Thread safety: any thread.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "base/mutex.h"
#include "capi/handles.h"
#include "core/store.h"

namespace chainstore {

class HungStore final : public Store {
 public:
  struct Asked {
    Call call;
    GatePass pass;
    Done<Answer> get;
    Done<Receipt> put;
    Done<Page> scan;
  };

  explicit HungStore(Ref<Runtime> runtime = RuntimeSlot::Default().Acquire(), uint32_t caps = 0)
      : Store("hung", std::move(runtime)), caps_(caps) {}
  ~HungStore() override { EXPECT_TRUE(asked_.empty()) << "a call was never answered"; }

  uint32_t caps() const noexcept override { return kCapScan | caps_; }
  Limits limits() const noexcept override { return {}; }
  void Get(const Key&, const Read&, const Call& call, Done<Answer> done) noexcept override {
    if (call.wait == Wait::kNever) return done(Answer(Code::kWouldBlock));
    Keep({call, GatePass(gate()), std::move(done), {}, {}});
  }
  void Put(const Key&, const Payload&, const Call& call, Done<Receipt> done) noexcept override {
    Keep({call, GatePass(gate()), {}, std::move(done), {}});
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    Put(key, Payload(Bytes()), call, std::move(done));
  }
  void Scan(const Range&, const Call& call, Done<Page> done) noexcept override {
    Keep({call, GatePass(gate()), {}, {}, std::move(done)});
  }

  // The oldest operation that was asked and not taken yet; waits for one.
  Asked Take() {
    MutexLock lock(mutex_);
    while (asked_.empty()) changed_.Wait(mutex_);
    return TakeLocked();
  }
  // Does not wait.
  std::optional<Asked> TryTake() {
    MutexLock lock(mutex_);
    if (asked_.empty()) return std::nullopt;
    return TakeLocked();
  }

 private:
  Asked TakeLocked() CS_REQUIRES(mutex_) {
    Asked asked = std::move(asked_.front());
    asked_.pop_front();
    return asked;
  }
  void Keep(Asked asked) {
    MutexLock lock(mutex_);
    asked_.push_back(std::move(asked));
    changed_.NotifyAll();
  }

  const uint32_t caps_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Asked> asked_ CS_GUARDED_BY(mutex_);
};

// Where completions are waited for: the user_data of its function.
class Completions {
 public:
  ~Completions() { cs_result_release(&last_); }
  static void Function(void* user_data, cs_result* result) {
    auto* self = static_cast<Completions*>(user_data);
    MutexLock lock(self->mutex_);
    cs_result_release(&self->last_);
    cs_result_move(&self->last_, result);
    self->thread_ = std::this_thread::get_id();
    ++self->count_;
    self->changed_.NotifyAll();
  }
  // Waits for so many; the last one's status.
  cs_status Wait(int count) {
    MutexLock lock(mutex_);
    while (count_ < count) changed_.Wait(mutex_);
    return last_.status;
  }
  int count() {
    MutexLock lock(mutex_);
    return count_;
  }
  const cs_result& last() const { return last_; }
  std::thread::id thread() const { return thread_; }

 private:
  Mutex mutex_;
  CondVar changed_;
  int count_ CS_GUARDED_BY(mutex_) = 0;
  cs_result last_ = CS_RESULT_INIT;
  std::thread::id thread_;
};

}  // namespace chainstore
