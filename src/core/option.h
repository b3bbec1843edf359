// Options: named strings from the caller (cs_options). OptionSpec: one row of a store's table of
// options: constructors, and later the text form, --help and the README, are all made from it.
// OptionValues: options checked against such a table, with its defaults filled in.
// Thread safety: Options is a builder, one thread at a time; OptionValues is immutable.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/runtime.h"

namespace chainstore {

struct Options {
  std::map<std::string, std::string, std::less<>> values;
  Ref<RuntimeSlot> runtime;  // null: the default one
};

struct OptionSpec {
  enum class Type : uint8_t {
    kText,
    kSecret,    // a text that is never shown
    kSize,      // bytes: 512, 64KiB, 500MB
    kDuration,  // milliseconds: 250ms, 2s, 5m, 1h
    kCount,     // a whole number
    kFlag,      // true or false
    kPercent,   // 0 to 100, "10%" or "10"
    kChoice,    // one of `choices`, which are separated by '|'
  };
  const char* name;
  Type type;
  const char* default_text;  // null: an argument that must be given
  const char* help;          // one line, without a full stop
  const char* choices = "";
  // The default is fitted to the machine: it is not the same as the same value given.
  bool fitted = false;
};

class Store;
// Where a new store runs: the runtime of the options, else that of the store it wraps (may be
// null), else the default one.
Ref<Runtime> RuntimeFor(const Options* options, const Store* inner = nullptr);

class OptionValues {
 public:
  // `options` may be null. An unknown name fails and lists the known ones, nearest first; a value
  // of the wrong form fails and says what it could be.
  static Result<OptionValues> Parse(std::string_view store, std::span<const OptionSpec> specs,
                                    const Options* options);

  const std::string& Text(std::string_view name) const;  // also kChoice
  uint64_t Number(std::string_view name) const;          // kSize, kDuration, kCount, kPercent
  bool Flag(std::string_view name) const;
  bool IsDefault(std::string_view name) const;
  // Every option with its text, in the table's order; without fitted defaults.
  std::vector<std::pair<std::string, std::string>> Named() const;

 private:
  struct Parsed {
    const OptionSpec* spec;
    std::string text;
    uint64_t number;
    bool is_default;
  };
  const Parsed& Find(std::string_view name) const;
  std::vector<Parsed> parsed_;
};

// One value by the rules of `spec`; `number` is set for all types but kText and kChoice.
Status ParseOption(const OptionSpec& spec, std::string_view text, uint64_t* number);

Result<uint64_t> ParseSize(std::string_view text);
Result<uint64_t> ParseDurationMs(std::string_view text);
Result<uint64_t> ParseCount(std::string_view text);

// The one way to write a value: 1048576 is 1MiB, 120000ms is 2m. What ParseOption would refuse
// stays as it is.
std::string CanonicalOption(const OptionSpec& spec, std::string_view text);
std::string FormatSize(uint64_t bytes);
std::string FormatDuration(uint64_t milliseconds);

// The known name that `name` was probably meant to be; empty: none is near.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> known);

}  // namespace chainstore
