#include "base/status.h"

#include <cerrno>
#include <cstring>

namespace chainstore {

const char* CodeName(Code code) noexcept {
  switch (code) {
    case Code::kOk:
      return "CS_OK";
    case Code::kNotFound:
      return "CS_NOT_FOUND";
    case Code::kEnd:
      return "CS_END";
    case Code::kWouldBlock:
      return "CS_WOULD_BLOCK";
    case Code::kTooSmall:
      return "CS_TOO_SMALL";
    case Code::kExists:
      return "CS_EXISTS";
    case Code::kInvalid:
      return "CS_INVALID";
    case Code::kNoMemory:
      return "CS_NO_MEMORY";
    case Code::kCancelled:
      return "CS_CANCELLED";
    case Code::kTimeout:
      return "CS_TIMEOUT";
    case Code::kClosed:
      return "CS_CLOSED";
    case Code::kBusy:
      return "CS_BUSY";
    case Code::kUnsupported:
      return "CS_UNSUPPORTED";
    case Code::kIo:
      return "CS_IO";
    case Code::kCorrupt:
      return "CS_CORRUPT";
    case Code::kDenied:
      return "CS_DENIED";
    case Code::kTooLarge:
      return "CS_TOO_LARGE";
    case Code::kPartial:
      return "CS_PARTIAL";
    case Code::kDeadlock:
      return "CS_DEADLOCK";
    case Code::kForked:
      return "CS_FORKED";
    case Code::kInternal:
      return "CS_INTERNAL";
    case Code::kNoSpace:
      return "CS_NO_SPACE";
  }
  return "CS_UNKNOWN";
}

Code CodeOfErrno(int error_number) noexcept {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kDenied;
    case ENOSPC:
    case EDQUOT:
      return Code::kNoSpace;
    case ENOMEM:
      return Code::kNoMemory;
    case EFBIG:
      return Code::kTooLarge;
    default:
      return Code::kIo;
  }
}

const std::string* Error::FindDetail(std::string_view name) const noexcept {
  for (const Detail& detail : details_) {
    if (detail.first == name) return &detail.second;
  }
  return nullptr;
}

std::string Status::ToString() const {
  std::string text = CodeName(code_);
  if (error_) text += ": " + error_->message();
  return text;
}

Failure::Failure(Code code, std::string what)
    : code_(code),
      what_(std::move(what)),
      // What another attempt, a moment later, may well not meet again.
      retryable_(code == Code::kTimeout || code == Code::kBusy || code == Code::kIo ||
                 code == Code::kNoSpace || code == Code::kNoMemory) {}

Failure& Failure::Store(std::string_view name) { return Detail("store", name); }
Failure& Failure::Op(std::string_view operation) { return Detail("operation", operation); }
Failure& Failure::KeyIs(Bytes key) { return Detail("key", key); }
Failure& Failure::Path(std::string_view path) { return Detail("path", path); }
Failure& Failure::Hint(std::string_view way_out) { return Detail("hint", way_out); }
Failure& Failure::Errno(int error_number) {
  what_ += ": ";
  what_ += strerror(error_number);
  return Detail("errno", std::to_string(error_number));
}
Failure& Failure::Detail(std::string_view name, std::string_view value) {
  details_.emplace_back(name, value);
  return *this;
}
Failure& Failure::Retryable(bool yes) {
  retryable_ = yes;
  return *this;
}
Failure& Failure::Cause(const Status& cause) {
  if (cause.error()) causes_.push_back(cause.error_ref());
  return *this;
}

Failure::operator Status() {
  auto error = MakeRef<Error>(code_, "", retryable_);
  error->details_ = std::move(details_);
  error->causes_ = std::move(causes_);
  std::string message;
  for (const char* name : {"store", "operation"}) {
    if (const std::string* value = error->FindDetail(name)) message += *value + ": ";
  }
  message += what_;
  if (const std::string* path = error->FindDetail("path")) message += " (" + *path + ")";
  if (const std::string* hint = error->FindDetail("hint")) message += "; " + *hint;
  error->message_ = std::move(message);
  return Status(Ref<const Error>(std::move(error)));
}

}  // namespace chainstore
