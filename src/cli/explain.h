// Explanation: which stores a get asked, as a small tree on the standard error (get --explain).
// Thread safety: one thread; the trace comes on a library thread.
#pragma once

#include <memory>

#include "cli/session.h"

namespace cli {

class Explanation {
 public:
  // Begins to listen, if it is wanted.
  Explanation(Session& session, bool wanted);
  // After the operation has ended: waits for its back-fill too, and prints.
  void Print();

 private:
  struct State;
  const std::shared_ptr<State> state_;  // null: not wanted
};

}  // namespace cli
