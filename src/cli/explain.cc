#include "cli/explain.h"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <vector>

#include "cli/text.h"

namespace cli {
namespace {

// As long as a back-fill is waited for.
constexpr auto kPatience = std::chrono::seconds(10);

// A span of the library's trace: only what is shown of it.
struct Span {
  std::string op, store, status, us, tier;
  std::vector<std::string> others;  // "retries 2"
  bool is_fill = false;
  std::vector<Span> inner;
};

// Reads the JSON that cs_on_trace gives: objects, one kind of array, strings, numbers and `true`.
class Reader {
 public:
  explicit Reader(const std::string& json) : json_(json) {}

  Span ReadSpan() {
    Span span;
    Take('{');
    while (Peek() != '}' && Peek() != '\0') {
      const std::string name = ReadScalar();
      Take(':');
      if (name == "spans") {
        ReadSpans(&span.inner);
      } else {
        Set(name, ReadScalar(), &span);
      }
      if (Peek() == ',') ++at_;
    }
    Take('}');
    return span;
  }

 private:
  static void Set(const std::string& name, const std::string& value, Span* span) {
    if (name == "op") span->op = value;
    if (name == "store") span->store = value;
    if (name == "status") span->status = value;
    if (name == "us") span->us = value;
    if (name == "tier") span->tier = value;
    if (name == "fill") span->is_fill = true;
    for (const char* known :
         {"op", "store", "status", "us", "tier", "fill", "key", "key_hex", "at_ms", "start_us"}) {
      if (name == known) return;
    }
    span->others.push_back(name + " " + value);
  }

  void ReadSpans(std::vector<Span>* spans) {
    Take('[');
    while (Peek() == '{') {
      spans->push_back(ReadSpan());
      if (Peek() == ',') ++at_;
    }
    Take(']');
  }

  std::string ReadScalar() {
    std::string out;
    if (Peek() != '"') {
      while (Peek() != '\0' && std::string(",}]").find(Peek()) == std::string::npos) {
        out += json_[at_++];
      }
      return out;
    }
    ++at_;
    while (Peek() != '"' && Peek() != '\0') {
      if (Peek() == '\\') ++at_;  // of \u00XX the digits stay: it is only shown
      if (Peek() != '\0') out += json_[at_++];
    }
    Take('"');
    return out;
  }

  char Peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  void Take(char sign) { at_ += Peek() == sign; }

  const std::string& json_;
  size_t at_ = 0;
};

void PrintSpan(const Span& span, size_t depth, std::string* out) {
  std::string name = std::string(2 * depth, ' ') + (span.is_fill ? "fill " : "") + span.store;
  char line[512];
  (void)snprintf(line, sizeof(line), "%-44s %-9s %-16s %10s us", Shown(name).c_str(),
                 span.op.c_str(), span.status.empty() ? "(not ended)" : span.status.c_str(),
                 span.us.empty() ? "-" : span.us.c_str());
  *out += line;
  if (!span.tier.empty()) *out += "  tier " + span.tier;
  for (const std::string& other : span.others) *out += "  " + other;
  *out += "\n";
  for (const Span& inner : span.inner) PrintSpan(inner, depth + 1, out);
}

}  // namespace

struct Explanation::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string json;

  static void Told(void* user_data, const char* json, size_t size) {
    State& state = **static_cast<std::shared_ptr<State>*>(user_data);
    const std::lock_guard lock(state.mutex);
    state.json.assign(json, size);
    state.changed.notify_all();
  }
  static void Release(void* user_data) { delete static_cast<std::shared_ptr<State>*>(user_data); }
};

Explanation::Explanation(Session& session, bool wanted)
    : state_(wanted ? std::make_shared<State>() : nullptr) {
  if (!wanted) return;
  auto* const shared = new std::shared_ptr<State>(state_);
  if (cs_on_trace(session.store(), State::Told, shared, State::Release) != CS_OK) delete shared;
}

void Explanation::Print() {
  if (!state_) return;
  std::unique_lock lock(state_->mutex);
  const bool told =
      state_->changed.wait_for(lock, kPatience, [this] { return !state_->json.empty(); });
  if (!told)
    return Complain("the operation, or its back-fill, is still under way: nothing to show");
  std::string tree;
  PrintSpan(Reader(state_->json).ReadSpan(), 0, &tree);
  tree.pop_back();
  Note(tree);
}

}  // namespace cli
