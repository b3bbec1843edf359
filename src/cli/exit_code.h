// The exit codes, by class of status. They are in the manual, and do not change.
#pragma once

#include "chainstore.h"

namespace cli {

enum ExitCode : int {
  kDone = 0,
  kNo = 1,        // an answer: not found, exists
  kUsage = 2,     // the command line, the text of a store, an argument that it refuses
  kLater = 3,     // may succeed later: time was up, busy, in use
  kFailed = 4,    // disk, network, memory, a full store
  kPartial = 5,   // some of it was done
  kDenied = 6,    // no permission
  kCorrupt = 7,   // what is stored does not match its checksum
  kPipe = 141,    // nobody reads the output any more; as a shell says it of SIGPIPE
  kSignal = 128,  // plus the signal's number: interrupted
};

inline int ExitOf(cs_status status) noexcept {
  switch (status) {
    case CS_OK:
    case CS_END:
      return kDone;
    case CS_NOT_FOUND:
    case CS_EXISTS:
      return kNo;
    case CS_INVALID:
    case CS_UNSUPPORTED:
    case CS_TOO_LARGE:
      return kUsage;
    case CS_TIMEOUT:
    case CS_CANCELLED:
    case CS_BUSY:
      return kLater;
    case CS_PARTIAL:
      return kPartial;
    case CS_DENIED:
      return kDenied;
    case CS_CORRUPT:
      return kCorrupt;
    default:
      return kFailed;
  }
}

}  // namespace cli
