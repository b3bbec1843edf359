#include "contract/custom_subject.h"

namespace contract {
namespace {

// What a wrapper may say of itself: all that its store can, but for batches.
uint32_t CapsOf(cs_store* inner) { return cs_store_caps(inner) & ~uint32_t{CS_CAP_ATOMIC_BATCH}; }

void Forward(void* context, cs_request* request) {
  cs_request_forward(request, static_cast<cs_store*>(context));
}

void Answer(void* request, cs_result* result) {
  cs_request_done(static_cast<cs_request*>(request), result);
}

// One page of the request's range, by a scan of the inner store.
struct PageScan {
  cs_request* request;
  cs_scan* scan;
};

void AnswerPage(void* user_data, cs_result* result) {
  const std::unique_ptr<PageScan> page(static_cast<PageScan*>(user_data));
  cs_scan_free(page->scan);
  cs_request_done(page->request, result);
}

cs_status AskPage(cs_store* inner, cs_request* request, const cs_call& call) {
  cs_range range;
  cs_request_range(request, &range);
  cs_scan* const scan = cs_scan_new(inner, &range, nullptr);
  if (!scan) return CS_INTERNAL;
  auto page = std::make_unique<PageScan>(PageScan{request, scan});
  const cs_status status = cs_scan_next(scan, &call, AnswerPage, page.get());
  if (status == CS_OK) {
    page.release();
  } else {
    cs_scan_free(scan);
  }
  return status;
}

cs_status Start(cs_store* inner, cs_request* request, const cs_call& call) {
  size_t size = 0;
  const void* const key = cs_request_key(request, &size);
  switch (cs_request_op(request)) {
    case CS_OP_GET:
      return cs_get(inner, key, size, &call, Answer, request);
    case CS_OP_GET_RANGE: {
      uint64_t offset = 0, length = 0;
      cs_request_slice(request, &offset, &length);
      return cs_get_range(inner, key, size, offset, length, &call, Answer, request);
    }
    case CS_OP_STAT:
      return cs_stat(inner, key, size, &call, Answer, request);
    case CS_OP_PUT:
      return cs_put_value(inner, key, size, cs_request_value(request), &call, Answer, request);
    case CS_OP_DEL:
      return cs_del(inner, key, size, &call, Answer, request);
    case CS_OP_SCAN:
      return AskPage(inner, request, call);
    case CS_OP_FLUSH:
      return cs_flush(inner, key, size, &call, Answer, request);
    default:
      return CS_UNSUPPORTED;  // a close: there is nothing of its own to close
  }
}

void Ask(void* context, cs_request* request) {
  cs_store* const inner = static_cast<cs_store*>(context);
  cs_call call;
  const uint32_t wait = cs_request_call(request, &call);
  cs_result answer = CS_RESULT_INIT;
  if (wait == CS_WAIT_NEVER) {
    size_t size = 0;
    const void* const key = cs_request_key(request, &size);
    answer.status = CS_WOULD_BLOCK;
    if (cs_request_op(request) == CS_OP_GET) cs_get_try(inner, key, size, &answer);
    return cs_request_done(request, &answer);
  }
  answer.status = Start(inner, request, call);
  if (answer.status != CS_OK) cs_request_done(request, &answer);
}

Client Custom(const char* name, void (*submit)(void*, cs_request*), Client inner) {
  cs_store_ops ops = CS_STORE_OPS_INIT;
  ops.caps = CapsOf(inner.get());
  ops.submit = submit;
  cs_store* const wrapped = inner.get();
  cs_error* error = nullptr;
  cs_store* const store = cs_custom_new(name, &ops, wrapped, &wrapped, 1, nullptr, &error);
  if (!store) {
    ADD_FAILURE() << cs_error_message(error);
    cs_error_unref(error);
  }
  return Client(store);
}

}  // namespace

Client Forwarding(Client inner) { return Custom("forwarding", Forward, std::move(inner)); }
Client Asking(Client inner) { return Custom("asking", Ask, std::move(inner)); }

}  // namespace contract
