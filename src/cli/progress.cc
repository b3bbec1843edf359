#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace cli {
namespace {

constexpr auto kStep = std::chrono::milliseconds(100);
constexpr uint64_t kBarWidth = 30;

void Draw(const std::string& text) { (void)!write(STDERR_FILENO, text.data(), text.size()); }

}  // namespace

std::string Bytes(uint64_t bytes) {
  static const char* const kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto shown = static_cast<double>(bytes);
  size_t unit = 0;
  while (shown >= 1000 && unit + 1 < std::size(kUnits)) {
    shown /= 1000;
    ++unit;
  }
  char text[32];
  (void)snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", shown, kUnits[unit]);
  return text;
}

Progress::Progress(const char* what, uint64_t total, bool quiet)
    : what_(what), total_(total), shown_(!quiet && isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) Draw("\r\033[K");
}

void Progress::Set(uint64_t done, uint64_t bytes) {
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (now - last_ < kStep) return;
  last_ = now;
  drawn_ = true;
  Draw("\r" + Line(done, bytes, std::chrono::duration<double>(now - begin_).count()) + "\033[K");
}

std::string Progress::Line(uint64_t done, uint64_t bytes, double seconds) const {
  std::string line = std::string(what_) + " ";
  if (total_ != 0) {
    const uint64_t filled = std::min(done, total_) * kBarWidth / total_;
    line += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
  }
  line += std::to_string(done);
  if (total_ != 0) line += "/" + std::to_string(total_);
  if (bytes != 0) line += ", " + Bytes(bytes);
  return line + ", " + std::to_string(static_cast<uint64_t>(static_cast<double>(done) / seconds)) +
         "/s";
}

}  // namespace cli
