// CallUpper: a write, a fill or a repair of a store above the lowest one, which must not hold up
// the key for ever. A call that is given up stays outstanding: the store is barred for its keys,
// and gets no other call of them, until it has come back and a repair has put the keys right.
// Thread safety: any thread that holds the keys' slots.
#pragma once

#include <algorithm>
#include <atomic>

#include "chain/chain.h"
#include "chain/repairs.h"
#include "core/await.h"
#include "core/limit.h"

namespace chainstore {

// Where a call is: whoever comes second knows that the other one was first.
struct UpperCallState final : RefCounted<UpperCallState> {
  enum : int { kPending, kAnswered, kGivenUp };
  std::atomic<int> state{kPending};
};

namespace upper_call_internal {

template <class T, class Start>
void Limited(Ref<Chain> chain, size_t link, ChainOrder::SharedKeys keys, const Call& call,
             Start& start, Done<T> done) {
  auto state = MakeRef<UpperCallState>();
  Call limit = call;
  const int64_t patience = chain->runtime().clock().DeadlineAfterMs(Chain::kUpperPatienceMs);
  limit.deadline_ns = std::min(limit.deadline_ns, patience);
  auto ended = [chain, link, keys, state, done = std::move(done)](T&& answer) mutable {
    // Without an error it is the limit's own answer: the store has not come back.
    if (answer.status.failed() && !answer.status.error()) {
      for (const OwnedKey& key : *keys) chain->order().BeginOutstanding(key, link);
      int pending = UpperCallState::kPending;
      if (!state->state.compare_exchange_strong(pending, UpperCallState::kGivenUp)) {
        for (const OwnedKey& key : *keys) chain->order().EndOutstanding(key, link);
      }
      answer.status = chain->Ended(answer.status.code(), "write above");
    }
    done(std::move(answer));
  };
  auto late = [chain, link, keys, state](T&&) {
    if (state->state.load() != UpperCallState::kGivenUp) return;
    for (const OwnedKey& key : *keys) {
      chain->order().EndOutstanding(key, link);
      chain->repairs().Add(key, link);
    }
  };
  Done<T> limited = LimitDone<T>(chain->runtime_ref(), limit, std::move(ended), std::move(late));
  Call inner = call.With(Wait::kLater);
  start(inner, Done<T>([state, limited = std::move(limited)](T&& answer) mutable {
          int pending = UpperCallState::kPending;
          state->state.compare_exchange_strong(pending, UpperCallState::kAnswered);
          limited(std::move(answer));
        }));
}

}  // namespace upper_call_internal

// `start(call, done)` begins the operation on the link's store; it runs before CallUpper returns.
template <class T, class Start>
void CallUpper(const Ref<Chain>& chain, size_t link, ChainOrder::SharedKeys keys, const Call& call,
               Start start, Done<T> done) {
  if (call.wait == Wait::kHere && !chain->link(link).remote) return start(call, std::move(done));
  if (call.wait != Wait::kHere) {
    return upper_call_internal::Limited<T>(chain, link, std::move(keys), call, start,
                                           std::move(done));
  }
  T answer;
  Await<T>(Call(), &answer, [&](Done<T> here) {
    upper_call_internal::Limited<T>(chain, link, std::move(keys), call, start, std::move(here));
  });
  done(std::move(answer));
}

}  // namespace chainstore
