// ASCII text, whatever the locale: what formats and protocols are written in.
// Thread safety: any thread.
#pragma once

#include <string>

#include "base/bytes.h"

namespace chainstore {

// Of '0' to '9', 'a' to 'f' and 'A' to 'F'; -1 of any other.
constexpr int HexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

constexpr char LowerCase(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline std::string LowerCase(Bytes text) {
  std::string lower(text);
  for (char& c : lower) c = LowerCase(c);
  return lower;
}

// Without the spaces, tabs and line ends around it.
constexpr Bytes Trimmed(Bytes text) noexcept {
  constexpr Bytes kSpace = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == Bytes::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace chainstore
