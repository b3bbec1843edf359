#include "text/printer.h"

#include "text/escape.h"

namespace chainstore::text {
namespace {

using Form = Scheme::Form;

class Printer {
 public:
  explicit Printer(std::span<const Scheme> schemes) : schemes_(schemes) {}

  // `as_link`: it stands between '>', where a chain needs parentheses.
  std::string Print(const Store& store, bool as_link) const {
    const Recipe recipe = store.recipe();
    const Scheme* const scheme = Find(recipe.kind);
    if (!scheme) return PrintCustom(store);
    switch (scheme->form) {
      case Form::kManager:
        return PrintManager(*scheme, recipe, store);
      case Form::kChain:
        return PrintChain(*scheme, recipe, store, as_link);
      default:
        return PrintStore(*scheme, recipe);
    }
  }

 private:
  const Scheme* Find(std::string_view name) const {
    for (const Scheme& scheme : schemes_) {
      if (name == scheme.name) return &scheme;
    }
    return nullptr;
  }

  static std::string Shown(const OptionSpec& spec, const Recipe::Value& value, Place place) {
    if (value.written) return value.text;
    const bool secret = spec.type == OptionSpec::Type::kSecret && !value.text.empty();
    if (secret || value.text == Recipe::kMasked) return std::string(Recipe::kMasked);
    return Escape(CanonicalOption(spec, value.text), place);
  }
  // "name=value", or nothing if the recipe has none, or an empty one, which is the default.
  static std::string Named(const OptionSpec& spec, const Recipe& recipe) {
    const Recipe::Value* const value = recipe.Find(spec.name);
    if (!value || (value->text.empty() && *spec.default_text == '\0')) return "";
    return std::string(spec.name) + "=" + Shown(spec, *value, Place::kValue);
  }
  static void Append(std::string* out, const std::string& item, const char* divider) {
    if (item.empty()) return;
    if (!out->empty()) *out += divider;
    *out += item;
  }

  static std::string PrintStore(const Scheme& scheme, const Recipe& recipe) {
    std::string out = std::string(scheme.name) + ":";
    std::string_view in_rest;  // an option that the rest has shown
    if (scheme.form != Form::kPlain) {
      const OptionSpec& first = scheme.arguments[0];
      const Recipe::Value* const value = recipe.Find(first.name);
      if (scheme.form == Form::kBucket) out += "//";
      if (value) {
        out += Shown(first, *value, scheme.form == Form::kBucket ? Place::kValue : Place::kPath);
      }
      if (scheme.form == Form::kBucket) {
        in_rest = "prefix";
        const Recipe::Value* const prefix = recipe.Find(in_rest);
        if (prefix && !prefix->text.empty()) {
          out += "/" + Shown(*scheme.Find(in_rest), *prefix, Place::kPath);
        }
      }
    }
    std::string options;
    const size_t shown = scheme.form == Form::kPlain ? 0 : 1;
    for (const OptionSpec& spec : scheme.arguments.subspan(shown)) {
      Append(&options, Named(spec, recipe), "&");
    }
    for (const OptionSpec& spec : scheme.options) {
      if (in_rest != spec.name) Append(&options, Named(spec, recipe), "&");
    }
    return options.empty() ? out : out + "?" + options;
  }

  // Of a program's own: its name, and what it wraps.
  std::string PrintCustom(const Store& store) const {
    const std::string out = "custom:" + Escape(store.name(), Place::kPath);
    std::string items;
    size_t count = 0;
    for (; const Store* inner = store.inner(count); ++count) {
      Append(&items, Print(*inner, false), ", ");
    }
    return count == 0 ? out : out + "(" + items + ")";
  }

  std::string PrintManager(const Scheme& scheme, const Recipe& recipe, const Store& store) const {
    std::string items;
    for (const OptionSpec& spec : scheme.arguments) {
      const Recipe::Value* const value = recipe.Find(spec.name);
      if (value) Append(&items, Shown(spec, *value, Place::kValue), ", ");
    }
    for (const OptionSpec& spec : scheme.options) Append(&items, Named(spec, recipe), ", ");
    const Store* const inner = store.inner(0);
    if (inner) Append(&items, Print(*inner, false), ", ");
    return std::string(scheme.name) + "(" + items + ")";
  }

  std::string PrintChain(const Scheme& scheme, const Recipe& recipe, const Store& store,
                         bool as_link) const {
    std::string links;
    size_t count = 0;
    for (; const Store* link = store.inner(count); ++count)
      Append(&links, Print(*link, true), " > ");
    bool plain = count > 1;
    std::string items;
    for (const OptionSpec& spec : scheme.options) {
      const Recipe::Value* const value = recipe.Find(spec.name);
      plain = plain && value && !value->written && value->text == spec.default_text;
      Append(&items, Named(spec, recipe), ", ");
    }
    if (!plain) return std::string(scheme.name) + "(" + items + ", " + links + ")";
    return as_link ? "(" + links + ")" : links;
  }

  const std::span<const Scheme> schemes_;
};

}  // namespace

std::string Describe(const Store& store, std::span<const Scheme> schemes) {
  return Printer(schemes).Print(store, false);
}

}  // namespace chainstore::text
