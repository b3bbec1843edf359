#include "core/recipe.h"

namespace chainstore {

Recipe::Recipe(std::string kind, std::vector<Value> arguments, std::span<const OptionSpec> specs,
               const Options* options)
    : kind(std::move(kind)), values(std::move(arguments)) {
  const Result<OptionValues> checked = OptionValues::Parse(this->kind, specs, options);
  if (!checked.ok()) return;
  for (auto& [name, text] : checked->Named()) values.push_back({std::move(name), std::move(text)});
}

const Recipe::Value* Recipe::Find(std::string_view name) const noexcept {
  for (const Value& value : values) {
    if (value.name == name) return &value;
  }
  return nullptr;
}

void Recipe::Note(Value value) {
  for (Value& known : values) {
    if (known.name != value.name) continue;
    known = std::move(value);
    return;
  }
  values.push_back(std::move(value));
}

}  // namespace chainstore
