// Result<T>: a T, or the failed Status that says why there is none.
#pragma once

#include <cassert>
#include <optional>
#include <utility>

#include "base/status.h"

namespace chainstore {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: a T is a Result
  Result(Status failure) : status_(std::move(failure)) { assert(!status_.ok()); }  // NOLINT
  Result(Failure& failure) : Result(static_cast<Status>(failure)) {}               // NOLINT
  Result(Failure&& failure) : Result(static_cast<Status>(failure)) {}              // NOLINT

  bool ok() const noexcept { return value_.has_value(); }
  const Status& status() const noexcept { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace chainstore
