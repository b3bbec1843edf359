// The functions that wait, and those that never do.
#include <cstring>

#include "capi/operations.h"
#include "capi/waiting.h"
#include "core/await.h"

namespace chainstore {
namespace {

// The one operation that may end on another thread: it waits for the calls of others.
struct AwaitedClose : CloseOperation {
  void Begin(Store& store, const Call& call, Done<Status> done) noexcept {
    Status ended;
    const Code waited =
        Await<Status>(call, &ended, [&](Done<Status> then) { store.Close(call, std::move(then)); });
    if (waited == Code::kOk) return done(std::move(ended));
    store.closing_token()->Fire();  // given up: what it waited for ends too
    done(Status(waited));
  }
};

// Most gets are hits of plain calls. False: *result is as it was, and RunHere tells why.
bool FillHit(cs_store* store, const void* key, size_t key_size, const cs_call* call,
             cs_result* result) noexcept {
  if (!result || CheckKey(key, key_size) || !IsPlain(store, call)) return false;
  Hit hit;
  if (!TakeHit(*Unwrap(store), key, key_size, &hit)) return false;
  result->user_data = nullptr;
  FillResult(result, std::move(hit), Origin{Unwrap(store), "get"});
  return true;
}

cs_status WaitRead(cs_store* store, ReadOperation&& op, const cs_call* call, cs_result* result,
                   Wait wait = Wait::kHere) noexcept {
  return result ? RunHere(store, std::move(op), call, result, wait) : CS_INVALID;
}

cs_status WaitGet(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                  cs_result* result, Wait wait = Wait::kHere) noexcept {
  if (FillHit(store, key, key_size, call, result)) [[likely]]
    return CS_OK;
  return WaitRead(store, {"get", Read::Whole(), key, key_size}, call, result, wait);
}

}  // namespace
}  // namespace chainstore

using chainstore::Read;
using chainstore::Unwrap;
using chainstore::WaitGet;
using chainstore::WaitRead;

extern "C" {

cs_status cs_get_sync(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                      cs_result* result) {
  return WaitGet(store, key, key_size, call, result);
}

cs_status cs_get_range_sync(cs_store* store, const void* key, size_t key_size, uint64_t offset,
                            uint64_t length, const cs_call* call, cs_result* result) {
  return WaitRead(store, {"get_range", Read::Range(offset, length), key, key_size}, call, result);
}

cs_status cs_stat_sync(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                       cs_result* result) {
  return WaitRead(store, {"stat", Read::Stat(), key, key_size}, call, result);
}

cs_status cs_get_many_sync(cs_store* store, const void* keys, const uint32_t* key_sizes,
                           size_t count, const cs_call* call, cs_result* result) {
  if (!result) return CS_INVALID;
  return RunHere(store, chainstore::GetManyOperation(keys, key_sizes, count), call, result);
}

cs_status cs_put_sync(cs_store* store, const void* key, size_t key_size, const void* data,
                      size_t size, const cs_call* call, cs_result* result) {
  return RunHere(store, chainstore::PutOperation(key, key_size, data, size), call, result);
}

cs_status cs_put_value_sync(cs_store* store, const void* key, size_t key_size, cs_value* value,
                            const cs_call* call, cs_result* result) {
  return RunHere(store, chainstore::PutValueOperation(key, key_size, value), call, result);
}

cs_status cs_del_sync(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                      cs_result* result) {
  return RunHere(store, chainstore::DelOperation(key, key_size), call, result);
}

cs_status cs_write_sync(cs_store* store, cs_batch* batch, const cs_call* call, cs_result* result) {
  return RunHere(store, chainstore::WriteOperation(batch), call, result);
}

cs_status cs_flush_sync(cs_store* store, const void* prefix, size_t prefix_size,
                        const cs_call* call, cs_result* result) {
  return RunHere(store, chainstore::FlushOperation(prefix, prefix_size), call, result);
}

cs_status cs_store_close_sync(cs_store* store, const cs_call* call, cs_result* result) {
  return RunHere(store, chainstore::AwaitedClose(), call, result);
}

cs_status cs_get_try(cs_store* store, const void* key, size_t key_size, cs_result* result) {
  return WaitGet(store, key, key_size, nullptr, result, chainstore::Wait::kNever);
}

cs_status cs_get_into(cs_store* store, const void* key, size_t key_size, const cs_call* call,
                      void* buffer, size_t capacity, size_t* size, cs_error** error) {
  if (size) *size = 0;
  if (!size || (!buffer && capacity != 0)) {
    chainstore::SetError(error, chainstore::Invalid(store ? Unwrap(store) : nullptr, "get_into",
                                                    size ? "the buffer is NULL, its capacity is "
                                                           "not 0"
                                                         : "size is NULL"));
    return CS_INVALID;
  }
  cs_result result;
  cs_status status = WaitGet(store, key, key_size, call, &result);
  if (status == CS_OK) {
    *size = result.size;
    if (result.size > capacity) {
      status = CS_TOO_SMALL;
    } else if (result.size != 0) {
      memcpy(buffer, result.data, result.size);
    }
  } else if (error && result.error) {
    *error = cs_error_ref(result.error);
  }
  cs_result_release(&result);
  return status;
}

}  // extern "C"
