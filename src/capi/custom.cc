// Custom stores: cs_custom_new, and what a request says of itself.
#include <algorithm>

#include "capi/call.h"
#include "capi/custom_store.h"
#include "capi/guard.h"
#include "capi/inner.h"
#include "capi/options.h"

namespace chainstore {
namespace {

static_assert(static_cast<uint32_t>(Wait::kNever) == CS_WAIT_NEVER);
static_assert(static_cast<uint32_t>(Wait::kLater) == CS_WAIT_LATER);
static_assert(static_cast<uint32_t>(Wait::kHere) == CS_WAIT_HERE);

bool IsName(std::string_view name) {
  constexpr size_t kMaxName = 64;
  const auto known = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), known);
}

const char* CheckOps(const cs_store_ops* in, cs_store_ops* ops) {
  constexpr uint32_t kPublic = (uint32_t{CS_CAP_LOOP} << 1) - 1;
  if (!in) return "ops is NULL";
  if (const char* wrong = ReadSized(*in, ops)) return wrong;
  if (!ops->submit) return "ops.submit is NULL";
  if ((ops->caps & ~kPublic) != 0) return "ops.caps has an unknown capability";
  if ((ops->caps & CS_CAP_ATOMIC_BATCH) != 0) {
    return "ops.caps has CS_CAP_ATOMIC_BATCH: a custom store is asked for one key at a time";
  }
  return nullptr;
}

Result<Ref<Store>> NewCustom(const char* name, const cs_store_ops* in, void* context,
                             cs_store* const* inner, size_t count, const cs_options* options) {
  const auto invalid = [](const char* what) {
    return Failure(Code::kInvalid, what).Store("custom").Op("open");
  };
  constexpr size_t kMaxInner = 32;
  cs_store_ops ops;
  if (!name || !IsName(name)) {
    return invalid("the name is not 1 to 64 of the characters A-Z a-z 0-9 _ . -");
  }
  if (const char* wrong = CheckOps(in, &ops)) return invalid(wrong);
  if (!inner && count != 0) return invalid("inner is NULL, inner_count is not 0");
  if (count > kMaxInner) return invalid("a custom store has at most 32 inner stores");
  const auto values = OptionValues::Parse("custom", {}, OptionsOf(options));
  if (!values.ok()) return values.status();
  std::vector<Ref<Store>> stores;
  for (size_t at = 0; at < count; ++at) {
    if (Status wrong = CheckInner(name, inner[at]); !wrong.ok()) return wrong;
    stores.emplace_back(Unwrap(inner[at]));
  }
  Ref<Runtime> runtime = RuntimeFor(OptionsOf(options), stores.empty() ? nullptr : stores[0].get());
  return Ref<Store>(
      MakeRef<CustomStore>(name, ops, context, std::move(stores), std::move(runtime)));
}

// At least 1: 0 would be no limit at all.
uint64_t LeftMs(int64_t until, int64_t now, int64_t unit) {
  return until <= now ? 1 : static_cast<uint64_t>((until - now - 1) / unit + 1);
}

void ShowCall(const cs_request& request, cs_call* out) {
  const Asked& asked = request.asked();
  const Clock& clock = request.store().runtime().clock();
  constexpr int64_t kMs = 1000000;
  *out = CS_CALL_INIT;
  out->flags = asked.call.flags & (CS_CALL_SKIP_CACHE | CS_CALL_NO_FILL | CS_CALL_IF_ABSENT |
                                   CS_CALL_OWNED | CS_CALL_KEEP);
  if (asked.call.wait == Wait::kNever) out->flags |= CS_CALL_NO_WAIT;
  if (asked.call.deadline_ns != kForeverNs) {
    out->timeout_ms = LeftMs(asked.call.deadline_ns, clock.SteadyNs(), kMs);
  }
  out->cancel = Wrap(asked.call.cancel.get());
  if (asked.expires_at_ms != 0) out->ttl_ms = LeftMs(asked.expires_at_ms, clock.WallMs(), 1);
  out->ack = static_cast<uint32_t>(asked.call.ack);
}

void ShowRange(const Range& range, cs_range* out) {
  *out = CS_RANGE_INIT;
  if (range.reverse) out->flags |= CS_SCAN_REVERSE;
  if (range.keys_only) out->flags |= CS_SCAN_KEYS_ONLY;
  out->prefix = range.prefix.data();
  out->prefix_size = range.prefix.size();
  out->start = range.start.data();
  out->start_size = range.start.size();
  out->end = range.end.data();
  out->end_size = range.has_end ? range.end.size() : 0;
  out->page_size = range.Limit();
}

}  // namespace
}  // namespace chainstore

using chainstore::Unwrap;

extern "C" {

cs_store* cs_custom_new(const char* name, const cs_store_ops* ops, void* context,
                        cs_store* const* inner, size_t inner_count, const cs_options* options,
                        cs_error** error) {
  return chainstore::GuardHandle(error, [&] {
    return chainstore::NewCustom(name, ops, context, inner, inner_count, options);
  });
}

uint32_t cs_request_op(const cs_request* request) { return request ? request->asked().op : 0; }

uint32_t cs_request_call(const cs_request* request, cs_call* call) {
  if (call) *call = CS_CALL_INIT;
  if (!request) return CS_WAIT_NEVER;
  if (call) chainstore::ShowCall(*request, call);
  return static_cast<uint32_t>(request->asked().call.wait);
}

const void* cs_request_key(const cs_request* request, size_t* size) {
  if (size) *size = request ? request->asked().key.bytes().size() : 0;
  return request ? request->asked().key.bytes().data() : "";
}

cs_value* cs_request_value(const cs_request* request) {
  return request ? chainstore::Wrap(request->asked().value.get()) : nullptr;
}

void cs_request_range(const cs_request* request, cs_range* range) {
  if (!range) return;
  *range = CS_RANGE_INIT;
  if (request) chainstore::ShowRange(request->asked().range, range);
}

void cs_request_slice(const cs_request* request, uint64_t* offset, uint64_t* length) {
  const chainstore::Read read = request ? request->asked().read : chainstore::Read();
  if (offset) *offset = read.offset;
  if (length) *length = read.length;
}

cs_status cs_request_on_cancel(cs_request* request, void (*fn)(void* user_data), void* user_data,
                               void (*release)(void* user_data)) {
  if (!request || !fn) return CS_INVALID;
  return chainstore::Guard([&] { return request->OnCancel(fn, user_data, release); });
}

cs_status cs_request_add(cs_request* request, const cs_entry* entry) {
  if (!request || !entry) return CS_INVALID;
  return chainstore::Guard([&] { return request->Add(*entry); });
}

void cs_request_done(cs_request* request, cs_result* answer) {
  if (request) {
    request->Finish(answer);
  } else {
    cs_result_release(answer);
  }
}

void cs_request_forward(cs_request* request, cs_store* store) {
  if (request) request->Forward(store);
}

}  // extern "C"
