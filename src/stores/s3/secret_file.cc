#include "stores/s3/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace chainstore::s3 {

int ReadSecretFile(const std::string& path, size_t max_size, Secret* out) {
  // O_NONBLOCK: a pipe that nobody writes to counts as empty.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return errno;
  std::string text(max_size + 1, '\0');  // at once: a string that grows leaves copies behind
  size_t size = 0;
  int failed = 0;
  while (size <= max_size) {
    const ssize_t part = read(file.get(), text.data() + size, text.size() - size);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0 && errno != EAGAIN) failed = errno;
    if (part <= 0) break;
    size += static_cast<size_t>(part);
  }
  if (size > max_size) failed = EFBIG;
  if (failed == 0) *out = Secret(Bytes(text).substr(0, size));
  OPENSSL_cleanse(text.data(), size < text.size() ? size : text.size());
  return failed;
}

}  // namespace chainstore::s3
