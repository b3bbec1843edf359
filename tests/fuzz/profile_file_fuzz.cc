// AWS's profile files, as both kinds: whatever stands in them, and the command line of a
// credential_process.
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/credential_process.h"
#include "stores/s3/profile_file.h"
#endif

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

#ifdef CHAINSTORE_WITH_S3
using chainstore::Bytes;
using chainstore::s3::ProfileFiles;

void Require(bool holds) {
  if (!holds) abort();
}

void ReadFile(Bytes input, ProfileFiles::Kind kind) {
  ProfileFiles files;
  const chainstore::Status status = files.Add(input, kind, "file");
  // A failure names a line and shows nothing of it.
  if (!status.ok()) Require(status.error()->message().size() < 80);
  if (const auto* profile = files.Find("default")) {
    for (const auto& [name, value] : profile->settings) {
      Require(!name.empty() && name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ\n") == Bytes::npos);
      Require(value.Reveal().find('\n') == Bytes::npos);
    }
  }
  // What one file says holds when it says it again.
  if (status.ok()) Require(files.Add(input, kind, "file").ok());
}
#endif

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
#ifdef CHAINSTORE_WITH_S3
  const Bytes input(reinterpret_cast<const char*>(data), size);
  ReadFile(input, ProfileFiles::Kind::kConfig);
  ReadFile(input, ProfileFiles::Kind::kCredentials);
  std::vector<std::string> words;
  if (chainstore::s3::SplitCommand(input, &words)) Require(!words.empty());
#else
  (void)data, (void)size;
#endif
  return 0;
}
