// Recipe: what a store was made with, by name: enough to make it again. The text form prints it.
// Thread safety: a plain value. A store's own is behind Store::recipe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/option.h"

namespace chainstore {

struct Recipe {
  struct Value {
    std::string name;
    std::string text;
    // `text` is how it was written, with ${NAME} in it: shown as it is, so that what the
    // environment held is never printed.
    bool written = false;
  };
  std::string kind;           // its name in the text form: "lru"; empty: text cannot make it
  std::vector<Value> values;  // arguments and options

  // What stands for something that text cannot carry: a function, a secret.
  static constexpr std::string_view kMasked = "***";

  Recipe() = default;
  // With every option of `specs`, as `options` (may be null, has been checked) gives it or its
  // default.
  Recipe(std::string kind, std::vector<Value> arguments, std::span<const OptionSpec> specs,
         const Options* options);
  const Value* Find(std::string_view name) const noexcept;
  void Note(Value value);  // replaces the one of this name
};

}  // namespace chainstore
