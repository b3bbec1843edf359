// From the core's answers to cs_result, and back to nothing.
// Invariant of every result that is filled in here: error is set exactly when status < 0.
#pragma once

#include "capi/error.h"
#include "core/answer.h"

namespace chainstore {

// Whose answer it is, for the error of one that came without.
struct Origin {
  const Store* store;
  const char* operation;
};

// Overwrites *out but for user_data. They never fail: an answer that finds no memory for its
// entries becomes CS_NO_MEMORY.
void FillResult(cs_result* out, Answer&& answer, const Origin& origin) noexcept;
void FillResult(cs_result* out, Hit&& hit, const Origin& origin) noexcept;
void FillResult(cs_result* out, Receipt&& receipt, const Origin& origin) noexcept;
void FillResult(cs_result* out, Entries&& entries, const Origin& origin) noexcept;
void FillResult(cs_result* out, Page&& page, const Origin& origin) noexcept;
void FillResult(cs_result* out, Status&& status, const Origin& origin) noexcept;

}  // namespace chainstore
