#include "capi/batch.h"

#include "capi/guard.h"

using chainstore::Batch;
using chainstore::Guard;
using chainstore::Key;
using chainstore::Ref;
using chainstore::Value;

extern "C" {

cs_batch* cs_batch_new(void) { return new (std::nothrow) cs_batch; }

void cs_batch_free(cs_batch* batch) { delete batch; }

cs_status cs_batch_put(cs_batch* batch, const void* key, size_t key_size, const void* data,
                       size_t size) {
  return Guard([&]() -> cs_status {
    if (!batch || chainstore::CheckData(data, size)) return CS_INVALID;
    return batch->Add(key, key_size, [&](Batch& to, const Key& key) {
      to.AddPut(key, chainstore::BytesAt(data, size));
    });
  });
}

cs_status cs_batch_put_value(cs_batch* batch, const void* key, size_t key_size, cs_value* value) {
  return Guard([&]() -> cs_status {
    if (!batch || !value) return CS_INVALID;
    return batch->Add(key, key_size, [&](Batch& to, const Key& key) {
      to.ops.push_back({key, Ref<Value>(chainstore::Unwrap(value)), 0});
    });
  });
}

cs_status cs_batch_del(cs_batch* batch, const void* key, size_t key_size) {
  return Guard([&]() -> cs_status {
    if (!batch) return CS_INVALID;
    return batch->Add(key, key_size, [](Batch& to, const Key& key) { to.AddDel(key); });
  });
}

}  // extern "C"
