#include "capi/call.h"

namespace chainstore {
namespace {

constexpr uint32_t kKnownFlags = CS_CALL_INLINE | CS_CALL_SKIP_CACHE | CS_CALL_NO_FILL |
                                 CS_CALL_IF_ABSENT | CS_CALL_NO_WAIT | CS_CALL_OWNED | CS_CALL_KEEP;
// What the layers look at; the rest is the front door's own business.
constexpr uint32_t kLayerFlags =
    CS_CALL_SKIP_CACHE | CS_CALL_NO_FILL | CS_CALL_IF_ABSENT | CS_CALL_OWNED | CS_CALL_KEEP;
// An expiry is stored in 48 bits of milliseconds: until the year 10889.
constexpr uint64_t kExpiryEnd = uint64_t{1} << 48;

}  // namespace

const char* ReadGivenCall(const cs_call* in, Kind kind, const Store& store, CallIn* out) noexcept {
  cs_call call;
  if (const char* wrong = ReadSized(*in, &call)) return wrong;
  if ((call.flags & ~kKnownFlags) != 0) return "call.flags has an unknown flag";
  if (call.reserved != 0) return "call.reserved is not 0";
  if (call.ack > CS_ACK_DELIVERED) return "call.ack is unknown";
  out->call.flags = call.flags & kLayerFlags;
  out->may_be_inline = (call.flags & CS_CALL_INLINE) != 0;
  if ((call.flags & CS_CALL_NO_WAIT) != 0) out->call.wait = Wait::kNever;
  if (kind == Kind::kWrite) {
    out->call.ack = static_cast<Ack>(call.ack);
    out->ttl_ms = call.ttl_ms;
  }
  if (call.timeout_ms != 0 && call.timeout_ms != CS_FOREVER) {
    out->call.deadline_ns = store.runtime().clock().DeadlineAfterMs(call.timeout_ms);
  }
  out->call.cancel = Ref<CancelToken>(Unwrap(call.cancel));
  out->queue = call.queue;
  return nullptr;
}

Status CheckWrite(const Store& store, const char* operation, const CallIn& in,
                  int64_t* expires_at_ms) noexcept {
  *expires_at_ms = 0;
  if (in.ttl_ms != 0) {
    const auto now_ms = static_cast<uint64_t>(store.runtime().clock().WallMs());
    if (in.ttl_ms >= kExpiryEnd || now_ms + in.ttl_ms >= kExpiryEnd) {
      return Invalid(&store, operation,
                     "ttl_ms is too large: an expiry must lie before the year "
                     "10889");
    }
    *expires_at_ms = static_cast<int64_t>(now_ms + in.ttl_ms);
  }
  if (in.call.ack == Ack::kJournaled && (store.caps() & kCapBehind) == 0) {
    try {
      return Failure(Code::kUnsupported, "there is no journal: CS_ACK_JOURNALED cannot be")
          .Store(store.name())
          .Op(operation);
    } catch (...) {
      return OutOfMemory();
    }
  }
  return Status();
}

}  // namespace chainstore
