#include "capi/error.h"

#include <new>

#include "capi/guard.h"
#include "capi/options.h"
#include "core/limit.h"

namespace chainstore {
namespace {

// What a status means by itself.
const char* Explain(Code code) noexcept {
  switch (code) {
    case Code::kForked:
      return "the handle belongs to the process that forked this one";
    case Code::kDeadlock:
      return "a call that waits, inside a function that the library calls";
    case Code::kBusy:
      return "the call before this one has not completed";
    case Code::kInternal:
      return "an unexpected exception";
    default:
      return "failed without saying why";
  }
}

}  // namespace

Status OutOfMemory() noexcept {
  // Short enough for std::string to keep it inside: making this allocates nothing. Never destroyed.
  alignas(Error) static unsigned char memory[sizeof(Error)];
  static const Error* error = new (memory) Error(Code::kNoMemory, "out of memory", true);
  return Status(Ref<const Error>(error));
}

Status WithError(Status status, const Store* store, const char* operation) noexcept {
  if (!status.failed() || status.error()) return status;
  const Code code = status.code();
  if (code == Code::kNoMemory) return OutOfMemory();
  try {
    const std::string name = store ? store->name() : "chainstore";
    if (code == Code::kTimeout || code == Code::kCancelled) {
      return EndedStatus(code, name, operation);
    }
    return Failure(code, Explain(code)).Store(name).Op(operation);
  } catch (...) {
    return OutOfMemory();
  }
}

Status Invalid(const Store* store, const char* operation, const char* what) noexcept {
  try {
    return Failure(Code::kInvalid, what).Store(store ? store->name() : "chainstore").Op(operation);
  } catch (...) {
    return OutOfMemory();
  }
}

void SetError(cs_error** error, const Status& failure) noexcept {
  if (!error || !failure.error()) return;
  failure.error()->AddRef();
  *error = Wrap(failure.error());
}

}  // namespace chainstore

using chainstore::Unwrap;

extern "C" {

const char* cs_status_name(cs_status status) {
  return chainstore::CodeName(static_cast<chainstore::Code>(status));
}

cs_error* cs_error_new(cs_status status, const char* message, int retryable,
                       const cs_options* details) {
  if (status >= 0 || status < CS_NO_SPACE || !message) return nullptr;
  try {
    std::vector<chainstore::Error::Detail> copied;
    if (details) {
      copied.assign(details->options.values.begin(), details->options.values.end());
    }
    return chainstore::Wrap(new chainstore::Error(static_cast<chainstore::Code>(status), message,
                                                  retryable != 0, std::move(copied)));
  } catch (...) {
    return nullptr;
  }
}

cs_error* cs_error_ref(cs_error* error) {
  if (error) Unwrap(error)->AddRef();
  return error;
}

void cs_error_unref(cs_error* error) {
  if (error) Unwrap(error)->Unref();
}

cs_status cs_error_status(const cs_error* error) {
  return error ? chainstore::ToStatus(Unwrap(error)->code()) : CS_INVALID;
}

const char* cs_error_message(const cs_error* error) {
  return error ? Unwrap(error)->message().c_str() : "";
}

int cs_error_is_retryable(const cs_error* error) {
  return error && Unwrap(error)->retryable() ? 1 : 0;
}

const void* cs_error_detail(const cs_error* error, const char* name, size_t* size) {
  if (size) *size = 0;
  if (!error || !name) return nullptr;
  const std::string* value = Unwrap(error)->FindDetail(name);
  if (!value) return nullptr;
  if (size) *size = value->size();
  return value->c_str();
}

const void* cs_error_detail_at(const cs_error* error, size_t index, const char** name,
                               size_t* size) {
  if (name) *name = nullptr;
  if (size) *size = 0;
  if (!error || index >= Unwrap(error)->details().size()) return nullptr;
  const chainstore::Error::Detail& detail = Unwrap(error)->details()[index];
  if (name) *name = detail.first.c_str();
  if (size) *size = detail.second.size();
  return detail.second.c_str();
}

const cs_error* cs_error_cause(const cs_error* error, size_t index) {
  if (!error || index >= Unwrap(error)->causes().size()) return nullptr;
  return chainstore::Wrap(Unwrap(error)->causes()[index].get());
}

}  // extern "C"
