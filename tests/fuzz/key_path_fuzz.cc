// The key codec of the filesystem store, from both ends: the bytes as a key, and as a path that
// somebody else has put below the root.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "stores/filesystem/key_path.h"

namespace {

using chainstore::Bytes;

void Require(bool holds) {
  if (!holds) abort();
}

void CheckKey(Bytes key) {
  const chainstore::KeyPath path(key);
  Bytes rest = path.text();
  Require(path.c_str()[rest.size()] == '\0' && rest.find('\0') == Bytes::npos);
  for (bool first = true;; first = false) {
    const size_t slash = rest.find('/');
    const Bytes name = rest.substr(0, slash);
    Require(!name.empty() && name.size() <= chainstore::kMaxNameSize);
    Require(name != "." && name != ".." && name != chainstore::kOwnFile);
    Require(!first || name != ".chainstore");
    if (slash == Bytes::npos) break;
    rest.remove_prefix(slash + 1);
  }
  // Exact decoding of every path makes the codec injective.
  std::string decoded;
  Require(chainstore::DecodePath(path.text(), &decoded) && decoded == key);
  const std::string own = std::string(path.text()) + "/" + chainstore::kOwnFile;
  Require(chainstore::DecodePath(own, &decoded) && decoded == key);
}

void CheckPath(Bytes path) {
  std::string key;
  if (!chainstore::DecodePath(path, &key)) return;
  const chainstore::KeyPath exact(key);
  Require(path == exact.text() || path == std::string(exact.text()) + "/" + chainstore::kOwnFile);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  if (!input.empty() && input.size() <= chainstore::kMaxKeySize) CheckKey(input);
  CheckPath(input);
  return 0;
}
