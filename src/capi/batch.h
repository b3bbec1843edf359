// cs_batch: a Batch under construction.
// Thread safety: one thread at a time.
#pragma once

#include "capi/handles.h"
#include "core/request.h"

namespace chainstore {

// Operations of a batch, keys of a get_many: what one call may bring.
inline constexpr size_t kMaxEntries = size_t{1} << 20;

}  // namespace chainstore

struct cs_batch {
 public:
  // What was built, which may be null; the builder is empty then.
  chainstore::Ref<chainstore::Batch> Take() noexcept { return std::move(batch_); }
  // `value` null: a del. Throws std::bad_alloc.
  cs_status Add(const void* key, size_t key_size, chainstore::Ref<chainstore::Value> value);

 private:
  chainstore::Ref<chainstore::Batch> batch_;
};
