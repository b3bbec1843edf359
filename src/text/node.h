// Node: a store, manager or chain as it stands in a text, before it is opened.
// Thread safety: a plain value.
#pragma once

#include <string>
#include <vector>

#include "text/scheme.h"

namespace chainstore::text {

struct Node {
  struct Value {
    const OptionSpec* spec = nullptr;
    std::string text;     // decoded, with what the environment held
    std::string written;  // as it stands in the text; empty: there was no ${NAME} in it
    size_t column = 0;
  };
  const Scheme* scheme = nullptr;
  size_t column = 0;
  std::vector<Value> values;
  std::vector<Node> inner;

  // Null: not given.
  const Value* Find(std::string_view name) const noexcept {
    for (const Value& value : values) {
      if (value.spec->name == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace chainstore::text
