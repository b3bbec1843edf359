// ValueReader: one value of a text: percent-decoded, and with ${NAME} replaced.
// Thread safety: none needed; it lives on the parser's stack.
#pragma once

#include <string_view>

#include "text/node.h"

namespace chainstore::text {

class ValueReader {
 public:
  // Reads `text` from *at on, which moves with it.
  ValueReader(std::string_view text, const char* (*environment)(const char* name), size_t* at)
      : text_(text), environment_(environment), at_(at) {}

  // Up to one of `ends` (or the end): sets text, written and column.
  Status Read(std::string_view ends, Node::Value* value) const;

 private:
  Status ReadEscape(std::string_view ends, std::string* out) const;
  Status ReadVariable(std::string* out) const;

  const std::string_view text_;
  const char* (*const environment_)(const char* name);
  size_t* const at_;
};

// Of a name: letters, digits and '_', no digit first.
bool IsNamePart(char each, bool first) noexcept;

// The column, in characters from 1, of the byte at `at`.
size_t ColumnOf(std::string_view text, size_t at) noexcept;
// kInvalid, "column 5: what".
Status ErrorAt(size_t column, const std::string& what);

}  // namespace chainstore::text
