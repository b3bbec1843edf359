#include "core/batch.h"

#include <algorithm>
#include <cstring>

namespace chainstore {

OpKey::OpKey(const Key& key)
    : hash_(key.hash), own_(std::make_unique_for_overwrite<char[]>(key.bytes.size())) {
  memcpy(own_.get(), key.bytes.data(), key.bytes.size());
  bytes_ = Bytes(own_.get(), key.bytes.size());
}

char* Batch::Take(size_t size) {
  if (size > free_size_ || !free_) {
    constexpr size_t kLargestChunk = size_t{64} << 10;
    chunk_size_ = std::min(2 * chunk_size_, kLargestChunk);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_size_));
    free_ = chunks_.back().get();
    free_size_ = chunk_size_;
  }
  free_size_ -= size;
  return std::exchange(free_, free_ + size);
}

Batch::Op& Batch::AddKey(const Key& key) {
  char* const at = Take(key.bytes.size());
  memcpy(at, key.bytes.data(), key.bytes.size());
  const Bytes bytes(at, key.bytes.size());
  return ops.emplace_back(Op{OpKey(bytes, key.hash, OpKey::InArena()), {}, 0});
}

void Batch::AddPut(const Key& key, Bytes value, int64_t expires_at_ms) {
  OpValue kept;
  if (value.size() > kMaxArenaValue) {
    kept = OpValue(Value::Copy(value));
  } else {
    char* const at = Take(value.size());
    if (!value.empty()) memcpy(at, value.data(), value.size());
    kept.bytes_ = Bytes(at, value.size());
  }
  Op& op = AddKey(key);
  op.value = std::move(kept);
  op.expires_at_ms = expires_at_ms;
}

void Batch::Add(const Op& op) {
  if (op.value && !op.value.shared()) return AddPut(op.key, op.value.bytes(), op.expires_at_ms);
  OpValue value(op.value.shared());
  Op& added = AddKey(op.key);
  added.value = std::move(value);
  added.expires_at_ms = op.expires_at_ms;
}

}  // namespace chainstore
