// Describe: a store as the text that makes it again: canonical, with every option, secrets masked.
// What text cannot make (a store or a log function of the program's own) is shown as `custom:NAME`,
// with what it wraps in parentheses, and as `***`; opening those says why it cannot.
#pragma once

#include <string>

#include "core/store.h"
#include "text/scheme.h"

namespace chainstore::text {

std::string Describe(const Store& store, std::span<const Scheme> schemes = Schemes());

}  // namespace chainstore::text
