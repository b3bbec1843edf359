// Runs a function in a forked child, for what only another process can show: locks, privileges,
// kill -9. The child exits with the function's result, 0 to 255, and runs nothing of the test's.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "gtest/gtest.h"

namespace chainstore {

inline pid_t StartChild(const std::function<int()>& run) {
  const pid_t child = fork();
  if (child == 0) _exit(run());
  return child;
}

// Its exit code, or 1000 + the signal that ended it.
inline int WaitChild(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

inline int RunInChild(const std::function<int()>& run) { return WaitChild(StartChild(run)); }

}  // namespace chainstore
