// Trips: single flight. Misses of one key that have to leave the process share one trip down. A
// trip is the chain's own call: it has no deadline of its own, each waiter keeps his, and it is
// cancelled when the last waiter has left.
// Thread safety: any thread. Invariant: a get joins only a trip that began at the key's current
// generation, with the same flags and range, while no write of the key was or is under way.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "chain/chain.h"
#include "chain/chain_fill.h"

namespace chainstore {

class Trips {
 public:
  explicit Trips(Chain& chain);
  ~Trips();

  struct Wanted {
    size_t link;
    OwnedKey key;
    Read read;
    ChainOrder::Tickets tickets;  // noted before the get looked below
    uint64_t missed;              // the links to fill when it is found
  };
  // `done` gets the link's answer, or the end of the call's own time.
  void Go(Wanted wanted, const Call& call, Done<Answer> done);

 private:
  struct Trip;
  using Table = std::unordered_multimap<std::string, Ref<Trip>>;
  // The flags that change what a store answers.
  static constexpr uint32_t kFlags = Call::kSkipCache | Call::kNoFill | Call::kOwned;

  Ref<Trip> JoinOrBegin(const Wanted& wanted, const Call& call, Done<Answer>* done, bool* begun);
  Ref<Trip> FindLocked(const Wanted& wanted, const Call& call) CS_REQUIRES(mutex_);
  void Leave(const Ref<Trip>& trip);
  void End(const Ref<Trip>& trip, Answer answer);
  void RemoveLocked(const Ref<Trip>& trip) CS_REQUIRES(mutex_);

  Chain& chain_;
  Mutex mutex_;
  Table table_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
