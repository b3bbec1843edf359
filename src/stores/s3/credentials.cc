#include "stores/s3/credentials.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <system_error>

namespace chainstore::s3 {
namespace {

constexpr char kQuicker[] =
    "the option credentials names the one place to look in, and AWS_EC2_METADATA_DISABLED=true "
    "spares the wait for the metadata service";

}  // namespace

// One call that has no credentials yet. Whoever takes it off the list answers it.
class Credentials::Waiter final : public RefCounted<Waiter> {
 public:
  Waiter(Credentials* owner, Found found)
      : found_(std::move(found)),
        cancel_(owner, this, Code::kCancelled),
        closing_(owner, this, Code::kClosed) {}

  // Under the owner's lock, so that no answer comes in between.
  void Arm(Credentials* owner, const Call& call) {
    if (call.deadline_ns != kForeverNs) {
      deadline_ns_ = call.deadline_ns;
      timer_ = owner->runtime_->At(call.deadline_ns,
                                   [owner = Ref<Credentials>(owner), self = Ref<Waiter>(this)] {
                                     owner->GiveUp(self, Code::kTimeout);
                                   });
    }
    cancel_.Set(call.cancel);
    closing_.Set(owner->closing_);
  }
  void Disarm(Runtime& runtime) {
    cancel_.Clear();
    closing_.Clear();
    if (deadline_ns_ != kForeverNs) runtime.CancelTimer(timer_, deadline_ns_);
  }
  void Answer(Result<Ref<const Identity>>&& found) { found_(std::move(found)); }

 private:
  class Alarm final : private CancelWatch {
   public:
    Alarm(Credentials* owner, Waiter* waiter, Code ended)
        : owner_(owner), waiter_(waiter), ended_(ended) {}
    ~Alarm() override { Stop(); }
    void Set(const Ref<CancelToken>& token) {
      if (token && !Watch(token)) Wake();
    }
    void Clear() { Stop(); }

   private:
    void Wake() noexcept override {
      owner_->runtime_->Post(Lane::kFast,
                             [owner = Ref<Credentials>(owner_), waiter = Ref<Waiter>(waiter_),
                              ended = ended_] { owner->GiveUp(waiter, ended); });
    }
    // Both are there while this is set.
    Credentials* const owner_;
    Waiter* const waiter_;
    const Code ended_;
  };

  Found found_;
  Alarm cancel_;
  Alarm closing_;
  int64_t deadline_ns_ = kForeverNs;
  Runtime::TimerId timer_ = 0;
};

Credentials::Credentials(std::string store_name, Ref<Runtime> runtime, Providers providers,
                         Ref<CancelToken> closing)
    : store_name_(std::move(store_name)),
      runtime_(std::move(runtime)),
      providers_(std::move(providers)),
      closing_(std::move(closing)) {}

Credentials::~Credentials() { Stop(); }

Failure Credentials::Fail(Code code, std::string what) const {
  Failure failure(code, std::move(what));
  failure.Store(store_name_);
  return failure;
}

// ---- Asking ----

Ref<const Identity> Credentials::UsableLocked() {
  for (size_t at = 0; !current_ && at < providers_.size() && providers_[at]->is_instant(); ++at) {
    Result<Ref<const Identity>> found = providers_[at]->Fetch(stop_);
    if (found.ok()) current_ = *found;
    if (!found.ok() && !found.status().Is(Code::kNotFound)) break;  // the search says it
  }
  if (!current_) return nullptr;
  const int64_t now_ms = runtime_->clock().WallMs();
  const int64_t expires = current_->expires_at_ms;
  if (expires == 0) return current_;
  if (expires <= now_ms) return nullptr;
  if (expires - kEarlyMs <= now_ms && now_ms >= not_before_ms_) SearchSoonLocked();
  return current_;
}

void Credentials::Get(const Call& call, Found found) {
  Result<Ref<const Identity>> answer = Fail(Code::kClosed, "the store is closed");
  {
    MutexLock lock(mutex_);
    if (!stopped_) {
      Ref<const Identity> usable = UsableLocked();
      if (!usable) {
        AddWaiterLocked(call, std::move(found));
        return SearchSoonLocked();
      }
      answer = std::move(usable);
    }
  }
  found(std::move(answer));
}

void Credentials::AddWaiterLocked(const Call& call, Found found) {
  waiting_.push_back(MakeRef<Waiter>(this, std::move(found)));
  waiting_.back()->Arm(this, call);
}

void Credentials::GiveUp(const Ref<Waiter>& waiter, Code ended) {
  {
    MutexLock lock(mutex_);
    if (std::erase(waiting_, waiter) == 0) return;  // it has its answer
  }
  const char* const what = ended == Code::kTimeout ? "the call's time is up before there are keys"
                           : ended == Code::kCancelled
                               ? "the call was cancelled before there are keys"
                               : "the store was closed before there are keys";
  Failure failure = Fail(ended, what);
  if (ended == Code::kTimeout) failure.Hint(kQuicker);
  Answer(waiter, std::move(failure));
}

void Credentials::Answer(Ref<Waiter> waiter, const Result<Ref<const Identity>>& found) {
  waiter->Disarm(*runtime_);
  runtime_->Post(Lane::kFast, [waiter = std::move(waiter),
                               found = Result<Ref<const Identity>>(found)]() mutable {
    waiter->Answer(std::move(found));
  });
}

void Credentials::Expire(const Ref<const Identity>& identity) {
  MutexLock lock(mutex_);
  if (current_ == identity) current_ = nullptr;
}

// ---- The search ----

void Credentials::SearchSoonLocked() {
  if (searching_ || stopped_) return;
  if (thread_.joinable()) thread_.join();  // it has done its work, and takes the lock no more
  // The user's signal handlers never run on a thread of ours: a new one inherits the mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "cs-credentials");
      Refresh();
    });
    searching_ = true;
  } catch (const std::system_error&) {
    for (Ref<Waiter>& each : std::exchange(waiting_, {})) {
      Answer(std::move(each), Fail(Code::kNoMemory, "no thread can be started"));
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Credentials::Refresh() {
  const Result<Ref<const Identity>> found = Search();
  Waiters waiting;
  {
    MutexLock lock(mutex_);
    searching_ = false;
    // A refresh that fails early leaves what is there, until that expires.
    if (found.ok()) current_ = *found;
    not_before_ms_ = found.ok() ? 0 : runtime_->clock().WallMs() + kAgainMs;
    waiting.swap(waiting_);
    idle_.NotifyAll();
  }
  // Handed over, not dropped here: the last one may hold what must join this thread.
  for (Ref<Waiter>& each : waiting) Answer(std::move(each), found);
}

Result<Ref<const Identity>> Credentials::Search() try {
  std::string tried;
  for (const auto& provider : providers_) {
    Result<Ref<const Identity>> found = provider->Fetch(stop_);
    if (found.ok()) return found;
    const Status& status = found.status();
    const std::string what = status.error() ? status.error()->message() : "";
    if (!status.Is(Code::kNotFound)) {
      // What may pass by itself is no refusal.
      const Code code =
          status.retryable() || status.Is(Code::kClosed) ? status.code() : Code::kDenied;
      return Fail(code, std::string("no credentials: ") + provider->name() + ": " +
                            (what.empty() ? CodeName(status.code()) : what))
          .Retryable(status.retryable());
    }
    if (!tried.empty()) tried += ", ";
    tried += provider->name() + (what.empty() ? "" : " (" + what + ")");
  }
  return Fail(Code::kDenied, "no credentials were found; looked at: " + tried)
      .Hint(std::string("set the options access_key and secret_key, or credentials=anonymous; ") +
            kQuicker);
} catch (...) {  // no memory, no thread, no socket
  return Status(Code::kNoMemory);
}

// ---- The end ----

void Credentials::Stop() {
  Waiters waiting;
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    waiting.swap(waiting_);
    thread.swap(thread_);
  }
  stop_->Fire();
  if (thread.joinable()) thread.join();
  for (Ref<Waiter>& each : waiting)
    Answer(std::move(each), Fail(Code::kClosed, "the store was closed"));
}

void Credentials::WaitIdle() {
  MutexLock lock(mutex_);
  while (searching_) idle_.Wait(mutex_);
}

}  // namespace chainstore::s3
