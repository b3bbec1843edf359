#include "cli/output.h"

#include <unistd.h>
#include <cerrno>

namespace cli {
namespace {

constexpr size_t kLargeWrite = size_t{64} << 10;

int WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

bool Output::Write(std::string_view bytes) {
  if (error_ != 0) return false;
  if (bytes.size() >= kLargeWrite) {
    if (Flush()) error_ = WriteAll(fd_, bytes);
    return error_ == 0;
  }
  kept_ += bytes;
  return kept_.size() < kLargeWrite || Flush();
}

bool Output::Flush() {
  if (error_ == 0) error_ = WriteAll(fd_, kept_);
  kept_.clear();
  return error_ == 0;
}

void Complain(const std::string& text) { Note("chainstore: " + text); }

void Note(const std::string& text) { (void)WriteAll(STDERR_FILENO, text + "\n"); }

}  // namespace cli
