// What operations ask: Read (which part of an entry), Payload (what is put), Range (a scan); a
// Batch has a file of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "core/batch.h"
#include "core/value.h"

namespace chainstore {

// get, get_range and stat are one operation with three sizes: a layer overrides one function.
struct Read {
  enum class What : uint8_t { kWhole, kRange, kStat };
  What what = What::kWhole;
  uint64_t offset = 0;  // kRange: past the end is cut
  uint64_t length = UINT64_MAX;

  static Read Whole() { return {}; }
  static Read Stat() { return {What::kStat, 0, 0}; }
  static Read Range(uint64_t offset, uint64_t length) { return {What::kRange, offset, length}; }
  friend bool operator==(const Read&, const Read&) = default;

  // The part of `total` bytes that is asked for.
  size_t Offset(size_t total) const noexcept {
    return offset < total ? static_cast<size_t>(offset) : total;
  }
  size_t Length(size_t total) const noexcept {
    const size_t left = total - Offset(total);
    return length < left ? static_cast<size_t>(length) : left;
  }
};

// What is put. `bytes` are borrowed and valid only until Put returns: a store that keeps or defers
// them calls Share first, which copies only if nobody has yet.
class Payload {
 public:
  explicit Payload(Bytes bytes, int64_t expires_at_ms = 0)
      : bytes_(bytes), expires_at_ms_(expires_at_ms) {}
  explicit Payload(const OpValue& value, int64_t expires_at_ms = 0)
      : bytes_(value.bytes()), expires_at_ms_(expires_at_ms), value_(value.shared()) {}
  explicit Payload(Ref<Value> value, int64_t expires_at_ms = 0)
      : bytes_(value->bytes()), expires_at_ms_(expires_at_ms), value_(std::move(value)) {}

  Bytes bytes() const noexcept { return bytes_; }
  size_t size() const noexcept { return bytes_.size(); }
  int64_t expires_at_ms() const noexcept { return expires_at_ms_; }  // Unix time; 0: never
  const Ref<Value>& value() const noexcept { return value_; }        // null: only borrowed
  // A value with these bytes; throws std::bad_alloc.
  Ref<Value> Share() const { return value_ ? value_ : Value::Copy(bytes_); }

 private:
  Bytes bytes_;
  int64_t expires_at_ms_;
  Ref<Value> value_;
};

// Which keys a page of a scan covers. Keys in the order of their bytes (memcmp).
struct Range {
  std::string prefix;
  std::string start;  // inclusive; empty: from the first key of the prefix
  std::string end;    // exclusive; empty: no end, also in reverse (which begins below it)
  bool has_end = false;
  bool reverse = false;
  bool keys_only = false;  // entries without values; meta is filled in
  uint32_t page_size = 0;  // entries; 0: kDefaultPageSize
  // The page goes on beyond this key (below it in reverse); has_after is false on the first page.
  std::string after;
  bool has_after = false;

  static constexpr uint32_t kDefaultPageSize = 256;
  static constexpr uint32_t kMaxPageSize = 65536;
  // A page ends early once its values reach this: 8 MiB bounds what one page holds in memory.
  static constexpr size_t kMaxPageBytes = size_t{8} << 20;

  uint32_t Limit() const noexcept { return page_size ? page_size : kDefaultPageSize; }
  // Whether `key` belongs to this page's rest: prefix, start, end and after.
  bool Contains(Bytes key) const noexcept;
  // The smallest key that a forward page may hold (inclusive, unless equal to `after`).
  Bytes First() const noexcept;
  // The smallest key beyond a reverse page's rest (exclusive). Empty: none.
  std::string Beyond() const;
};

// The smallest string greater than every string with this prefix; empty if there is none.
std::string PrefixEnd(Bytes prefix);

}  // namespace chainstore
