// Identity: who signs. CredentialProvider: one place where an identity may be found. Credentials:
// the chain of providers with its answer, which is kept, refreshed before it expires by one search
// at a time, and used until it has expired. A search that may take long has a thread of its own,
// which is there as long as the search: no lane of the runtime waits for a slow endpoint.
// Thread safety: Credentials from any thread; a provider is asked by one thread at a time, an
// instant one by any.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/function.h"
#include "base/mutex.h"
#include "base/result.h"
#include "core/call.h"
#include "core/runtime.h"
#include "stores/s3/secret.h"

namespace chainstore::s3 {

struct Identity : RefCounted<Identity> {
  std::string access_key;
  Secret secret;
  Secret session_token;       // empty: none
  int64_t expires_at_ms = 0;  // Unix time; 0: never
  bool anonymous = false;     // requests are not signed at all
  bool fixed = false;         // another search finds the same
  std::string source;         // the provider's name
};

class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;
  virtual const char* name() const noexcept = 0;
  // Whether Fetch neither blocks nor changes anything.
  virtual bool is_instant() const noexcept { return false; }
  // May block, for a bounded time, and not after `stop` has fired. kNotFound, perhaps with the
  // reason: nothing is set up for this provider, and the next one is asked. Another failure ends
  // the search: what is set up does not work.
  virtual Result<Ref<const Identity>> Fetch(const Ref<CancelToken>& stop) = 0;
};

class Credentials final : public RefCounted<Credentials> {
 public:
  using Providers = std::vector<std::unique_ptr<CredentialProvider>>;
  using Found = UniqueFunction<void(Result<Ref<const Identity>>&&)>;
  static constexpr int64_t kEarlyMs = 5 * 60 * 1000;
  // A refresh that was early and failed is tried again after this.
  static constexpr int64_t kAgainMs = 10 * 1000;

  // Calls that wait end when `closing` (may be null) fires.
  Credentials(std::string store_name, Ref<Runtime> runtime, Providers providers,
              Ref<CancelToken> closing = nullptr);
  ~Credentials();

  // Inline where there is one that has not expired, else on a library thread; at the call's
  // deadline, or when its token fires, without one.
  void Get(const Call& call, Found found) CS_EXCLUDES(mutex_);
  // The server says that `identity` has expired: the next Get looks for another one.
  void Expire(const Ref<const Identity>& identity) CS_EXCLUDES(mutex_);
  // Ends the search that is under way; whoever waits or comes later is told kClosed. May block.
  void Stop() CS_EXCLUDES(mutex_);
  // Until no search is under way.
  void WaitIdle() CS_EXCLUDES(mutex_);

 private:
  class Waiter;
  using Waiters = std::vector<Ref<Waiter>>;
  Ref<const Identity> UsableLocked() CS_REQUIRES(mutex_);
  void AddWaiterLocked(const Call& call, Found found) CS_REQUIRES(mutex_);
  void SearchSoonLocked() CS_REQUIRES(mutex_);
  void Refresh() CS_EXCLUDES(mutex_);
  Result<Ref<const Identity>> Search();
  void GiveUp(const Ref<Waiter>& waiter, Code ended) CS_EXCLUDES(mutex_);
  void Answer(Ref<Waiter> waiter, const Result<Ref<const Identity>>& found);
  Failure Fail(Code code, std::string what) const;

  const std::string store_name_;
  const Ref<Runtime> runtime_;
  const Providers providers_;  // used by the one search under way
  const Ref<CancelToken> closing_;
  const Ref<CancelToken> stop_ = MakeRef<CancelToken>();
  Mutex mutex_;
  CondVar idle_;
  Ref<const Identity> current_ CS_GUARDED_BY(mutex_);
  int64_t not_before_ms_ CS_GUARDED_BY(mutex_) = 0;  // no early refresh until then
  bool searching_ CS_GUARDED_BY(mutex_) = false;
  bool stopped_ CS_GUARDED_BY(mutex_) = false;
  Waiters waiting_ CS_GUARDED_BY(mutex_);
  std::thread thread_ CS_GUARDED_BY(mutex_);  // of the search under way, or of the last one
};

}  // namespace chainstore::s3
