// Progress: a line on the standard error that grows while long work goes on: only if that is a
// terminal, and not within the first moment.
// Thread safety: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cli {

class Progress {
 public:
  // `total` 0: not known.
  Progress(const char* what, uint64_t total, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void Set(uint64_t done, uint64_t bytes = 0);

 private:
  using Clock = std::chrono::steady_clock;
  std::string Line(uint64_t done, uint64_t bytes, double seconds) const;

  const char* const what_;
  const uint64_t total_;
  const bool shown_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
  bool drawn_ = false;
};

// "12.3 MB".
std::string Bytes(uint64_t bytes);

}  // namespace cli
