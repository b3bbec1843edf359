#include "managers/fault/fault.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "core/await.h"
#include "managers/fault/plan.h"

namespace chainstore {
namespace {

using fault::Decision;
using fault::Operation;
using fault::Plan;

class Fault final : public Wrapper {
 public:
  Fault(Ref<Store> inner, Options options, const Plan& plan)
      : Wrapper("fault", std::move(inner)),
        options_(std::move(options)),
        plan_(std::make_shared<const Plan>(plan)) {}

  uint32_t caps() const noexcept override { return wrapped().caps() & ~uint32_t{kCapTry}; }

  void Get(const Key& key, const Read& read, const Call& call,
           Done<Answer> done) noexcept override {
    Run<Answer>(Operation::kGet, call, std::move(done),
                [this, key = OwnedKey(key), read](const Call& call, Done<Answer> then) {
                  wrapped().Get(key, read, call, std::move(then));
                });
  }
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    Payload shared(payload.Share(), payload.expires_at_ms());
    Run<Receipt>(Operation::kPut, call, std::move(done),
                 [this, key = OwnedKey(key), shared](const Call& call, Done<Receipt> then) {
                   wrapped().Put(key, shared, call, std::move(then));
                 });
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    Run<Receipt>(Operation::kDel, call, std::move(done),
                 [this, key = OwnedKey(key)](const Call& call, Done<Receipt> then) {
                   wrapped().Del(key, call, std::move(then));
                 });
  }
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override {
    Run<Entries>(Operation::kGetMany, call, std::move(done),
                 [this, keys = std::move(keys)](const Call& call, Done<Entries> then) {
                   wrapped().GetMany(keys, call, std::move(then));
                 });
  }
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override {
    Run<Entries>(Operation::kWrite, call, std::move(done),
                 [this, batch](const Call& call, Done<Entries> then) {
                   wrapped().Write(batch, call, std::move(then));
                 });
  }
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
    Run<Page>(Operation::kScan, call, std::move(done),
              [this, range](const Call& call, Done<Page> then) {
                wrapped().Scan(range, call, std::move(then));
              });
  }
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override {
    Run<Status>(Operation::kFlush, call, std::move(done),
                [this, prefix = std::string(prefix)](const Call& call, Done<Status> then) {
                  wrapped().Flush(prefix, call, std::move(then));
                });
  }

  Status Set(std::string_view option, std::string_view value) override {
    MutexLock lock(mutex_);
    Options changed = options_;
    changed.values[std::string(option)] = std::string(value);
    const Result<Plan> plan = Plan::From(&changed);
    if (!plan.ok()) return Fail(Code::kInvalid, "set", plan.status().error()->message());
    options_ = std::move(changed);
    plan_ = std::make_shared<const Plan>(*plan);
    return Code::kOk;
  }

 private:
  std::shared_ptr<const Plan> CurrentPlan() {
    MutexLock lock(mutex_);
    return plan_;
  }

  Status Injected(const Plan& plan, Operation operation) const {
    if (static_cast<int>(plan.code) > 0) return plan.code;
    return Fail(plan.code, fault::NameOf(operation), "an injected failure");
  }

  static const Status& StatusOf(const Status& answer) { return answer; }
  template <class T>
  static const Status& StatusOf(const T& answer) {
    return answer.status;
  }

  template <class T, class Start>
  void Run(Operation operation, const Call& call, Done<T> done, Start start) noexcept {
    if (!Enter(fault::NameOf(operation), call, &done)) return;
    if (call.wait == Wait::kNever) return done(T(Status(Code::kWouldBlock)));
    const std::shared_ptr<const Plan> plan = CurrentPlan();
    if (!plan->Covers(operation)) return start(call, std::move(done));
    const Decision decision = plan->Decide(calls_.fetch_add(1) + 1);
    auto go = [this, self = Ref<Store>(this), operation, plan, decision, call,
               start = std::move(start), done = std::move(done)](Code ended) mutable {
      if (ended != Code::kOk) return done(T(EndedStatus(ended, fault::NameOf(operation))));
      if (!decision.fails) return start(call, std::move(done));
      if (!plan->after) return done(T(Injected(*plan, operation)));
      start(call, [this, self, operation, plan, done = std::move(done)](T&& answer) mutable {
        if (!StatusOf(answer).failed()) answer = T(Injected(*plan, operation));
        done(std::move(answer));
      });
    };
    if (!decision.delays) return go(Code::kOk);
    Delay(*plan, call, std::move(go));
  }

  // Holds a call back, but not beyond its deadline or token.
  template <class Go>
  void Delay(const Plan& plan, const Call& call, Go go) {
    Call wait = call;
    const int64_t until_ns = runtime().clock().DeadlineAfterMs(plan.delay_ms);
    wait.deadline_ns = std::min(call.deadline_ns, until_ns);
    if (call.wait == Wait::kHere) {
      Status never;  // nobody answers: the wait ends with its time, or by the token
      (void)MakeRef<Awaited<Status>>()->Wait(wait, &never);
      return go(call.Check());
    }
    runtime().At(wait.deadline_ns, [runtime = runtime_ref(), call, go = std::move(go)]() mutable {
      runtime->Post(Lane::kFast, [call, go = std::move(go)]() mutable { go(call.Check()); });
    });
  }

  std::atomic<uint64_t> calls_{0};
  Mutex mutex_;
  Options options_ CS_GUARDED_BY(mutex_);
  std::shared_ptr<const Plan> plan_ CS_GUARDED_BY(mutex_);
};

}  // namespace

Result<Ref<Store>> NewFault(Ref<Store> inner, const Options* options) {
  const Result<Plan> plan = Plan::From(options);
  if (!plan.ok()) return plan.status();
  Options own;
  if (options) own.values = options->values;
  Ref<Store> store = MakeRef<Fault>(std::move(inner), std::move(own), *plan);
  store->SetRecipe({"fault", {}, kFaultOptions, options});
  return store;
}

}  // namespace chainstore
