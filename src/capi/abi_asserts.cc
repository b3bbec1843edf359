// The numbers of chainstore.h and of the core are the same, so that a crossing translates nothing.
#include <cstddef>

#include "capi/handles.h"
#include "core/answer.h"
#include "core/call.h"

namespace chainstore {
namespace {

#define SAME(ours, theirs) \
  static_assert(static_cast<int64_t>(ours) == static_cast<int64_t>(theirs), #ours)

SAME(Code::kOk, CS_OK);
SAME(Code::kNotFound, CS_NOT_FOUND);
SAME(Code::kEnd, CS_END);
SAME(Code::kWouldBlock, CS_WOULD_BLOCK);
SAME(Code::kTooSmall, CS_TOO_SMALL);
SAME(Code::kExists, CS_EXISTS);
SAME(Code::kInvalid, CS_INVALID);
SAME(Code::kNoMemory, CS_NO_MEMORY);
SAME(Code::kCancelled, CS_CANCELLED);
SAME(Code::kTimeout, CS_TIMEOUT);
SAME(Code::kClosed, CS_CLOSED);
SAME(Code::kBusy, CS_BUSY);
SAME(Code::kUnsupported, CS_UNSUPPORTED);
SAME(Code::kIo, CS_IO);
SAME(Code::kCorrupt, CS_CORRUPT);
SAME(Code::kDenied, CS_DENIED);
SAME(Code::kTooLarge, CS_TOO_LARGE);
SAME(Code::kPartial, CS_PARTIAL);
SAME(Code::kDeadlock, CS_DEADLOCK);
SAME(Code::kForked, CS_FORKED);
SAME(Code::kInternal, CS_INTERNAL);
SAME(Code::kNoSpace, CS_NO_SPACE);

SAME(Call::kSkipCache, CS_CALL_SKIP_CACHE);
SAME(Call::kNoFill, CS_CALL_NO_FILL);
SAME(Call::kIfAbsent, CS_CALL_IF_ABSENT);
SAME(Call::kOwned, CS_CALL_OWNED);
SAME(Call::kKeep, CS_CALL_KEEP);
SAME(Ack::kDefault, CS_ACK_DEFAULT);
SAME(Ack::kAccepted, CS_ACK_ACCEPTED);
SAME(Ack::kJournaled, CS_ACK_JOURNALED);
SAME(Ack::kDelivered, CS_ACK_DELIVERED);

SAME(kResultStale, CS_RESULT_STALE);
SAME(kResultPending, CS_RESULT_PENDING);
SAME(kResultParked, CS_RESULT_PARKED);

#undef SAME

// Frozen for ever: no padding, the same on every 64-bit system.
#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(cs_result) == 128 && sizeof(cs_entry) == 88);
#else
static_assert(sizeof(cs_result) == 96 && sizeof(cs_entry) == 64);
#endif

}  // namespace
}  // namespace chainstore
