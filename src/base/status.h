// Status: how an operation ended. OK and the other answers (not found, ...) cost nothing; a failure
// carries an Error that names store, operation and cause.
// Thread safety: an Error is immutable once it is shared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ref.h"

namespace chainstore {

// The values of cs_status: src/capi/ asserts that they are the same.
enum class Code : int32_t {
  kOk = 0,
  kNotFound = 1,
  kEnd = 2,
  kWouldBlock = 3,
  kTooSmall = 4,
  kExists = 5,
  kInvalid = -1,
  kNoMemory = -2,
  kCancelled = -3,
  kTimeout = -4,
  kClosed = -5,
  kBusy = -6,
  kUnsupported = -7,
  kIo = -8,
  kCorrupt = -9,
  kDenied = -10,
  kTooLarge = -11,
  kPartial = -12,
  kDeadlock = -13,
  kForked = -14,
  kInternal = -15,
  kNoSpace = -16,
};

const char* CodeName(Code code) noexcept;  // "CS_OK"

class Error final : public RefCounted<Error> {
 public:
  using Detail = std::pair<std::string, std::string>;
  Error(Code code, std::string message, bool retryable)
      : code_(code), retryable_(retryable), message_(std::move(message)) {}
  Error(Code code, std::string message, bool retryable, std::vector<Detail> details)
      : code_(code),
        retryable_(retryable),
        message_(std::move(message)),
        details_(std::move(details)) {}

  Code code() const noexcept { return code_; }
  bool retryable() const noexcept { return retryable_; }
  const std::string& message() const noexcept { return message_; }
  const std::vector<Detail>& details() const noexcept { return details_; }
  const std::vector<Ref<const Error>>& causes() const noexcept { return causes_; }
  const std::string* FindDetail(std::string_view name) const noexcept;

 private:
  friend class Failure;
  Code code_;
  bool retryable_;
  std::string message_;
  std::vector<Detail> details_;
  std::vector<Ref<const Error>> causes_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code answer) : code_(answer) {}  // NOLINT: an answer is a Status
  explicit Status(Ref<const Error> error) : code_(error->code()), error_(std::move(error)) {}

  Code code() const noexcept { return code_; }
  bool ok() const noexcept { return code_ == Code::kOk; }
  // A failure, as opposed to OK or another answer.
  bool failed() const noexcept { return static_cast<int32_t>(code_) < 0; }
  bool Is(Code code) const noexcept { return code_ == code; }
  bool retryable() const noexcept { return error_ && error_->retryable(); }
  const Error* error() const noexcept { return error_.get(); }
  const Ref<const Error>& error_ref() const noexcept { return error_; }
  // For logs and tests.
  std::string ToString() const;

 private:
  Code code_ = Code::kOk;
  Ref<const Error> error_;
};

// Builds a failed Status: `return Failure(Code::kIo, "cannot write").Store(name()).Errno(errno);`
// The message gets its prefix ("lmdb:/dir: put: ") and its suffix (": cause; hint") when it is
// taken, so that every message reads alike. Values and secrets never enter a message; a key goes
// only into the detail "key".
class Failure {
 public:
  Failure(Code code, std::string what);
  Failure& Store(std::string_view name);
  Failure& Op(std::string_view operation);
  Failure& KeyIs(Bytes key);
  Failure& Path(std::string_view path);
  Failure& Errno(int error_number);  // adds strerror's text, and the detail "errno"
  Failure& Hint(std::string_view way_out);
  Failure& Detail(std::string_view name, std::string_view value);
  Failure& Retryable(bool yes = true);
  Failure& Cause(const Status& cause);
  operator Status();  // NOLINT: that is what it builds

 private:
  Code code_;
  std::string what_;
  bool retryable_;
  std::vector<Error::Detail> details_;
  std::vector<Ref<const Error>> causes_;
};

// What an errno of a file operation means to a caller.
Code CodeOfErrno(int error_number) noexcept;

}  // namespace chainstore
