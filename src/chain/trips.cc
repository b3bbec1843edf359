#include "chain/trips.h"

#include <cassert>

#include "core/await.h"
#include "core/limit.h"

namespace chainstore {

struct Trips::Trip final : RefCounted<Trip> {
  Trip(Chain& chain, const Wanted& wanted, const Call& call)
      : wanted(wanted),
        flags(call.flags & kFlags),
        asked(call.Apart(Wait::kLater)),
        cancel(MakeRef<CancelToken>()),
        pass(chain.gate()) {}
  const Wanted wanted;
  const uint32_t flags;
  const Call asked;  // nothing but the trace of who began it
  const Ref<CancelToken> cancel;
  const GatePass pass;
  std::vector<Done<Answer>> waiters;  // guarded by Trips::mutex_, as what follows
  size_t waiting = 0;                 // of them, who have not left
  bool listed = true;
};

Trips::Trips(Chain& chain) : chain_(chain) {}

Trips::~Trips() { assert(table_.empty()); }

void Trips::Go(Wanted wanted, const Call& call, Done<Answer> done) {
  Ref<Trip> trip;
  bool begun = false;
  // A waiter's limit ends with a bare code; every answer of a store carries an error.
  const auto left = [](const Answer& answer) {
    return answer.status.failed() && !answer.status.error();
  };
  if (call.wait == Wait::kHere) {
    Answer answer;
    const Code ended = Await<Answer>(
        call, &answer, [&](Done<Answer> here) { trip = JoinOrBegin(wanted, call, &here, &begun); });
    if (ended != Code::kOk) {
      Leave(trip);
      answer = Answer(chain_.Ended(ended, "get"));
    }
    return done(std::move(answer));
  }
  // The limited continuation must know its trip, which does not exist yet.
  struct Place {
    Ref<Trip> trip;
    bool left = false;
  };
  auto place = std::make_shared<Place>();
  auto limited = LimitDone<Answer>(chain_.runtime_ref(), call,
                                   [this, chain = Ref<Chain>(&chain_), place, left,
                                    done = std::move(done)](Answer&& answer) mutable {
                                     if (left(answer)) {
                                       MutexLock lock(mutex_);
                                       place->left = true;
                                       const Ref<Trip> trip = place->trip;
                                       lock.Unlock();
                                       if (trip) Leave(trip);
                                       answer = Answer(chain->Ended(answer.status.code(), "get"));
                                     }
                                     done(std::move(answer));
                                   });
  trip = JoinOrBegin(wanted, call, &limited, &begun);
  MutexLock lock(mutex_);
  place->trip = trip;
  const bool gone = place->left;
  lock.Unlock();
  if (gone) Leave(trip);
}

Ref<Trips::Trip> Trips::FindLocked(const Wanted& wanted, const Call& call) {
  auto [at, end] = table_.equal_range(wanted.key.bytes());
  for (; at != end; ++at) {
    const Trip& trip = *at->second;
    if (trip.wanted.link == wanted.link && trip.wanted.read == wanted.read &&
        trip.flags == (call.flags & kFlags) &&
        chain_.order().StillIdle(wanted.key, trip.wanted.tickets)) {
      return at->second;
    }
  }
  return nullptr;
}

Ref<Trips::Trip> Trips::JoinOrBegin(const Wanted& wanted, const Call& call, Done<Answer>* done,
                                    bool* begun) {
  Ref<Trip> trip;
  {
    MutexLock lock(mutex_);
    trip = FindLocked(wanted, call);
    if (!trip) {
      trip = MakeRef<Trip>(chain_, wanted, call);
      table_.emplace(wanted.key.bytes(), trip);
      *begun = true;
    }
    trip->waiters.push_back(std::move(*done));
    ++trip->waiting;
  }
  if (!*begun) return trip;
  // The way of the one who began it; who joins sees nothing below.
  Call own = call.Apart(Wait::kLater);
  own.flags = call.flags;
  own.cancel = trip->cancel;
  chain_.link(wanted.link)
      .below()
      .Get(trip->wanted.key, trip->wanted.read, own,
           [this, chain = Ref<Chain>(&chain_), trip](Answer&& answer) {
             End(trip, std::move(answer));
           });
  return trip;
}

void Trips::Leave(const Ref<Trip>& trip) {
  {
    MutexLock lock(mutex_);
    if (--trip->waiting > 0) return;
    RemoveLocked(trip);  // nobody may join a trip that is being cancelled
  }
  trip->cancel->Fire();
}

void Trips::RemoveLocked(const Ref<Trip>& trip) {
  if (!std::exchange(trip->listed, false)) return;
  auto [at, end] = table_.equal_range(trip->wanted.key.bytes());
  while (at != end && !(at->second == trip)) ++at;
  assert(at != end);
  table_.erase(at);
}

void Trips::End(const Ref<Trip>& trip, Answer answer) {
  std::vector<Done<Answer>> waiters;
  {
    MutexLock lock(mutex_);
    RemoveLocked(trip);
    waiters.swap(trip->waiters);
  }
  auto deliver = [trip, waiters = std::move(waiters), answer]() mutable {
    for (Done<Answer>& waiter : waiters) waiter(Answer(answer));
  };
  const Wanted& wanted = trip->wanted;
  const bool fills = answer.status.ok() && answer.value && wanted.missed != 0 &&
                     wanted.read == Read::Whole() && !(trip->flags & Call::kNoFill) &&
                     chain_.fill_mode() != Chain::FillMode::kOff;
  if (!fills) return deliver();
  const Call later = trip->asked.Apart(Wait::kLater);
  StartFill(
      Ref<Chain>(&chain_),
      Fill{wanted.key, answer.value, answer.meta.expires_at_ms, wanted.tickets, wanted.missed},
      later, std::move(deliver));
}

}  // namespace chainstore
