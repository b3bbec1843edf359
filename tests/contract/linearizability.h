// A checker of recorded histories: is there an order of the operations of one key, each at some
// moment between its call and its return, in which every get returned what was put last?
//
// The algorithm is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's
// memory of configurations already tried ("Testing for linearizability", 2017). Keys are checked
// one by one, which is as good as all at once (Herlihy and Wing, 1990: linearizability is local).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace contract {

struct Operation {
  enum class Kind : uint8_t { kPut, kDel, kGet };
  Kind kind;
  // Put: what was put. Get: what was returned, nothing for a miss.
  std::optional<std::string> value;
  int64_t called_at;
  int64_t returned_at;
  // A write whose outcome is not known (a timeout): it may take effect at any time, or never.
  bool maybe = false;
};

// The operations of one key; the key is absent at first. At most 64 at a time may overlap.
bool IsLinearizable(const std::vector<Operation>& history);

}  // namespace contract
