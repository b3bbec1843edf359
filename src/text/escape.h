// How a value is written in the text form: what would end it, or cannot be seen, as %XX.
#pragma once

#include <string>
#include <string_view>

namespace chainstore::text {

// Where a value stands: in a path nothing but the text's own signs must be escaped; elsewhere also
// what divides names from values.
enum class Place { kPath, kValue };
std::string Escape(std::string_view value, Place place);

// For messages: in single quotes, at most 40 bytes of it, unprintable ones as \xNN.
std::string Quote(std::string_view text);

// The character that begins with `text`'s first byte, whole if it is UTF-8.
std::string_view FirstCharacter(std::string_view text);

}  // namespace chainstore::text
