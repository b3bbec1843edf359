#include "managers/fault/plan.h"

#include <iterator>
#include <utility>

#include "managers/fault/fault.h"

namespace chainstore::fault {
namespace {

constexpr std::pair<std::string_view, Code> kCodes[] = {
    {"io", Code::kIo},
    {"timeout", Code::kTimeout},
    {"busy", Code::kBusy},
    {"denied", Code::kDenied},
    {"no_space", Code::kNoSpace},
    {"corrupt", Code::kCorrupt},
    {"closed", Code::kClosed},
    {"too_large", Code::kTooLarge},
    {"unsupported", Code::kUnsupported},
    {"internal", Code::kInternal},
    {"not_found", Code::kNotFound},
};

Result<uint32_t> ParseOperations(std::string_view text) {
  constexpr size_t kCount = std::size(kOperationNames);
  if (text == "all") return uint32_t{(1u << kCount) - 1};
  uint32_t bits = 0;
  while (!text.empty()) {
    const size_t plus = text.find('+');
    const std::string_view name = text.substr(0, plus);
    text = plus == std::string_view::npos ? "" : text.substr(plus + 1);
    size_t at = 0;
    while (at < kCount && name != kOperationNames[at]) ++at;
    if (at == kCount) {
      return Failure(Code::kInvalid, "option 'operations': '" + std::string(name.substr(0, 64)) +
                                         "' is none of all, get, get_many, put, del, write, scan, "
                                         "flush")
          .Store("fault");
    }
    bits |= 1u << at;
  }
  return bits;
}

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): any
// number of the sequence without the ones before it.
uint64_t Mix(uint64_t state) noexcept {
  state += 0x9e3779b97f4a7c15;
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
  state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
  return state ^ (state >> 31);
}

}  // namespace

Result<Plan> Plan::From(const Options* options) {
  auto values = OptionValues::Parse("fault", kFaultOptions, options);
  if (!values.ok()) return values.status();
  const Result<uint32_t> operations = ParseOperations(values->Text("operations"));
  if (!operations.ok()) return operations.status();
  Plan plan;
  plan.rate_percent = values->Number("rate");
  plan.at = values->Number("at");
  for (const auto& [name, code] : kCodes) {
    if (values->Text("status") == name) plan.code = code;
  }
  plan.after = values->Text("when") == "after";
  plan.delay_ms = values->Number("delay");
  plan.delay_percent = values->Number("delay_rate");
  plan.operations = *operations;
  plan.seed = values->Number("seed");
  return plan;
}

Decision Plan::Decide(uint64_t number) const noexcept {
  const uint64_t random = Mix(seed ^ Mix(number));
  Decision decision;
  decision.fails = number == at || random % 100 < rate_percent;
  decision.delays = delay_ms > 0 && (random >> 32) % 100 < delay_percent;
  return decision;
}

}  // namespace chainstore::fault
