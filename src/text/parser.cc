#include "text/parser.h"

#include <cstdlib>

#include "text/escape.h"
#include "text/value_reader.h"

namespace chainstore::text {
namespace {

using Form = Scheme::Form;

// What ends the rest of a store, or a value: the signs of the text itself.
constexpr std::string_view kEndsRest = " \t\r\n>,()?";
constexpr std::string_view kEndsBucket = " \t\r\n>,()?/";
constexpr std::string_view kEndsStoreValue = " \t\r\n>,()&?";
constexpr std::string_view kEndsValue = " \t\r\n>,()";
// A chain has no more stores.
constexpr size_t kMaxLinks = 32;

class Parser {
 public:
  Parser(std::string_view text, const Dialect& dialect)
      : text_(text), dialect_(dialect), reader_(text, dialect.environment, &at_) {}

  Result<Node> Run() {
    Result<Node> root = ParseChain();
    if (!root.ok()) return root;
    if (!AtEnd()) return Unexpected("'>' and another store, or the end");
    return root;
  }

 private:
  // ---- Reading ----

  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  void SkipSpace() {
    while (!AtEnd() && std::string_view(" \t\r\n").find(Peek()) != std::string_view::npos) ++at_;
  }
  // With the space before it.
  bool Take(char sign) {
    SkipSpace();
    if (AtEnd() || Peek() != sign) return false;
    ++at_;
    return true;
  }
  std::string_view ReadName() {
    const size_t begin = at_;
    while (!AtEnd() && IsNamePart(Peek(), at_ == begin)) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  size_t Column(size_t at) const { return ColumnOf(text_, at); }
  Status Fail(size_t at, const std::string& what) const { return ErrorAt(Column(at), what); }
  Status Unexpected(const std::string& wanted) {
    SkipSpace();
    if (AtEnd()) return Fail(at_, "the text ends here; " + wanted + " could stand here");
    return Fail(
        at_, Quote(FirstCharacter(text_.substr(at_))) + " cannot stand here; " + wanted + " could");
  }

  // ---- Names ----

  const Scheme* Find(std::string_view name) const {
    for (const Scheme& scheme : dialect_.schemes) {
      if (name == scheme.name) return &scheme;
    }
    return nullptr;
  }
  std::vector<std::string_view> Names(bool stores) const {
    std::vector<std::string_view> names;
    for (const Scheme& scheme : dialect_.schemes) {
      if (scheme.is_store() == stores) names.push_back(scheme.name);
    }
    return names;
  }
  // "; did you mean 'lru'?", or the list of what there is.
  static std::string Suggest(std::string_view name, const std::vector<std::string_view>& known) {
    const std::string_view near = NearestName(name, known);
    if (!near.empty()) return "; did you mean " + Quote(near) + "?";
    std::string list = "; known:";
    for (const std::string_view each : known) list += " " + std::string(each);
    return list;
  }
  // A near name of the other kind is a better guess than a list of this one.
  std::string SuggestName(std::string_view name, bool store) const {
    const std::vector<std::string_view> known = Names(store);
    const std::vector<std::string_view> others = Names(!store);
    const bool other = NearestName(name, known).empty() && !NearestName(name, others).empty();
    return Suggest(name, other ? others : known);
  }
  std::string WhatCouldStand() const {
    std::string list = "a store (";
    for (const std::string_view name : Names(true)) list += std::string(name) + ": ";
    list.back() = ')';
    list += ", a manager (";
    for (const std::string_view name : Names(false)) list += std::string(name) + "( ";
    list.back() = ')';
    return list + " or '('";
  }
  Result<const Scheme*> FindStore(size_t at, std::string_view name) const {
    const Scheme* const scheme = Find(name);
    if (scheme && scheme->is_store()) return scheme;
    if (scheme) {
      return Fail(at, Quote(name) + " is a manager; write '" + std::string(name) + "(...)'");
    }
    if (name == "custom") {
      return Fail(at, "'custom:' is a store of a program's own; only cs_custom_new can make it");
    }
    return Fail(at, "unknown store " + Quote(name) + SuggestName(name, true));
  }
  Result<const Scheme*> FindManager(size_t at, std::string_view name) const {
    const Scheme* const scheme = Find(name);
    if (scheme && !scheme->is_store()) return scheme;
    if (scheme) return Fail(at, Quote(name) + " is a store; write '" + std::string(name) + ":'");
    return Fail(at, "unknown manager " + Quote(name) + SuggestName(name, false));
  }

  // ---- Values ----

  // Reads up to one of `ends`, checks it against `spec` and adds it to `node`.
  Status ReadValue(const OptionSpec& spec, std::string_view ends, Node* node) {
    Node::Value value{&spec, {}, {}, 0};
    if (Status status = reader_.Read(ends, &value); !status.ok()) return status;
    if (value.text == Recipe::kMasked) {
      return ErrorAt(value.column,
                     "'***' stands for a secret, or a function, that was not shown; "
                     "give a secret as ${NAME}");
    }
    uint64_t number = 0;
    if (Status status = ParseOption(spec, value.text, &number); !status.ok()) {
      const std::string why =
          value.written.empty()
              ? status.error()->message()
              : "what " + Quote(value.written) + " holds is not of the form " + FormOf(spec);
      return ErrorAt(value.column, std::string(spec.name) + ": " + why);
    }
    if (node->Find(spec.name)) {
      return ErrorAt(value.column, Quote(spec.name) + " is given twice");
    }
    node->values.push_back(std::move(value));
    return Code::kOk;
  }

  Status ReadNamed(size_t name_at, std::string_view name, std::string_view ends, Node* node) {
    const OptionSpec* const spec = node->scheme->Find(name);
    if (spec) return ReadValue(*spec, ends, node);
    std::vector<std::string_view> known;
    for (const auto specs : {node->scheme->arguments, node->scheme->options}) {
      for (const OptionSpec& each : specs) known.push_back(each.name);
    }
    return Fail(name_at, "unknown option " + Quote(name) + " of " + Quote(node->scheme->name) +
                             Suggest(name, known));
  }

  Status CheckComplete(const Node& node) const {
    for (const OptionSpec& argument : node.scheme->arguments) {
      if (argument.default_text) continue;
      const Node::Value* const value = node.Find(argument.name);
      if (value && !value->text.empty()) continue;
      return ErrorAt(value ? value->column : node.column,
                     Quote(node.scheme->name) + " needs " + argument.name + " (" +
                         FormOf(argument) + "): " + argument.help);
    }
    return Code::kOk;
  }

  // ---- The grammar ----

  Result<Node> ParseChain() {
    SkipSpace();
    const size_t begin = at_;
    auto links = ParseLinks();
    if (!links.ok()) return links.status();
    if (links->size() == 1) return std::move(links->front());
    return Node{Find("chain"), Column(begin), {}, std::move(*links)};
  }

  Result<std::vector<Node>> ParseLinks() {
    std::vector<Node> links;
    do {
      SkipSpace();
      if (links.size() == kMaxLinks) {
        return Fail(at_, "a chain has at most 32 stores; a chain can be one of them");
      }
      auto link = ParseLink();
      if (!link.ok()) return link.status();
      links.push_back(std::move(*link));
    } while (Take('>'));
    SkipSpace();
    return links;
  }

  // `at_` is behind '('. What `body` parses stands between it and ')'.
  template <class Body>
  Status Nested(size_t open_at, Body body) {
    if (depth_ == kMaxDepth) return Fail(open_at, "more than 32 levels of parentheses");
    ++depth_;
    Status status = body();
    --depth_;
    if (status.ok() && !Take(')')) status = Unexpected("')'");
    return status;
  }

  Result<Node> ParseLink() {
    const size_t begin = at_;
    if (Take('(')) {
      Node node;
      Status status = Nested(begin, [&]() -> Status {
        auto chain = ParseChain();
        if (chain.ok()) node = std::move(*chain);
        return chain.status();
      });
      if (!status.ok()) return status;
      return node;
    }
    const std::string_view name = ReadName();
    if (name.empty()) return Unexpected(WhatCouldStand());
    if (Peek() == ':') {
      ++at_;
      return ParseStore(begin, name);
    }
    SkipSpace();
    const size_t open_at = at_;
    if (Take('(')) return ParseManager(begin, open_at, name);
    return NeitherStoreNorManager(begin, name);
  }

  Status NeitherStoreNorManager(size_t at, std::string_view name) const {
    const Scheme* const scheme = Find(name);
    if (scheme) {
      return Fail(at, Quote(name) + " alone is nothing; write '" + std::string(name) +
                          (scheme->is_store() ? ":'" : "(...)'"));
    }
    return Fail(at, Quote(name) + " is neither a store nor a manager; " + WhatCouldStand() +
                        " could stand here");
  }

  Result<Node> ParseStore(size_t begin, std::string_view name) {
    auto scheme = FindStore(begin, name);
    if (!scheme.ok()) return scheme.status();
    Node node{*scheme, Column(begin), {}, {}};
    if (Status status = ReadRest(&node); !status.ok()) return status;
    if (Peek() == '?') {
      do {
        ++at_;
        const size_t name_at = at_;
        const std::string_view option = ReadName();
        if (option.empty()) return Unexpected("the name of an option");
        if (Peek() != '=') return Unexpected("'=' and the value of " + Quote(option));
        ++at_;
        Status status = ReadNamed(name_at, option, kEndsStoreValue, &node);
        if (!status.ok()) return status;
      } while (Peek() == '&');
    }
    if (Status status = CheckComplete(node); !status.ok()) return status;
    return node;
  }

  Status ReadRest(Node* node) {
    const Scheme& scheme = *node->scheme;
    if (scheme.form == Form::kPlain) {
      if (AtEnd() || kEndsRest.find(Peek()) != std::string_view::npos) return Code::kOk;
      return Unexpected("nothing, or '?' and options,");
    }
    if (scheme.form == Form::kPath) return ReadValue(scheme.arguments[0], kEndsRest, node);
    if (text_.substr(at_, 2) != "//") return Unexpected("'//' and the bucket");
    at_ += 2;
    Status status = ReadValue(scheme.arguments[0], kEndsBucket, node);
    if (!status.ok() || Peek() != '/') return status;
    ++at_;
    return ReadValue(*scheme.Find("prefix"), kEndsRest, node);
  }

  Result<Node> ParseManager(size_t begin, size_t open_at, std::string_view name) {
    auto scheme = FindManager(begin, name);
    if (!scheme.ok()) return scheme.status();
    Node node{*scheme, Column(begin), {}, {}};
    Status status = Nested(open_at, [&] { return ParseItems(&node); });
    if (status.ok()) status = CheckComplete(node);
    if (!status.ok()) return status;
    return node;
  }

  // Up to the ')', which is left.
  Status ParseItems(Node* node) {
    size_t position = 0;
    bool named = false;
    while (true) {
      SkipSpace();
      if (Peek() == ')' || AtEnd()) return NoStore(*node);
      const size_t begin = at_;
      const std::string_view name = ReadName();
      const bool is_store = (name.empty() ? Peek() == '(' : Peek() == ':') ||
                            (!name.empty() && (SkipSpace(), Peek() == '('));
      if (is_store) {
        at_ = begin;
        return ParseWrapped(node);
      }
      Status status;
      if (!name.empty() && Take('=')) {
        named = true;
        status = ReadNamed(begin, name, kEndsValue, node);
      } else {
        at_ = begin;
        status = ReadPositional(named, position++, node);
      }
      if (!status.ok()) return status;
      if (!Take(',')) return Peek() == ')' ? NoStore(*node) : Unexpected("','");
    }
  }

  Status ParseWrapped(Node* node) {
    if (node->scheme->form == Form::kChain) {
      auto links = ParseLinks();
      if (links.ok()) node->inner = std::move(*links);
      if (!links.ok()) return links.status();
    } else {
      auto chain = ParseChain();
      if (chain.ok()) node->inner.push_back(std::move(*chain));
      if (!chain.ok()) return chain.status();
    }
    if (Peek() != ',') return Code::kOk;
    return Fail(at_, "',' cannot stand here: the store is the last in the parentheses");
  }

  Status ReadPositional(bool named, size_t position, Node* node) {
    const Scheme& scheme = *node->scheme;
    const size_t begin = at_;
    if (!named && position < scheme.arguments.size()) {
      return ReadValue(scheme.arguments[position], kEndsValue, node);
    }
    Node::Value value{nullptr, {}, {}, 0};
    if (Status status = reader_.Read(kEndsValue, &value); !status.ok()) return status;
    if (at_ == begin) return Unexpected(WhatCouldStand());
    // As it stands there, not what the environment holds.
    const std::string shown = Quote(text_.substr(begin, at_ - begin));
    if (named) return Fail(begin, shown + " stands behind an option; arguments come first");
    return Fail(begin, shown + " is one argument too many for " + Quote(scheme.name) + "; " +
                           WhatCouldStand() + ", or NAME=VALUE could stand here");
  }

  Status NoStore(const Node& node) const {
    return Fail(at_, Quote(node.scheme->name) + " has no store: the last in its parentheses is " +
                         "the store, or chain, that it wraps");
  }

  const std::string_view text_;
  const Dialect dialect_;
  size_t at_ = 0;
  size_t depth_ = 0;
  const ValueReader reader_;
};

}  // namespace

const char* ProcessEnvironment(const char* name) { return getenv(name); }

Result<Node> Parse(std::string_view text, const Dialect& dialect) {
  if (text.size() > kMaxTextSize) {
    return Status(
        Failure(Code::kInvalid, "the text has more than 65536 bytes, which are the most"));
  }
  return Parser(text, dialect).Run();
}

}  // namespace chainstore::text
