// Call: what every operation carries through every layer: how to wait, until when, the cancel
// token, and the caller's flags. A value: a layer that narrows it (a shorter deadline, another
// flag) passes a changed copy down.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/status.h"
#include "core/cancel.h"
#include "core/trace.h"

namespace chainstore {

enum class Wait : uint8_t {
  kNever,  // complete before returning, from memory, or answer kWouldBlock
  kLater,  // do not block: go to the runtime if the answer needs I/O; may complete inline
  kHere,   // complete before returning; this thread may block, it has nothing else to do
};

// How far a write must have come when it completes (cs_call.ack).
enum class Ack : uint8_t { kDefault = 0, kAccepted = 1, kJournaled = 2, kDelivered = 3 };

struct Call {
  // The bits of cs_call.flags that layers look at.
  enum Flag : uint32_t {
    kSkipCache = 1u << 1,
    kNoFill = 1u << 2,
    kIfAbsent = 1u << 3,
    kOwned = 1u << 5,
    kKeep = 1u << 6,
    // From here on internal; they are never taken from a caller.
    // A chain's back-fill (Put) or forgetting (Del): changes caches only. It is never journalled
    // and stops above a write-behind; an LRU that cannot take it passes it by and says OK.
    kFill = 1u << 16,
    // With kNever: a hit is a hit in every respect, but a miss must leave no trace, because a
    // store further down may have to block. NoteMiss follows if the miss counts after all.
    kSpeculative = 1u << 17,
    // A chain's write to a store above its lowest one: a copy. A bounded store may pass it by,
    // after it has deleted what it held of the key.
    kUpper = 1u << 18,
  };

  Wait wait = Wait::kHere;
  Ack ack = Ack::kDefault;
  uint16_t span = Trace::kNone;  // of `trace`: whose operation this is a part of
  uint32_t flags = 0;
  int64_t deadline_ns = kForeverNs;  // Clock::SteadyNs
  Ref<CancelToken> cancel;           // null: cannot be cancelled
  Ref<Trace> trace;                  // null: nobody wants to know (see core/below.h)

  bool Has(Flag flag) const noexcept { return (flags & flag) != 0; }
  bool limited() const noexcept { return deadline_ns != kForeverNs || cancel; }
  // kCancelled, kTimeout, or OK. Asked before work begins and between its steps.
  Code Check(const Clock& clock = Clock::System()) const noexcept {
    if (cancel && cancel->fired()) return Code::kCancelled;
    if (deadline_ns != kForeverNs && clock.SteadyNs() >= deadline_ns) return Code::kTimeout;
    return Code::kOk;
  }
  // A call of its own for work that this one started: it shares nothing but the trace.
  Call Apart(Wait other) const {
    Call call;
    call.wait = other;
    call.span = span;
    call.trace = trace;
    return call;
  }
  Call With(Wait other) const {
    Call call = *this;
    call.wait = other;
    return call;
  }
};

}  // namespace chainstore
