// JsonValue: a small JSON document (RFC 8259), read strictly, as credentials come in one. Its texts
// are wiped when they go. Written by hand: the usual libraries leave copies of what they have read
// in freed memory.
// Thread safety: a value.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "stores/s3/secret.h"

namespace chainstore::s3 {

struct JsonValue {
  enum class Kind : uint8_t { kNull, kFlag, kNumber, kText, kList, kObject };
  Kind kind = Kind::kNull;
  std::string name;  // of a member of an object
  Secret text;       // of a text, decoded; of a number and a flag, as it is written
  std::vector<JsonValue> members;

  const JsonValue* Find(Bytes name) const noexcept;
  // The text of a member; empty: there is none, or it is no text.
  Bytes Text(Bytes name) const noexcept;
};

inline constexpr size_t kMaxJsonBytes = size_t{64} << 10;
inline constexpr int kMaxJsonDepth = 16;
inline constexpr size_t kMaxJsonValues = 1000;

// Null, and *why (never with a part of the text), if this is no document within the limits. A name
// that stands twice in one object is refused: readers disagree on which one counts.
std::unique_ptr<JsonValue> ParseJson(Bytes text, std::string* why);

}  // namespace chainstore::s3
