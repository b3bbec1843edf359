// Outcome: what the inner store's answer to a delivery means for the queue.
#pragma once

#include "base/status.h"

namespace chainstore::behind {

enum class Outcome : uint8_t {
  kDelivered,
  kTransient,  // did not happen; may well work later
  kAmbiguous,  // may have happened, or may still: the same operation has to be repeated
  kRefused,    // did not happen, for a reason that will not go away by itself
  kPoison,     // this record can never be stored there
  kWholeStore  // refused, for a reason that concerns every key
};

// What a put or (is_delete) a delete of this ending was.
Outcome OutcomeOf(const Status& status, bool is_delete) noexcept;

// Whether an operation that ended so may have taken effect, or may do so still. An ending that is
// not clearly a refusal counts: repeating an operation is harmless, sending a different one too
// early is not.
bool MayHaveHappened(Code code) noexcept;

}  // namespace chainstore::behind
