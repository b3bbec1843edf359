// Bytes as text: hexadecimal, JSON, and what a terminal may be shown.
#pragma once

#include <string>
#include <string_view>

namespace cli {

bool IsUtf8(std::string_view bytes) noexcept;
std::string ToHex(std::string_view bytes);
bool FromHex(std::string_view digits, std::string* bytes);
// With control characters, and what is not UTF-8, as \xNN.
std::string Shown(std::string_view bytes);
// A JSON string, with its quotes; `text` is UTF-8.
std::string Json(std::string_view text);
// "name":"...", or "name_hex":"..." of what is not UTF-8, or if `hex`.
std::string JsonBytes(std::string_view name, std::string_view bytes, bool hex);

}  // namespace cli
