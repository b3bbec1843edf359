#include "managers/logging/logging.h"

#include <atomic>

#include "managers/logging/log_line.h"

namespace chainstore {
namespace {

struct LogSettings {
  int32_t level = 1;
  uint64_t sample = 1;
  size_t key_bytes = 64;
};

int32_t LevelNamed(std::string_view name) {
  if (name == "debug") return 0;
  if (name == "info") return 1;
  return name == "warning" ? 2 : 3;
}

Result<LogSettings> SettingsOf(const Options* options) {
  auto values = OptionValues::Parse("log", kLoggingOptions, options);
  if (!values.ok()) return values.status();
  LogSettings settings;
  settings.level = LevelNamed(values->Text("level"));
  settings.sample = values->Number("sample");
  settings.key_bytes = values->Number("key_bytes");
  if (settings.sample == 0) {
    return Failure(Code::kInvalid, "option 'sample': one in 0 operations is none").Store("log");
  }
  return settings;
}

class Logging final : public Wrapper {
 public:
  Logging(Ref<Store> inner, const LogFunction& function, const LogSettings& settings)
      : Wrapper("log", std::move(inner)),
        function_(function),
        level_(settings.level),
        sample_(settings.sample),
        key_bytes_(settings.key_bytes) {}
  ~Logging() override {
    if (function_.release) function_.release(function_.user_data);
  }

  void Get(const Key& key, const Read& read, const Call& call,
           Done<Answer> done) noexcept override {
    const char* operation = read.what == Read::What::kStat    ? "stat"
                            : read.what == Read::What::kRange ? "get_range"
                                                              : "get";
    if (!Enter(operation, call, &done)) return;
    const int64_t begin_ns = Now();
    if (call.wait != Wait::kLater) {
      // This stack outlives the operation: nothing has to be copied for the line.
      Answer answer;
      wrapped().Get(key, read, call, [&answer](Answer&& got) { answer = std::move(got); });
      if (LeavesATrace(answer, call)) LogGet(operation, key.bytes, answer, begin_ns);
      return done(std::move(answer));
    }
    wrapped().Get(key, read, call,
                  [this, operation, key = std::string(key.bytes), begin_ns,
                   done = std::move(done)](Answer&& answer) mutable {
                    LogGet(operation, key, answer, begin_ns);
                    done(std::move(answer));
                  });
  }

  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    if (!Enter("put", call, &done)) return;
    wrapped().Put(key, payload, call, Logged("put", key, payload.size(), call, std::move(done)));
  }

  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    if (!Enter("del", call, &done)) return;
    wrapped().Del(key, call, Logged("del", key, 0, call, std::move(done)));
  }

  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override {
    if (!Enter("get_many", call, &done)) return;
    const size_t count = keys.size();
    wrapped().GetMany(std::move(keys), call, Counted("get_many", count, call, std::move(done)));
  }

  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override {
    if (!Enter("write", call, &done)) return;
    const size_t count = batch->ops.size();
    wrapped().Write(std::move(batch), call, Counted("write", count, call, std::move(done)));
  }

  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
    if (!Enter("scan", call, &done)) return;
    wrapped().Scan(range, call,
                   [this, begin_ns = Now(), prefix = range.prefix, wait = call.wait,
                    done = std::move(done)](Page&& page) mutable {
                     if (Due(page.status, wait)) {
                       LogLine line("scan", wrapped().name());
                       if (!prefix.empty()) line.Key(prefix, key_bytes_);
                       Finish(line.Number("count", page.entries.size()), page.status, begin_ns);
                     }
                     done(std::move(page));
                   });
  }

  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override {
    if (!Enter("flush", call, &done)) return;
    wrapped().Flush(prefix, call,
                    [this, begin_ns = Now(), wait = call.wait,
                     done = std::move(done)](Status&& status) mutable {
                      LogLine line("flush", wrapped().name());
                      if (Due(status, wait)) Finish(line, status, begin_ns);
                      done(std::move(status));
                    });
  }

  void NoteMiss(const Key& key) noexcept override {
    LogGet("get", key.bytes, Answer(Code::kNotFound), Now());
    Wrapper::NoteMiss(key);
  }

  Status Set(std::string_view option, std::string_view value) override {
    Options changed;
    changed.values[std::string(option)] = std::string(value);
    const Result<LogSettings> settings = SettingsOf(&changed);
    if (!settings.ok()) return Fail(Code::kInvalid, "set", settings.status().error()->message());
    if (option == "level") level_.store(settings->level);
    if (option == "sample") sample_.store(settings->sample);
    if (option == "key_bytes") key_bytes_.store(settings->key_bytes);
    return Code::kOk;
  }

 private:
  int64_t Now() const { return runtime().clock().SteadyNs(); }

  static bool LeavesATrace(const Answer& answer, const Call& call) {
    if (answer.status.Is(Code::kWouldBlock)) return false;
    return answer.status.ok() || !call.Has(Call::kSpeculative);
  }

  // Whether an operation that ended so gets a line.
  bool Due(const Status& status, Wait wait) {
    if (status.Is(Code::kWouldBlock) && wait == Wait::kNever) return false;
    const int32_t level = LogLevelOf(status);
    if (level < level_.load(std::memory_order_relaxed)) return false;
    const uint64_t sample = sample_.load(std::memory_order_relaxed);
    return level >= 2 || sample == 1 ||
           operations_.fetch_add(1, std::memory_order_relaxed) % sample == 0;
  }

  void Finish(LogLine& line, const Status& status, int64_t begin_ns) {
    line.End(status).Number("us", static_cast<uint64_t>(Now() - begin_ns) / 1000);
    const std::string& text = line.text();
    function_.log(function_.user_data, LogLevelOf(status), text.data(), text.size());
  }

  void LogGet(const char* operation, Bytes key, const Answer& answer, int64_t begin_ns) {
    if (!Due(answer.status, Wait::kHere)) return;
    LogLine line(operation, wrapped().name());
    line.Key(key, key_bytes_);
    if (answer.status.ok()) {
      line.Number("bytes", answer.value ? answer.value->size() : answer.meta.total_size);
      line.Number("tier", answer.tier ? answer.tier : 1);
    }
    Finish(line, answer.status, begin_ns);
  }

  Done<Receipt> Logged(const char* operation, const Key& key, size_t bytes, const Call& call,
                       Done<Receipt> done) {
    return [this, operation, key = std::string(key.bytes), bytes, begin_ns = Now(),
            wait = call.wait, done = std::move(done)](Receipt&& receipt) mutable {
      if (Due(receipt.status, wait)) {
        LogLine line(operation, wrapped().name());
        line.Key(key, key_bytes_);
        if (bytes > 0) line.Number("bytes", bytes);
        Finish(line, receipt.status, begin_ns);
      }
      done(std::move(receipt));
    };
  }

  Done<Entries> Counted(const char* operation, size_t count, const Call& call, Done<Entries> done) {
    return [this, operation, count, begin_ns = Now(), wait = call.wait,
            done = std::move(done)](Entries&& entries) mutable {
      if (Due(entries.status, wait)) {
        LogLine line(operation, wrapped().name());
        Finish(line.Number("count", count), entries.status, begin_ns);
      }
      done(std::move(entries));
    };
  }

  const LogFunction function_;
  std::atomic<int32_t> level_;
  std::atomic<uint64_t> sample_;
  std::atomic<size_t> key_bytes_;
  std::atomic<uint64_t> operations_{0};
};

}  // namespace

Result<Ref<Store>> NewLogging(Ref<Store> inner, const LogFunction& function,
                              const Options* options) {
  if (!function.log) return Failure(Code::kInvalid, "the log function is NULL").Store("log");
  const Result<LogSettings> settings = SettingsOf(options);
  if (!settings.ok()) return settings.status();
  Ref<Store> store = MakeRef<Logging>(std::move(inner), function, *settings);
  store->SetRecipe({"log", {{"to", std::string(Recipe::kMasked)}}, kLoggingOptions, options});
  return store;
}

}  // namespace chainstore
