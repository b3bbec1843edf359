#include "managers/write_behind/outcome.h"

namespace chainstore::behind {

Outcome OutcomeOf(const Status& status, bool is_delete) noexcept {
  switch (status.code()) {
    case Code::kOk:
      return Outcome::kDelivered;
    case Code::kNotFound:
      return is_delete ? Outcome::kDelivered : Outcome::kRefused;
    case Code::kBusy:
    case Code::kNoMemory:
    case Code::kNoSpace:
    case Code::kWouldBlock:
      return Outcome::kTransient;
    case Code::kTimeout:
    case Code::kCancelled:
    case Code::kIo:
      return Outcome::kAmbiguous;
    case Code::kTooLarge:
    case Code::kInvalid:
      return Outcome::kPoison;
    case Code::kDenied:
    case Code::kClosed:
    case Code::kForked:
      return Outcome::kWholeStore;
    case Code::kUnsupported:
    case Code::kDeadlock:
    case Code::kExists:
    case Code::kTooSmall:
    case Code::kEnd:
      return Outcome::kRefused;
    case Code::kInternal:
    case Code::kCorrupt:
    case Code::kPartial:
      break;
  }
  // Unknown ends: retryable ones are repeated for ever, the others count as a refusal.
  return status.retryable() ? Outcome::kAmbiguous : Outcome::kRefused;
}

bool MayHaveHappened(Code code) noexcept {
  switch (code) {
    case Code::kTimeout:
    case Code::kCancelled:
    case Code::kIo:
    case Code::kInternal:
    case Code::kCorrupt:
    case Code::kPartial:
      return true;
    default:
      return false;
  }
}

}  // namespace chainstore::behind
