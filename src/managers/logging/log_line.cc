#include "managers/logging/log_line.h"

#include <algorithm>

namespace chainstore {

std::string QuoteKey(Bytes key, size_t max_bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char byte : key.substr(0, max_bytes)) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += byte;
    } else if (code >= 0x20 && code < 0x7f) {
      out += byte;
    } else {
      out += {'\\', 'x', kHex[code >> 4], kHex[code & 15]};
    }
  }
  return out + (key.size() > max_bytes ? "\"..." : "\"");
}

std::string QuoteName(std::string_view name) {
  const auto plain = [](char byte) {
    return byte > 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
  };
  if (std::all_of(name.begin(), name.end(), plain)) return std::string(name);
  return QuoteKey(name, name.size());
}

int32_t LogLevelOf(const Status& status) noexcept {
  if (status.ok()) return 1;
  if (!status.failed()) return 0;
  return status.retryable() ? 2 : 3;
}

LogLine::LogLine(std::string_view operation, std::string_view store) {
  text_ = "op=" + std::string(operation) + " store=" + QuoteName(store);
}

LogLine& LogLine::Key(Bytes key, size_t max_bytes) {
  text_ += " key=" + QuoteKey(key, max_bytes);
  return *this;
}

LogLine& LogLine::Number(std::string_view name, uint64_t number) {
  text_ += " " + std::string(name) + "=" + std::to_string(number);
  return *this;
}

LogLine& LogLine::End(const Status& status) {
  text_ += std::string(" status=") + CodeName(status.code());
  if (status.error()) text_ += " error=" + QuoteKey(status.error()->message(), 1024);
  return *this;
}

}  // namespace chainstore
