// Scheme: one row of the table of everything that can be made: its name in the text form, its
// constructor's arguments and options, and how it is made. Parser, printer, opener, the command's
// help and the README's table are all made from it. A new store or manager is one row in scheme.cc.
// Thread safety: constant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/option.h"
#include "core/store.h"

namespace chainstore::text {

struct Scheme {
  // How its arguments are written.
  enum class Form : uint8_t {
    kPlain,    // memory:
    kPath,     // file:/dir, where /dir is the first argument
    kBucket,   // s3://bucket/prefix: the first argument, then the option `prefix`
    kManager,  // lru(500MB, STORE): arguments in order, options by name, a store last
    kChain,    // a > b, or with options chain(fill=off, a > b)
  };
  // What a store is made from: every argument in the table's order (an absent one is empty), the
  // options that were given, and the stores that it wraps.
  struct Parts {
    std::vector<std::string> arguments;
    Options options;
    std::vector<Ref<Store>> inner;
  };

  const char* name;
  Form form;
  const char* constructor;  // in chainstore.h
  const char* help;         // one line, without a full stop
  std::span<const OptionSpec> arguments;
  std::span<const OptionSpec> options;
  Result<Ref<Store>> (*make)(const Parts& parts);  // null: not in this build
  // Options that it passes on to what it makes itself.
  std::span<const OptionSpec> passed_on = {};

  bool is_store() const noexcept { return form < Form::kManager; }
  // Null: there is no such argument or option.
  const OptionSpec* Find(std::string_view option) const noexcept;
};

std::span<const Scheme> Schemes();
// Null: there is none of this name.
const Scheme* FindScheme(std::string_view name);

// What values of this type look like: "size"; of a choice its words.
std::string FormOf(const OptionSpec& spec);

// The table as lines of seven fields with tabs between them:
//   store | manager | chain   NAME  CONSTRUCTOR  in this build: yes | no  how it is written  - HELP
//   argument | option         NAME of its scheme  NAME  FORM  DEFAULT  required | optional  HELP
std::string SchemeTable();

}  // namespace chainstore::text
