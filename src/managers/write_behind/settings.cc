#include "managers/write_behind/settings.h"

#include "managers/write_behind/write_behind.h"

namespace chainstore::behind {
namespace {

constexpr char kName[] = "behind";
// A year: beyond it the arithmetic in nanoseconds has no meaning left to protect.
constexpr uint64_t kMaxDurationMs = uint64_t{365} * 24 * 3600 * 1000;

// Reads the options one after the other and keeps the first complaint.
class Reader {
 public:
  explicit Reader(const OptionValues& values) : values_(values) {}

  uint64_t Number(std::string_view name, uint64_t least, uint64_t most) {
    const uint64_t number = values_.Number(name);
    if (status_.ok() && (number < least || number > most)) {
      status_ = Failure(Code::kInvalid, "option '" + std::string(name) +
                                            "': " + std::to_string(number) + " is not between " +
                                            std::to_string(least) + " and " + std::to_string(most))
                    .Store(kName);
    }
    return number;
  }
  int64_t Duration(std::string_view name, uint64_t least) {
    return static_cast<int64_t>(Number(name, least, kMaxDurationMs));
  }
  const Status& status() const { return status_; }

 private:
  const OptionValues& values_;
  Status status_;
};

Overflow OverflowNamed(std::string_view name) {
  if (name == "fail") return Overflow::kFail;
  return name == "through" ? Overflow::kThrough : Overflow::kBlock;
}

}  // namespace

Result<Settings> Settings::Parse(const Options* options) {
  Result<OptionValues> values = OptionValues::Parse(kName, kWriteBehindOptions, options);
  if (!values.ok()) return values.status();
  const std::string& journal = values->Text("journal");
  if (journal != "off" && journal != "auto") {
    return Failure(Code::kUnsupported, "this build has no journal yet")
        .Store(kName)
        .Path(journal)
        .Hint("journal=off keeps the queue in memory, where a crash loses it");
  }
  Settings out;
  Reader reader(*values);
  out.max_entries = reader.Number("max_entries", 1, uint64_t{1} << 40);
  out.max_bytes = reader.Number("max_bytes", 1, uint64_t{1} << 50);
  out.overflow = OverflowNamed(values->Text("overflow"));
  out.concurrency = static_cast<uint32_t>(reader.Number("concurrency", 1, 1024));
  out.attempt_timeout_ms = reader.Duration("attempt_timeout", 1);
  out.settle_ms = reader.Duration("settle", 0);
  out.retry_min_ms = reader.Duration("retry_min", 1);
  out.retry_max_ms = reader.Duration("retry_max", 1);
  out.drain_idle_ms = reader.Duration("drain_idle", 1);
  if (!reader.status().ok()) return reader.status();
  if (out.retry_min_ms > out.retry_max_ms) {
    return Failure(Code::kInvalid, "option 'retry_min' is above 'retry_max'").Store(kName);
  }
  return out;
}

}  // namespace chainstore::behind
