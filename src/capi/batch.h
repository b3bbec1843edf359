// cs_batch: a Batch under construction.
// Thread safety: one thread at a time.
#pragma once

#include "capi/call.h"
#include "core/request.h"

namespace chainstore {

// Operations of a batch, keys of a get_many: what one call may bring.
inline constexpr size_t kMaxEntries = size_t{1} << 20;

}  // namespace chainstore

struct cs_batch {
 public:
  // What was built, which may be null; the builder is empty then.
  chainstore::Ref<chainstore::Batch> Take() noexcept { return std::move(batch_); }
  // `add(batch, key)` adds the op. Throws std::bad_alloc.
  template <class Adding>
  cs_status Add(const void* key, size_t key_size, Adding&& add) {
    if (chainstore::CheckKey(key, key_size)) return CS_INVALID;
    if (!batch_) batch_ = chainstore::MakeRef<chainstore::Batch>();
    if (batch_->ops.size() >= chainstore::kMaxEntries) return CS_TOO_LARGE;
    add(*batch_, chainstore::Key(chainstore::BytesAt(key, key_size)));
    return CS_OK;
  }

 private:
  chainstore::Ref<chainstore::Batch> batch_;
};
