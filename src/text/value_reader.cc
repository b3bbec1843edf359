#include "text/value_reader.h"

#include "base/ascii.h"
#include "text/escape.h"

namespace chainstore::text {

bool IsNamePart(char each, bool first) noexcept {
  const bool letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_';
  return letter || (!first && each >= '0' && each <= '9');
}

size_t ColumnOf(std::string_view text, size_t at) noexcept {
  size_t column = 1;
  for (const char each : text.substr(0, at)) {
    column += (static_cast<unsigned char>(each) & 0xc0) != 0x80;
  }
  return column;
}

Status ErrorAt(size_t column, const std::string& what) {
  return Failure(Code::kInvalid, "column " + std::to_string(column) + ": " + what);
}

Status ValueReader::Read(std::string_view ends, Node::Value* value) const {
  const size_t begin = *at_;
  bool has_variable = false;
  value->column = ColumnOf(text_, begin);
  while (*at_ < text_.size() && ends.find(text_[*at_]) == std::string_view::npos) {
    Status status;
    if (text_[*at_] == '%') {
      status = ReadEscape(ends, &value->text);
    } else if (text_.substr(*at_, 2) == "${") {
      has_variable = true;
      status = ReadVariable(&value->text);
    } else {
      value->text += text_[(*at_)++];
    }
    if (!status.ok()) return status;
  }
  if (has_variable) value->written = text_.substr(begin, *at_ - begin);
  if (value->text.find('\0') == std::string::npos) return Code::kOk;
  return ErrorAt(value->column, "there is a NUL in the value");
}

Status ValueReader::ReadEscape(std::string_view ends, std::string* out) const {
  const size_t at = *at_;
  const int high = at + 1 < text_.size() ? HexDigit(text_[at + 1]) : -1;
  const int low = at + 2 < text_.size() ? HexDigit(text_[at + 2]) : -1;
  if (high >= 0 && low >= 0) {
    *out += static_cast<char>(high << 4 | low);
    *at_ += 3;
    return Code::kOk;
  }
  const bool is_last = at + 1 == text_.size() || ends.find(text_[at + 1]) != std::string_view::npos;
  if (!is_last) {
    return ErrorAt(ColumnOf(text_, at),
                   Quote(text_.substr(at, 3)) + " is no %XX; a percent sign is written %25");
  }
  *out += '%';
  ++*at_;
  return Code::kOk;
}

Status ValueReader::ReadVariable(std::string* out) const {
  const size_t begin = *at_;
  size_t end = begin + 2;
  while (end < text_.size() && IsNamePart(text_[end], end == begin + 2)) ++end;
  if (end == begin + 2 || end == text_.size() || text_[end] != '}') {
    return ErrorAt(ColumnOf(text_, begin),
                   "'${' and no NAME} behind it; a dollar sign is "
                   "written %24");
  }
  const std::string name(text_.substr(begin + 2, end - begin - 2));
  const char* const held = environment_(name.c_str());
  if (!held) {
    return ErrorAt(ColumnOf(text_, begin),
                   "${" + name.substr(0, 64) + "} is not set in the environment");
  }
  *out += held;
  *at_ = end + 1;
  return Code::kOk;
}

}  // namespace chainstore::text
