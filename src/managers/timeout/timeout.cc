#include "managers/timeout/timeout.h"

#include <algorithm>
#include <atomic>

#include "core/limit.h"

namespace chainstore {
namespace {

class Timeout final : public Wrapper {
 public:
  Timeout(Ref<Store> inner, uint64_t timeout_ms)
      : Wrapper("timeout", std::move(inner)), timeout_ms_(timeout_ms) {}

  void Get(const Key& key, const Read& read, const Call& call,
           Done<Answer> done) noexcept override {
    Run("get", Late::kForget, call, std::move(done), [&](const Call& limited, Done<Answer> then) {
      wrapped().Get(key, read, limited, std::move(then));
    });
  }
  // Takes no time that could be limited.
  bool GetHit(const Key& key, Hit* hit) noexcept override {
    return !closed() && wrapped().GetHit(key, hit);
  }
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    Run("put", Late::kTell, call, std::move(done), [&](const Call& limited, Done<Receipt> then) {
      wrapped().Put(key, payload, limited, std::move(then));
    });
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    Run("del", Late::kTell, call, std::move(done), [&](const Call& limited, Done<Receipt> then) {
      wrapped().Del(key, limited, std::move(then));
    });
  }
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override {
    Run("get_many", Late::kForget, call, std::move(done),
        [&](const Call& limited, Done<Entries> then) {
          wrapped().GetMany(std::move(keys), limited, std::move(then));
        });
  }
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override {
    Run("write", Late::kTell, call, std::move(done), [&](const Call& limited, Done<Entries> then) {
      wrapped().Write(std::move(batch), limited, std::move(then));
    });
  }
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
    Run("scan", Late::kForget, call, std::move(done), [&](const Call& limited, Done<Page> then) {
      wrapped().Scan(range, limited, std::move(then));
    });
  }
  // A flush waits for deliveries, which have limits of their own: its caller's deadline is enough.

  Status Set(std::string_view option, std::string_view value) override {
    if (option != "timeout") return Wrapper::Set(option, value);
    const Result<uint64_t> parsed = ParseDurationMs(value);
    if (!parsed.ok()) return Fail(Code::kInvalid, "set", parsed.status().error()->message());
    if (*parsed == 0) return Fail(Code::kInvalid, "set", "a timeout of 0 would fail every call");
    timeout_ms_.store(*parsed);
    return Code::kOk;
  }

 private:
  Status HitStatus(const char* operation) const {
    return Fail(Code::kTimeout, operation,
                "the limit of " + std::to_string(timeout_ms_.load()) + " ms was hit");
  }
  // Whether it was this store's limit, not the caller's own, that ended a call.
  static bool IsOurs(const Call& call, const Status& status) {
    return status.Is(Code::kTimeout) && call.Check() == Code::kOk;
  }

  // What comes after the limit: a read harms nobody, a write that failed would be lost unseen. That
  // its time was up has been told.
  enum class Late : uint8_t { kForget, kTell };
  void ComeLate(const Status& status, Late late) noexcept {
    const bool known = status.Is(Code::kTimeout) || status.Is(Code::kCancelled);
    if (late == Late::kTell && status.failed() && !known) Report(status);
  }

  template <class T, class Start>
  void Run(const char* operation, Late when_late, const Call& call, Done<T> done,
           Start start) noexcept {
    if (!Enter(operation, call, &done)) return;
    if (call.wait == Wait::kNever) return start(call, std::move(done));
    Call limited = call;
    limited.deadline_ns =
        std::min(call.deadline_ns, runtime().clock().DeadlineAfterMs(timeout_ms_.load()));
    auto answered = [this, self = Ref<Store>(this), operation, call,
                     done = std::move(done)](T&& answer) mutable {
      if (IsOurs(call, answer.status)) {
        answer.status = HitStatus(operation);
        Report(answer.status);
      } else if (answer.status.failed() && !answer.status.error()) {
        answer.status = EndedStatus(answer.status.code(), operation);
      }
      done(std::move(answer));
    };
    if (call.wait == Wait::kHere) return start(limited, Done<T>(std::move(answered)));
    auto late = [this, self = Ref<Store>(this), when_late](T&& answer) {
      ComeLate(answer.status, when_late);
    };
    start(limited, LimitDone<T>(runtime_ref(), limited, std::move(answered), std::move(late)));
  }

  std::atomic<uint64_t> timeout_ms_;
};

}  // namespace

Result<Ref<Store>> NewTimeout(Ref<Store> inner, uint64_t timeout_ms, const Options* options) {
  if (timeout_ms == 0) {
    return Failure(Code::kInvalid, "a timeout of 0 would fail every call").Store("timeout");
  }
  auto values = OptionValues::Parse("timeout", kTimeoutOptions, options);
  if (!values.ok()) return values.status();
  Ref<Store> store = MakeRef<Timeout>(std::move(inner), timeout_ms);
  store->SetRecipe({"timeout", {{"timeout", FormatDuration(timeout_ms)}}, {}, nullptr});
  return store;
}

}  // namespace chainstore
