#include "cli/text.h"

#include <cstdint>

namespace cli {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int Digit(char each) {
  if (each >= '0' && each <= '9') return each - '0';
  if (each >= 'a' && each <= 'f') return each - 'a' + 10;
  return each >= 'A' && each <= 'F' ? each - 'A' + 10 : -1;
}

// The size of the UTF-8 character at `at`; 0: there is none (also surrogates and long forms).
size_t CharacterAt(std::string_view bytes, size_t at) noexcept {
  const auto byte = [&](size_t index) -> uint32_t {
    return index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0;
  };
  const uint32_t first = byte(at);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (size_t next = 1; next < size; ++next) {
    if ((byte(at + next) & 0xc0) != 0x80) return 0;
  }
  const uint32_t second = byte(at + 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return size;
}

std::string HexOf(char each) {
  const auto byte = static_cast<unsigned char>(each);
  return {kHex[byte >> 4], kHex[byte & 15]};
}

bool IsControl(char each) {
  const auto byte = static_cast<unsigned char>(each);
  return byte < ' ' || byte == 0x7f;
}

}  // namespace

bool IsUtf8(std::string_view bytes) noexcept {
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = CharacterAt(bytes, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string ToHex(std::string_view bytes) {
  std::string out;
  for (const char each : bytes) out += HexOf(each);
  return out;
}

bool FromHex(std::string_view digits, std::string* bytes) {
  bytes->clear();
  if (digits.size() % 2 != 0) return false;
  for (size_t at = 0; at < digits.size(); at += 2) {
    const int high = Digit(digits[at]);
    const int low = Digit(digits[at + 1]);
    if (high < 0 || low < 0) return false;
    *bytes += static_cast<char>(high << 4 | low);
  }
  return true;
}

std::string Shown(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = CharacterAt(bytes, at);
    if (size == 0 || IsControl(bytes[at]) || bytes[at] == '\\') {
      out += "\\x" + HexOf(bytes[at++]);
    } else {
      out += bytes.substr(at, size);
      at += size;
    }
  }
  return out;
}

std::string Json(std::string_view text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') {
      out += {'\\', each};
    } else if (IsControl(each)) {
      out += "\\u00" + HexOf(each);
    } else {
      out += each;
    }
  }
  return out + "\"";
}

std::string JsonBytes(std::string_view name, std::string_view bytes, bool hex) {
  hex |= !IsUtf8(bytes);
  return Json(std::string(name) + (hex ? "_hex" : "")) + ":" +
         (hex ? Json(ToHex(bytes)) : Json(bytes));
}

}  // namespace cli
