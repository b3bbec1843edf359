#include "text/escape.h"

namespace chainstore::text {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

bool IsPlain(unsigned char byte, Place place) {
  constexpr std::string_view kAlways = "-_.~/+@*!;^[]{}|";
  constexpr std::string_view kInPaths = ":=&";
  const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  if (letter || (byte >= '0' && byte <= '9')) return true;
  const char shown = static_cast<char>(byte);
  return kAlways.find(shown) != std::string_view::npos ||
         (place == Place::kPath && kInPaths.find(shown) != std::string_view::npos);
}

}  // namespace

std::string Escape(std::string_view value, Place place) {
  std::string out;
  for (const char each : value) {
    const auto byte = static_cast<unsigned char>(each);
    if (IsPlain(byte, place)) {
      out += each;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  // "10%" is how a percentage is written; at the end it stands for itself.
  if (out.ends_with("%25")) out.erase(out.size() - 2);
  return out;
}

std::string Quote(std::string_view text) {
  constexpr size_t kMaxShown = 40;
  std::string out = "'";
  for (const char each : text.substr(0, kMaxShown)) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte >= ' ' && byte != 0x7f) {
      out += each;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + (text.size() > kMaxShown ? "...'" : "'");
}

std::string_view FirstCharacter(std::string_view text) {
  size_t size = text.empty() ? 0 : 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return text.substr(0, size);
}

}  // namespace chainstore::text
