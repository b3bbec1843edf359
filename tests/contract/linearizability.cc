#include "contract/linearizability.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace contract {
namespace {

// Values as small numbers; 0 is "absent".
class Values {
 public:
  uint32_t Of(const std::optional<std::string>& value) {
    if (!value) return 0;
    return numbers_.try_emplace(*value, static_cast<uint32_t>(numbers_.size()) + 1).first->second;
  }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
};

struct Step {
  Operation::Kind kind;
  uint32_t value;
  int64_t called_at;
  int64_t returned_at;
  bool maybe;
};

// A depth-first search over which operation takes effect next. A configuration is the set of those
// that have, and the value that stands then. Operations are sorted by call: what has taken effect
// is all of a prefix, and a few beyond it, so a configuration is small.
class Search {
 public:
  explicit Search(std::vector<Step> steps) : steps_(std::move(steps)), taken_(steps_.size()) {}

  bool Run() { return From(0, 0); }

 private:
  using Configuration = std::pair<std::vector<size_t>, uint32_t>;

  bool From(size_t prefix, uint32_t value) {
    while (prefix < steps_.size() && taken_[prefix]) ++prefix;
    if (Finished(prefix)) return true;
    if (!tried_.insert(Current(prefix, value)).second) return false;
    // Nothing may take effect after the return of one that has not yet.
    int64_t latest = INT64_MAX;
    for (size_t at = prefix; at < steps_.size() && steps_[at].called_at <= latest; ++at) {
      if (!taken_[at] && !steps_[at].maybe) latest = std::min(latest, steps_[at].returned_at);
    }
    for (size_t at = prefix; at < steps_.size() && steps_[at].called_at <= latest; ++at) {
      if (taken_[at]) continue;
      const Step& step = steps_[at];
      if (step.kind == Operation::Kind::kGet && step.value != value) continue;
      const uint32_t next = step.kind == Operation::Kind::kGet ? value : step.value;
      taken_[at] = true;
      if (From(prefix, next)) return true;
      taken_[at] = false;
    }
    return false;
  }

  // Only writes that may never have happened are left.
  bool Finished(size_t prefix) const {
    for (size_t at = prefix; at < steps_.size(); ++at) {
      if (!taken_[at] && !steps_[at].maybe) return false;
    }
    return true;
  }

  Configuration Current(size_t prefix, uint32_t value) const {
    Configuration out{{prefix}, value};
    for (size_t at = prefix; at < steps_.size(); ++at) {
      if (taken_[at]) out.first.push_back(at);
    }
    return out;
  }

  const std::vector<Step> steps_;
  std::vector<bool> taken_;
  std::set<Configuration> tried_;
};

}  // namespace

bool IsLinearizable(const std::vector<Operation>& history) {
  Values values;
  std::vector<Step> steps;
  for (const Operation& each : history) {
    const uint32_t value = each.kind == Operation::Kind::kDel ? 0 : values.Of(each.value);
    steps.push_back({each.kind, value, each.called_at, each.returned_at, each.maybe});
  }
  std::sort(steps.begin(), steps.end(),
            [](const Step& a, const Step& b) { return a.called_at < b.called_at; });
  return Search(std::move(steps)).Run();
}

}  // namespace contract
