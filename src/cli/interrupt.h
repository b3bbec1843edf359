// Interrupt: SIGINT, SIGTERM and SIGHUP end what is under way, not the program: a token fires, and
// a descriptor becomes readable. The second one ends the program at once.
// Thread safety: any thread. There is one, made before any other thread, for as long as main runs.
#pragma once

#include <atomic>

#include "chainstore.h"

namespace cli {

class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool happened() const noexcept { return signal_.load() != 0; }
  int signal_number() const noexcept { return signal_.load(); }
  cs_cancel* token() const noexcept { return token_; }
  int fd() const noexcept { return fd_; }

 private:
  void Watch();

  std::atomic<int> signal_{0};
  cs_cancel* const token_;
  const int fd_;
};

}  // namespace cli
