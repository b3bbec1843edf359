// The start functions: checks, then the store's operation with Wait::kLater.
#include "capi/completion.h"
#include "capi/guard.h"
#include "capi/operations.h"

namespace chainstore {
namespace {

using Target = Pending::Target;

template <class Op>
cs_status Start(cs_store* store, Op op, const Target& target,
                const Ref<CancelToken>& own_token = nullptr) noexcept {
  return Guard([&]() -> cs_status {
    CallIn in;
    in.call.wait = Wait::kLater;
    Ref<Pending> pending;
    const cs_status refused = Pending::Create(store, op.name, Op::kKind, target, &in, &pending);
    if (refused != CS_OK) return refused;
    if (own_token) pending->Attach(own_token, nullptr);
    Status problem = op.Check(*Unwrap(store), in);
    op.Accepted();
    if (problem.ok()) problem = CheckStart(in, Op::kKind, *Unwrap(store));
    if (!problem.ok()) {
      pending->EndHere(std::move(problem));
      return CS_OK;
    }
    pending->Run<typename Op::Answer>(in.call, [&](Done<typename Op::Answer> done) {
      op.Begin(*Unwrap(store), in.call, std::move(done));
    });
    return CS_OK;
  });
}

// A hit of a call that may complete inline costs neither an allocation nor a reference: the store
// is asked for what it has in memory first. One that would have to wait leaves no trace.
bool AnsweredInline(cs_store* store, ReadOperation& op, const Target& target) noexcept {
  if (!store || !target.call || !target.done) return false;
  Store& asked = *Unwrap(store);
  CallIn in;
  if (asked.runtime().IsForked() || ReadCall(target.call, op.kKind, asked, &in)) return false;
  if (!in.may_be_inline || in.queue || (asked.caps() & kCapTry) == 0) return false;
  in.call.wait = Wait::kNever;
  if (!op.Check(asked, in).ok() || CheckStart(in, op.kKind, asked) != Code::kOk) return false;
  const Origin origin = {&asked, op.name};
  const bool plain = op.read == Read::Whole() && in.call.flags == 0;
  if (Hit hit; plain && TakeHit(asked, op.key, op.key_size, &hit)) {
    Pending::CompleteInline(target, std::move(hit), origin);
    return true;
  }
  Answer answer;
  op.Begin(asked, in.call, [&answer](Answer&& answered) { answer = std::move(answered); });
  if (answer.status.Is(Code::kWouldBlock)) return false;
  Pending::CompleteInline(target, std::move(answer), origin);
  return true;
}

cs_status StartRead(cs_store* store, ReadOperation op, const Target& target) noexcept {
  if (target.call && AnsweredInline(store, op, target)) return CS_OK;
  return Start(store, op, target);
}

}  // namespace
}  // namespace chainstore

using chainstore::Read;
using chainstore::Start;
using chainstore::StartRead;

extern "C" {

cs_status cs_get(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                 cs_done done, void* user_data) {
  return StartRead(store, {"get", Read::Whole(), key, key_size}, {call, done, user_data});
}

cs_status cs_get_range(cs_store* store, const void* key, size_t key_size, uint64_t offset,
                       uint64_t length, const cs_call* call, cs_done done, void* user_data) {
  return StartRead(store, {"get_range", Read::Range(offset, length), key, key_size},
                   {call, done, user_data});
}

cs_status cs_stat(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                  cs_done done, void* user_data) {
  return StartRead(store, {"stat", Read::Stat(), key, key_size}, {call, done, user_data});
}

cs_status cs_get_many(cs_store* store, const void* keys, const uint32_t* key_sizes, size_t count,
                      const cs_call* call, cs_done done, void* user_data) {
  return Start(store, chainstore::GetManyOperation(keys, key_sizes, count),
               {call, done, user_data});
}

cs_status cs_put(cs_store* store, const void* key, size_t key_size, const void* data, size_t size,
                 const cs_call* call, cs_done done, void* user_data) {
  return Start(store, chainstore::PutOperation(key, key_size, data, size), {call, done, user_data});
}

cs_status cs_put_value(cs_store* store, const void* key, size_t key_size, cs_value* value,
                       const cs_call* call, cs_done done, void* user_data) {
  return Start(store, chainstore::PutValueOperation(key, key_size, value), {call, done, user_data});
}

cs_status cs_del(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                 cs_done done, void* user_data) {
  return Start(store, chainstore::DelOperation(key, key_size), {call, done, user_data});
}

cs_status cs_write(cs_store* store, cs_batch* batch, const cs_call* call, cs_done done,
                   void* user_data) {
  return Start(store, chainstore::WriteOperation(batch), {call, done, user_data});
}

cs_status cs_flush(cs_store* store, const void* prefix, size_t prefix_size, const cs_call* call,
                   cs_done done, void* user_data) {
  return Start(store, chainstore::FlushOperation(prefix, prefix_size), {call, done, user_data});
}

cs_status cs_store_close(cs_store* store, const cs_call* call, cs_done done, void* user_data) {
  if (!store) return CS_INVALID;
  // A close that is given up takes the calls that it waited for with it.
  return Start(store, chainstore::CloseOperation(), {call, done, user_data},
               chainstore::Unwrap(store)->closing_token());
}

}  // extern "C"
