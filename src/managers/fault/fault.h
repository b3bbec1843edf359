// Fault: injected errors and delays around any store, so that users can test their own handling.
// What happens to the n-th call depends on the seed and on n alone: a run can be repeated.
//
// It never answers under Wait::kNever (it says that it would block), so that a fault is met by the
// call that waits, once.
//
// Thread safety: as Store. Options may be changed while it runs (Set); calls under way keep theirs.
#pragma once

#include "core/option.h"
#include "core/wrapper.h"

namespace chainstore {

inline constexpr OptionSpec kFaultOptions[] = {
    {"rate", OptionSpec::Type::kPercent, "0", "how many of the calls fail"},
    {"at", OptionSpec::Type::kCount, "0",
     "the call with this number fails, counted from 1; 0: none"},
    {"status", OptionSpec::Type::kChoice, "io", "how they fail",
     "io|timeout|busy|denied|no_space|corrupt|closed|too_large|unsupported|internal|not_found"},
    {"when", OptionSpec::Type::kChoice, "before",
     "instead of the operation, or after it was done (its outcome is then unknown to the caller)",
     "before|after"},
    {"delay", OptionSpec::Type::kDuration, "0ms", "how long a call is held back"},
    {"delay_rate", OptionSpec::Type::kPercent, "100", "how many of the calls are held back"},
    {"operations", OptionSpec::Type::kText, "all",
     "which operations: all, or some of get, get_many, put, del, write, scan, flush, with + "
     "between"},
    {"seed", OptionSpec::Type::kCount, "1", "of the random numbers"},
};

Result<Ref<Store>> NewFault(Ref<Store> inner, const Options* options);

}  // namespace chainstore
