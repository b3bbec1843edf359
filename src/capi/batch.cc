#include "capi/batch.h"

#include "capi/call.h"
#include "capi/guard.h"

using chainstore::Batch;
using chainstore::Guard;
using chainstore::Ref;
using chainstore::Value;

cs_status cs_batch::Add(const void* key, size_t key_size, Ref<Value> value) {
  if (chainstore::CheckKey(key, key_size)) return CS_INVALID;
  if (!batch_) batch_ = chainstore::MakeRef<Batch>();
  if (batch_->ops.size() >= chainstore::kMaxEntries) return CS_TOO_LARGE;
  chainstore::OwnedKey owned{chainstore::Key(chainstore::BytesAt(key, key_size))};
  batch_->ops.push_back({std::move(owned), std::move(value), 0});
  return CS_OK;
}

extern "C" {

cs_batch* cs_batch_new(void) { return new (std::nothrow) cs_batch; }

void cs_batch_free(cs_batch* batch) { delete batch; }

cs_status cs_batch_put(cs_batch* batch, const void* key, size_t key_size, const void* data,
                       size_t size) {
  return Guard([&]() -> cs_status {
    if (!batch || chainstore::CheckData(data, size)) return CS_INVALID;
    return batch->Add(key, key_size, Value::Copy(chainstore::BytesAt(data, size)));
  });
}

cs_status cs_batch_put_value(cs_batch* batch, const void* key, size_t key_size, cs_value* value) {
  return Guard([&]() -> cs_status {
    if (!batch || !value) return CS_INVALID;
    return batch->Add(key, key_size, Ref<Value>(chainstore::Unwrap(value)));
  });
}

cs_status cs_batch_del(cs_batch* batch, const void* key, size_t key_size) {
  return Guard([&]() -> cs_status {
    if (!batch) return CS_INVALID;
    return batch->Add(key, key_size, nullptr);
  });
}

}  // extern "C"
