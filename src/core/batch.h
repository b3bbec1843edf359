// Batch: puts and dels in order. Its builder copies keys and small values into one arena, so that
// an op costs no allocation; a copy of an op has bytes of its own.
// Thread safety: built by one thread; immutable once it is handed to a store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "core/value.h"

namespace chainstore {

// The key of an op: its own, or in the arena of its batch.
class OpKey {
 public:
  OpKey(const Key& key);                           // NOLINT: a copy of any key
  OpKey(const OwnedKey& key) : OpKey(Key(key)) {}  // NOLINT
  OpKey(const OpKey& other) : OpKey(Key(other)) {}
  OpKey(OpKey&&) noexcept = default;
  OpKey& operator=(OpKey&&) noexcept = default;
  Bytes bytes() const noexcept { return bytes_; }
  uint64_t hash() const noexcept { return hash_; }
  operator Key() const noexcept { return Key(bytes_, hash_); }  // NOLINT: it is a key

 private:
  friend struct Batch;
  struct InArena {};
  OpKey(Bytes bytes, uint64_t hash, InArena) noexcept : bytes_(bytes), hash_(hash) {}

  Bytes bytes_;
  uint64_t hash_;
  std::unique_ptr<char[]> own_;
};

// The value of an op: shared, or in the arena of its batch; or none, for a del. Read like the
// Ref<Value> that it may hold.
class OpValue {
 public:
  OpValue() = default;
  OpValue(std::nullptr_t) {}                               // NOLINT: a del
  OpValue(Ref<Value> value) : shared_(std::move(value)) {  // NOLINT
    if (shared_) bytes_ = shared_->bytes();
  }
  OpValue(const OpValue& other) : OpValue(other.Share()) {}
  OpValue(OpValue&&) noexcept = default;
  OpValue& operator=(OpValue&&) noexcept = default;
  explicit operator bool() const noexcept { return shared_ || bytes_.data(); }
  const OpValue* operator->() const noexcept { return this; }
  Bytes bytes() const noexcept { return bytes_; }
  size_t size() const noexcept { return bytes_.size(); }
  // Null: the bytes are the batch's.
  const Ref<Value>& shared() const noexcept { return shared_; }
  // Null for a del.
  Ref<Value> Share() const { return shared_ || !bytes_.data() ? shared_ : Value::Copy(bytes_); }

 private:
  friend struct Batch;
  Ref<Value> shared_;
  Bytes bytes_;
};

struct Batch : RefCounted<Batch> {
  struct Op {
    OpKey key;
    OpValue value;  // none: del
    int64_t expires_at_ms = 0;
  };
  std::vector<Op> ops;

  // These copy what they are given, and throw std::bad_alloc.
  void AddDel(const Key& key) { AddKey(key); }
  void AddPut(const Key& key, Bytes value, int64_t expires_at_ms = 0);
  void Add(const Op& op);

  // Above this a value gets memory of its own, which stores may keep as it is.
  static constexpr size_t kMaxArenaValue = 4096;

 private:
  Op& AddKey(const Key& key);
  char* Take(size_t size);

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;  // of the last chunk
  size_t free_size_ = 0;
  size_t chunk_size_ = size_t{2} << 10;
};

}  // namespace chainstore
