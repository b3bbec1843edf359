// The text form: what is accepted is opened (with stores that do nothing), described, and opened
// again; the description must be the same. What is refused says where.
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "text/opener.h"
#include "text/printer.h"

namespace {

using namespace chainstore;        // NOLINT
using namespace chainstore::text;  // NOLINT

void Require(bool holds) {
  if (!holds) abort();
}

class Nothing final : public Store {
 public:
  explicit Nothing(std::vector<Ref<Store>> inner)
      : Store("nothing", RuntimeSlot::Default().Acquire()), inner_(std::move(inner)) {
    for (const Ref<Store>& each : inner_) Adopt(*each);
  }
  uint32_t caps() const noexcept override { return 0; }
  Limits limits() const noexcept override { return {}; }
  Store* inner(size_t index) const noexcept override {
    return index < inner_.size() ? inner_[index].get() : nullptr;
  }
  void Get(const Key&, const Read&, const Call&, Done<Answer> done) noexcept override {
    done(Answer(Code::kNotFound));
  }
  void Put(const Key&, const Payload&, const Call&, Done<Receipt> done) noexcept override {
    done(Receipt());
  }
  void Del(const Key&, const Call&, Done<Receipt> done) noexcept override { done(Receipt()); }

 private:
  const std::vector<Ref<Store>> inner_;
};

// The row's store, with what it was made of and nothing else.
template <size_t kRow>
Result<Ref<Store>> Make(const Scheme::Parts& parts) {
  const Scheme& scheme = Schemes()[kRow];
  std::vector<Recipe::Value> arguments;
  for (size_t at = 0; at < scheme.arguments.size(); ++at) {
    arguments.push_back({scheme.arguments[at].name, parts.arguments[at]});
  }
  Options own;
  for (const OptionSpec& spec : scheme.options) {
    const auto given = parts.options.values.find(std::string_view(spec.name));
    if (given != parts.options.values.end()) own.values.insert(*given);
  }
  Ref<Store> store = MakeRef<Nothing>(parts.inner);
  store->SetRecipe({scheme.name, std::move(arguments), scheme.options, &own});
  return store;
}

constexpr size_t kMostRows = 16;

template <size_t... kRows>
std::vector<Scheme> RowsThatDoNothing(std::index_sequence<kRows...>) {
  constexpr std::array<Result<Ref<Store>> (*)(const Scheme::Parts&), kMostRows> kMakes = {
      &Make<kRows>...};
  std::vector<Scheme> rows(Schemes().begin(), Schemes().end());
  Require(rows.size() <= kMostRows);
  for (size_t row = 0; row < rows.size(); ++row) rows[row].make = kMakes[row];
  return rows;
}

const char* OneVariable(const char* name) {
  return std::string_view(name) == "A" ? "value > of, it" : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Scheme> rows = RowsThatDoNothing(std::make_index_sequence<kMostRows>());
  const Dialect dialect{rows, &OneVariable};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto opened = Open(text, nullptr, dialect);
  if (!opened.ok()) {
    Require(opened.status().Is(Code::kInvalid));
    Require(opened.status().error()->message().starts_with("column ") || size > kMaxTextSize);
    return 0;
  }
  const std::string described = Describe(**opened, rows);
  const auto again = Open(described, nullptr, dialect);
  if (described.size() <= kMaxTextSize) {
    Require(again.ok());
    Require(Describe(**again, rows) == described);
  }
  return 0;
}
