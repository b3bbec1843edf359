// LogLine: builds one line of the logging manager.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace chainstore {

// `key` quoted, escaped, and cut after `max_bytes` of it.
std::string QuoteKey(Bytes key, size_t max_bytes);

// A store's name as it is, unless something in it (a space, a quote, a line feed) would end it.
std::string QuoteName(std::string_view name);

// 0 debug, 1 info, 2 warning, 3 error.
int32_t LogLevelOf(const Status& status) noexcept;

class LogLine {
 public:
  LogLine(std::string_view operation, std::string_view store);
  LogLine& Key(Bytes key, size_t max_bytes);
  LogLine& Number(std::string_view name, uint64_t number);
  // With the error's message, for a failure.
  LogLine& End(const Status& status);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace chainstore
