#include "stores/leveldb/engine_status.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace chainstore {
namespace {

// LevelDB's text, but for the one message that would carry a key's bytes into a log.
std::string EngineText(const leveldb::Status& status) {
  const std::string text = status.ToString();
  const size_t key_at = text.find("corrupted key for ");
  return key_at == std::string::npos ? text : text.substr(0, key_at) + "corrupted key";
}

Code CodeOf(const leveldb::Status& status, int error_number) {
  // A file that is not there is damage: LevelDB names files only in its own records.
  if (status.IsCorruption() || status.IsNotFound()) return Code::kCorrupt;
  if (status.IsNotSupportedError()) return Code::kUnsupported;
  if (status.IsInvalidArgument()) return Code::kInvalid;
  return error_number != 0 ? CodeOfErrno(error_number) : Code::kIo;
}

}  // namespace

int EngineErrno(const leveldb::Status& status) {
  if (!status.IsIOError()) return 0;
  const std::string text = status.ToString();
  // Linux has no errno above 133; a number that is not used reads "Unknown error N" and is passed.
  for (int candidate = 1; candidate <= 133; ++candidate) {
    if (text.ends_with(std::string(": ") + strerror(candidate))) return candidate;
  }
  return 0;
}

Failure EngineFailure(std::string_view store, std::string_view operation,
                      std::string_view directory, const leveldb::Status& status) {
  const int error_number = EngineErrno(status);
  const Code code = CodeOf(status, error_number);
  Failure failure(code, "LevelDB: " + EngineText(status));
  failure.Store(store).Op(operation).Path(directory);
  if (error_number != 0) failure.Detail("errno", std::to_string(error_number));
  if (code == Code::kCorrupt) failure.Hint(kRepairHint);
  if (code == Code::kNoSpace) failure.Hint("make room; the store goes on by itself");
  return failure;
}

}  // namespace chainstore
