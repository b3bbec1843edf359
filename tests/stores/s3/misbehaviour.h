// Misbehaviour: one row of a table that says what an S3 server does wrong, and what the caller of
// the store is told. ExpectOutcome plays one row against a store of its own, and checks beside the
// outcome that it came in time, that the next call works, and that nothing is left behind: no
// connection and no file descriptor.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "support/script_server.h"

namespace chainstore::s3 {

// What is asked of the store.
enum class Ask : uint8_t {
  kGet,          // of the key "k", as all that follows
  kRange,        // three bytes from the second on
  kStat,         // "5": a total size
  kGetMany,      // of a, b and c: "CS_OK CS_OK CS_IO"
  kPut,          // of "value"
  kPutLarge,     // of 8 MiB, more than sockets hold
  kPutIfAbsent,  // of "value"
  kDel,
  kDelMany,  // of a, b and c: "CS_OK CS_OK CS_IO"
  kScan,     // of everything: "a b"
};

struct Misbehaviour {
  std::string what = {};
  Ask ask = Ask::kGet;
  std::vector<ScriptedAnswer> script = {};  // one answer each request; the last one goes on
  Code status = Code::kOk;
  std::string says = {};          // a part of the error's message
  std::string answer = {};        // what came back, if `status` is kOk or kPartial
  size_t requests = 1;            // that the server got; 0: it does not matter
  uint64_t deadline_ms = 10'000;  // of the call, which ends within a second after it
  std::map<std::string, std::string> options = {};  // beside attempts=1
};

void ExpectOutcome(const Misbehaviour& row);

// Shorter words for tables.
inline ScriptedAnswer Says(std::string bytes,
                           ScriptedAnswer::Then then = ScriptedAnswer::Then::kKeep) {
  return {.bytes = std::move(bytes), .then = then};
}
// A status line, headers and a body as they stand: nothing is added.
std::string Raw(const std::string& line, const std::string& headers, const std::string& body = "");

}  // namespace chainstore::s3
