// ReadSecretFile: a small file that may hold secrets: no copy of it stays behind.
#pragma once

#include <string>

#include "base/bytes.h"
#include "stores/s3/secret.h"

namespace chainstore::s3 {

// 0 or an errno (EFBIG: more than `max_size` bytes). Links are followed: a token that Kubernetes
// mounts is one. Never waits, whatever kind of file it is.
int ReadSecretFile(const std::string& path, size_t max_size, Secret* out);

}  // namespace chainstore::s3
