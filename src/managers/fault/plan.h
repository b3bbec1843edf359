// Plan: the fault manager's options as numbers, and what they decide for one call.
// Thread safety: immutable; replaced as a whole when an option changes.
#pragma once

#include <cstdint>
#include <string>

#include "core/option.h"

namespace chainstore::fault {

enum class Operation : uint8_t { kGet, kGetMany, kPut, kDel, kWrite, kScan, kFlush };
inline constexpr const char* kOperationNames[] = {"get",   "get_many", "put",  "del",
                                                  "write", "scan",     "flush"};
inline const char* NameOf(Operation operation) {
  return kOperationNames[static_cast<size_t>(operation)];
}

struct Decision {
  bool fails = false;
  bool delays = false;
};

struct Plan {
  static Result<Plan> From(const Options* options);

  bool Covers(Operation operation) const noexcept {
    return (operations >> static_cast<unsigned>(operation) & 1) != 0;
  }
  // Of the call with this number, counted from 1.
  Decision Decide(uint64_t number) const noexcept;

  uint64_t rate_percent = 0;
  uint64_t at = 0;
  Code code = Code::kIo;
  bool after = false;
  uint64_t delay_ms = 0;
  uint64_t delay_percent = 100;
  uint32_t operations = 0;  // a bit for each Operation
  uint64_t seed = 1;
};

}  // namespace chainstore::fault
