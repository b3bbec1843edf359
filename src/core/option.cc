#include "core/option.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "core/store.h"

namespace chainstore {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr Unit kSizeUnits[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", uint64_t{1} << 10},
    {"MiB", uint64_t{1} << 20},
    {"GiB", uint64_t{1} << 30},
    {"TiB", uint64_t{1} << 40},
};
constexpr Unit kDurationUnits[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr Unit kCountUnits[] = {{"", 1}};

Result<uint64_t> ParseUnits(std::string_view text, std::span<const Unit> units,
                            const char* example) {
  const std::string shown = "'" + std::string(text.substr(0, 64)) + "'";
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = end != text.data();
  if (digits && error == std::errc::result_out_of_range) {
    return Failure(Code::kInvalid, shown + " is too large");
  }
  const std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (!digits || rest != unit.name) continue;
    uint64_t product;
    if (__builtin_mul_overflow(number, unit.factor, &product)) {
      return Failure(Code::kInvalid, shown + " is too large");
    }
    return product;
  }
  return Failure(Code::kInvalid, shown + " is not " + example);
}

// How many letters to insert, delete, change, or swap with their neighbour (Damerau 1964, in the
// form that touches no letter twice): the slips of a hand.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] != b[j - 1]), last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

bool HasChoice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    choices = bar == std::string_view::npos ? "" : choices.substr(bar + 1);
  }
  return false;
}

Status UnknownOption(std::string_view store, std::string_view name,
                     std::span<const OptionSpec> specs) {
  std::string message = "unknown option '" + std::string(name.substr(0, 64)) + "'";
  if (specs.empty()) return Failure(Code::kInvalid, message + "; there are none").Store(store);
  std::vector<std::string_view> known;
  for (const OptionSpec& spec : specs) known.push_back(spec.name);
  const std::string_view near = NearestName(name, known);
  if (!near.empty()) message += "; did you mean '" + std::string(near) + "'?";
  message += " known:";
  for (const std::string_view each : known) message += " " + std::string(each);
  return Failure(Code::kInvalid, message).Store(store);
}

}  // namespace

Result<uint64_t> ParseSize(std::string_view text) {
  return ParseUnits(text, kSizeUnits, "a size, such as 512, 64KiB, 500MB or 10GiB");
}

Result<uint64_t> ParseDurationMs(std::string_view text) {
  return ParseUnits(text, kDurationUnits, "a duration with a unit, such as 250ms, 2s, 5m or 1h");
}

Result<uint64_t> ParseCount(std::string_view text) {
  return ParseUnits(text, kCountUnits, "a whole number");
}

std::string FormatSize(uint64_t bytes) {
  // Without "B", and the binary units before the others: 1000KiB, not 1024KB.
  static constexpr Unit kShown[] = {
      kSizeUnits[0], kSizeUnits[2], kSizeUnits[3], kSizeUnits[4], kSizeUnits[5],
      kSizeUnits[6], kSizeUnits[7], kSizeUnits[8], kSizeUnits[9],
  };
  std::string best = std::to_string(bytes);
  uint64_t largest = 1;
  for (const Unit& unit : kShown) {
    // The largest unit of those that are exact; a binary one counts as larger than its namesake.
    if (bytes == 0 || bytes % unit.factor != 0 || unit.factor < largest) continue;
    largest = unit.factor;
    best = std::to_string(bytes / unit.factor) + std::string(unit.name);
  }
  return best;
}

std::string FormatDuration(uint64_t milliseconds) {
  std::string best = "0ms";
  for (const Unit& unit : kDurationUnits) {
    if (milliseconds != 0 && milliseconds % unit.factor == 0) {
      best = std::to_string(milliseconds / unit.factor) + std::string(unit.name);
    }
  }
  return best;
}

std::string CanonicalOption(const OptionSpec& spec, std::string_view text) {
  using Type = OptionSpec::Type;
  uint64_t number = 0;
  if (!ParseOption(spec, text, &number).ok()) return std::string(text);
  switch (spec.type) {
    case Type::kSize:
      return FormatSize(number);
    case Type::kDuration:
      return FormatDuration(number);
    case Type::kCount:
      return std::to_string(number);
    case Type::kPercent:
      return std::to_string(number) + "%";
    default:
      return std::string(text);
  }
}

std::string_view NearestName(std::string_view name, std::span<const std::string_view> known) {
  std::string_view best;
  // Half of the letters wrong is another word, not a slip.
  size_t best_distance = std::max<size_t>(1, name.size() / 2) + 1;
  for (const std::string_view each : known) {
    const size_t distance = EditDistance(name.substr(0, 64), each);
    if (distance < best_distance) {
      best = each;
      best_distance = distance;
    }
  }
  return best;
}

Ref<Runtime> RuntimeFor(const Options* options, const Store* inner) {
  if (options && options->runtime) return options->runtime->Acquire();
  return inner ? inner->runtime_ref() : RuntimeSlot::Default().Acquire();
}

Status ParseOption(const OptionSpec& spec, std::string_view text, uint64_t* number) {
  using Type = OptionSpec::Type;
  *number = 0;
  const auto take = [number](Result<uint64_t> parsed) -> Status {
    if (!parsed.ok()) return parsed.status();
    *number = *parsed;
    return Code::kOk;
  };
  switch (spec.type) {
    case Type::kText:
    case Type::kSecret:
      return Code::kOk;
    case Type::kSize:
      return take(ParseSize(text));
    case Type::kDuration:
      return take(ParseDurationMs(text));
    case Type::kCount:
      return take(ParseCount(text));
    case Type::kFlag:
      *number = text == "true";
      if (text == "true" || text == "false") return Code::kOk;
      return Failure(Code::kInvalid,
                     "'" + std::string(text.substr(0, 64)) + "' is neither true nor false");
    case Type::kPercent: {
      if (text.ends_with('%')) text.remove_suffix(1);
      const Status status = take(ParseCount(text));
      if (!status.ok() || *number <= 100) return status;
      return Failure(Code::kInvalid, "a percentage is at most 100");
    }
    case Type::kChoice:
      if (HasChoice(spec.choices, text)) return Code::kOk;
      return Failure(Code::kInvalid,
                     "'" + std::string(text.substr(0, 64)) + "' is not one of " + spec.choices);
  }
  return Code::kOk;
}

Result<OptionValues> OptionValues::Parse(std::string_view store, std::span<const OptionSpec> specs,
                                         const Options* options) {
  OptionValues out;
  for (const OptionSpec& spec : specs) {
    Parsed parsed{&spec, spec.default_text, 0, true};
    if (options) {
      const auto given = options->values.find(std::string_view(spec.name));
      if (given != options->values.end()) {
        parsed.text = given->second;
        parsed.is_default = false;
      }
    }
    const Status status = ParseOption(spec, parsed.text, &parsed.number);
    if (!status.ok()) {
      return Failure(Code::kInvalid,
                     "option '" + std::string(spec.name) + "': " + status.error()->message())
          .Store(store);
    }
    out.parsed_.push_back(std::move(parsed));
  }
  if (!options) return out;
  for (const auto& [name, value] : options->values) {
    const bool known =
        std::any_of(specs.begin(), specs.end(),
                    [&name = name](const OptionSpec& spec) { return name == spec.name; });
    if (!known) return UnknownOption(store, name, specs);
  }
  return out;
}

const OptionValues::Parsed& OptionValues::Find(std::string_view name) const {
  const auto found = std::find_if(parsed_.begin(), parsed_.end(),
                                  [name](const Parsed& each) { return name == each.spec->name; });
  assert(found != parsed_.end() && "an option that is not in the store's table");
  return *found;
}

const std::string& OptionValues::Text(std::string_view name) const { return Find(name).text; }
uint64_t OptionValues::Number(std::string_view name) const { return Find(name).number; }
bool OptionValues::Flag(std::string_view name) const { return Find(name).number != 0; }
std::vector<std::pair<std::string, std::string>> OptionValues::Named() const {
  std::vector<std::pair<std::string, std::string>> named;
  for (const Parsed& each : parsed_) {
    if (each.spec->fitted && each.is_default) continue;
    named.emplace_back(each.spec->name, each.text);
  }
  return named;
}
bool OptionValues::IsDefault(std::string_view name) const { return Find(name).is_default; }

}  // namespace chainstore
