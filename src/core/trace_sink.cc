#include "core/trace_sink.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace chainstore {
namespace {

// In one write, so that no other line comes between.
void WriteLine(void*, const char* json, size_t size) {
  const std::string line = std::string(json, size) + '\n';
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

TraceSink::TraceSink(Store* owner) : EventSink(owner, 0) {
  if (InEnvironment()) EventSink::Set(&WriteLine, nullptr, nullptr);
}

bool TraceSink::InEnvironment() {
  const char* const value = getenv("CHAINSTORE_TRACE");
  return value && strcmp(value, "1") == 0;
}

void TraceSink::Set(Function function, void* user_data, Release release) {
  if (!function && InEnvironment()) return EventSink::Set(&WriteLine, nullptr, nullptr);
  EventSink::Set(function, user_data, release);
}

}  // namespace chainstore
