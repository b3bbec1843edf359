// Wrapper: a store that wraps one other and passes everything on: what managers derive from, and
// override only what they change.
// Thread safety: as Store. A call under kLater holds the gate until it completes; the other kinds
// end on the caller's own stack, and the wrapped store's gate is theirs.
#pragma once

#include "core/below.h"

namespace chainstore {

class Wrapper : public Store {
 public:
  uint32_t caps() const noexcept override { return inner_->caps(); }
  Limits limits() const noexcept override { return inner_->limits(); }
  Store* inner(size_t index) const noexcept override { return index == 0 ? inner_.get() : nullptr; }
  uint32_t tier_count() const noexcept override { return inner_->tier_count(); }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override {
    return inner_->EntryCost(key_size, value_size);
  }
  bool UsedBytes(uint64_t* bytes) const noexcept override { return inner_->UsedBytes(bytes); }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;

 protected:
  Wrapper(std::string name, Ref<Store> inner);
  Below wrapped() const noexcept { return Below(*inner_); }

  // Whether the call may go on: this store is open. Under kLater `done` then holds the gate.
  // Otherwise `done` has answered kClosed.
  template <class T>
  bool Enter(const char* operation, const Call& call, Done<T>* done);

 private:
  const Ref<Store> inner_;
};

template <class T>
bool Wrapper::Enter(const char* operation, const Call& call, Done<T>* done) {
  if (call.wait != Wait::kLater) {
    if (!closed()) return true;
    (*done)(T(ClosedStatus(operation)));
    return false;
  }
  GatePass pass(gate());
  if (!pass) {
    (*done)(T(ClosedStatus(operation)));
    return false;
  }
  // The store outlives the pass: it goes first when the continuation has run.
  *done = Done<T>(
      [self = Ref<Store>(this), pass = std::move(pass),
       inner = std::exchange(*done, Done<T>())](T&& answer) mutable { inner(std::move(answer)); });
  return true;
}

}  // namespace chainstore
