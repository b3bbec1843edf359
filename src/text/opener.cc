#include "text/opener.h"

#include <algorithm>
#include <filesystem>

#include "core/await.h"
#include "text/escape.h"
#include "text/value_reader.h"

namespace chainstore::text {
namespace {

using Form = Scheme::Form;

// ---- The same directory twice ----

struct Location {
  std::string directory;  // canonical, as far as it is there
  std::string part;       // the bucket of a directory that several stores may share
  const Scheme* scheme;
  const Node::Value* value;
};

std::string ValueOf(const Node& node, const OptionSpec& spec) {
  const Node::Value* const value = node.Find(spec.name);
  if (value) return value->text;
  return spec.default_text ? spec.default_text : "";
}

void CollectLocations(const Node& node, std::vector<Location>* locations) {
  if (node.scheme->form == Form::kPath) {
    const Node::Value* const value = node.Find(node.scheme->arguments[0].name);
    std::error_code failed;
    std::filesystem::path whole = std::filesystem::absolute(value->text, failed);
    if (!failed) whole = std::filesystem::weakly_canonical(whole, failed);
    if (failed) whole = value->text;
    std::string directory = whole.lexically_normal().string();
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
    const auto arguments = node.scheme->arguments;
    std::string part = arguments.size() > 1 ? ValueOf(node, arguments[1]) : "";
    locations->push_back({std::move(directory), std::move(part), node.scheme, value});
  }
  for (const Node& inner : node.inner) CollectLocations(inner, locations);
}

Status CheckLocations(const Node& root) {
  std::vector<Location> locations;
  CollectLocations(root, &locations);
  // The later of two is the one that is too many.
  for (size_t at = 1; at < locations.size(); ++at) {
    const Location& location = locations[at];
    const auto same =
        std::find_if(locations.begin(), locations.begin() + static_cast<ptrdiff_t>(at),
                     [&location](const Location& other) {
                       return other.directory == location.directory &&
                              (other.scheme != location.scheme || other.part == location.part);
                     });
    if (same == locations.begin() + static_cast<ptrdiff_t>(at)) continue;
    return ErrorAt(
        location.value->column,
        Quote(location.value->written.empty() ? location.value->text : location.value->written) +
            " is the directory of the store at column " + std::to_string(same->value->column) +
            " too");
  }
  return Code::kOk;
}

// ---- Opening ----

void ReplaceAll(std::string* text, const std::string& what, const std::string& with) {
  for (size_t at = text->find(what); at != std::string::npos; at = text->find(what, at)) {
    text->replace(at, what.size(), with);
    at += with.size();
  }
}

class Opener {
 public:
  explicit Opener(const Options* options) : options_(options) {}
  ~Opener() {
    // Nothing is left open: whoever tries again finds nothing in its way.
    for (const Ref<Store>& store : roots_) {
      Call call;
      call.flags = Call::kKeep;
      Status unseen;
      (void)Await<Status>(call, &unseen,
                          [&](Done<Status> done) { store->Close(call, std::move(done)); });
    }
  }

  Result<Ref<Store>> Open(const Node& node) {
    Scheme::Parts parts;
    for (const Node& each : node.inner) {
      auto inner = Open(each);
      if (!inner.ok()) return inner;
      parts.inner.push_back(std::move(*inner));
    }
    if (!node.scheme->make) {
      return Status(Failure(Code::kUnsupported, "column " + std::to_string(node.column) +
                                                    ": this build of the library has no " +
                                                    Quote(node.scheme->name)));
    }
    Fill(node, &parts);
    auto made = node.scheme->make(parts);
    if (!made.ok()) return Explain(node, made.status());
    for (const Node::Value& value : node.values) {
      if (!value.written.empty()) (*made)->NoteRecipe({value.spec->name, value.written, true});
    }
    // What it wraps is closed with it.
    roots_.resize(roots_.size() - parts.inner.size());
    roots_.push_back(*made);
    return made;
  }
  void Keep() { roots_.clear(); }

 private:
  void Fill(const Node& node, Scheme::Parts* parts) const {
    for (const OptionSpec& argument : node.scheme->arguments) {
      parts->arguments.push_back(ValueOf(node, argument));
    }
    if (options_) parts->options.runtime = options_->runtime;
    for (const Node::Value& value : node.values) {
      const auto arguments = node.scheme->arguments;
      const bool positional =
          std::any_of(arguments.begin(), arguments.end(),
                      [&value](const OptionSpec& each) { return &each == value.spec; });
      if (!positional) parts->options.values.emplace(value.spec->name, value.text);
    }
  }

  // The constructor's error, with the column where the text is to blame, and without what the
  // environment held.
  static Status Explain(const Node& node, const Status& status) {
    const auto scrub = [&node](std::string text) {
      for (const Node::Value& value : node.values) {
        if (!value.written.empty() && !value.text.empty()) {
          ReplaceAll(&text, value.text, value.written);
        }
      }
      return text;
    };
    if (!status.error()) return status;
    const Error& error = *status.error();
    std::string message = scrub(error.message());
    if (error.code() == Code::kInvalid) {
      message = "column " + std::to_string(node.column) + ": " + message;
    }
    std::vector<Error::Detail> details = error.details();
    for (Error::Detail& detail : details) detail.second = scrub(detail.second);
    return Status(Ref<const Error>(
        MakeRef<Error>(error.code(), std::move(message), error.retryable(), std::move(details))));
  }

  const Options* const options_;
  std::vector<Ref<Store>> roots_;  // opened, and not wrapped yet
};

// Options from outside the text take the place of the outermost store's.
Status Override(const Options& options, Node* root) {
  for (const auto& [name, value] : options.values) {
    const OptionSpec* const spec = root->scheme->Find(name);
    if (!spec) {
      return Failure(Code::kInvalid,
                     "unknown option " + Quote(name) + " of " + Quote(root->scheme->name));
    }
    uint64_t number = 0;
    if (Status status = ParseOption(*spec, value, &number); !status.ok()) {
      return Failure(Code::kInvalid, "option " + Quote(name) + ": " + status.error()->message());
    }
    std::erase_if(root->values, [spec](const Node::Value& each) { return each.spec == spec; });
    root->values.push_back({spec, value, {}, root->column});
  }
  return Code::kOk;
}

}  // namespace

Result<Ref<Store>> Open(std::string_view text, const Options* options, const Dialect& dialect) {
  auto root = Parse(text, dialect);
  if (!root.ok()) return root.status();
  if (options) {
    if (Status status = Override(*options, &*root); !status.ok()) return status;
  }
  if (Status status = CheckLocations(*root); !status.ok()) return status;
  Opener opener(options);
  auto opened = opener.Open(*root);
  if (opened.ok()) opener.Keep();
  return opened;
}

}  // namespace chainstore::text
