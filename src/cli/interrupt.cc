#include "cli/interrupt.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <csignal>

#include <thread>

namespace cli {
namespace {

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

Interrupt::Interrupt() : token_(cs_cancel_new()), fd_(eventfd(0, EFD_CLOEXEC)) {
  // Blocked in every thread, and waited for by one: no handler runs anywhere.
  const sigset_t set = Watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write
  std::thread([this] { Watch(); }).detach();
}

void Interrupt::Watch() {
  const sigset_t set = Watched();
  for (;;) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    // Stores are safe against it: leaving without a close is like kill -9.
    if (happened()) _exit(128 + number);
    signal_.store(number);
    cs_cancel_fire(token_);
    const uint64_t one = 1;
    (void)!write(fd_, &one, sizeof(one));
  }
}

}  // namespace cli
