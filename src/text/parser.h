// Parse: a text into the nodes that it names. Nothing is opened.
//
//   chain   := link ('>' link)*                       the fastest first
//   link    := '(' chain ')' | manager | store
//   manager := NAME '(' item (',' item)* ')'          arguments in order, NAME=VALUE, then a chain
//   store   := NAME ':' rest ('?' NAME=VALUE ('&' NAME=VALUE)*)?
//
// Values are percent-decoded (a '%' that ends one stands for itself: 10%), then `${NAME}` is
// replaced by what the environment has. White space may stand around every sign.
//
// Errors name the column (in characters, from 1), what stood there, and what could have. What an
// environment variable held is never in them.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/node.h"

namespace chainstore::text {

inline constexpr size_t kMaxTextSize = size_t{64} << 10;
inline constexpr size_t kMaxDepth = 32;  // parentheses within each other

// Null: not set.
using Environment = const char* (*)(const char* name);
const char* ProcessEnvironment(const char* name);

struct Dialect {
  std::span<const Scheme> schemes = Schemes();
  Environment environment = &ProcessEnvironment;
};
Result<Node> Parse(std::string_view text, const Dialect& dialect = {});

}  // namespace chainstore::text
