#include "core/request.h"

#include <algorithm>

namespace chainstore {

std::string PrefixEnd(Bytes prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

bool Range::Contains(Bytes key) const noexcept {
  if (!key.starts_with(prefix)) return false;
  if (key < start || (has_end && key >= end)) return false;
  if (!has_after) return true;
  return reverse ? key < after : key > after;
}

Bytes Range::First() const noexcept {
  const Bytes first = std::max<Bytes>(prefix, start);
  return has_after && !reverse ? std::max<Bytes>(first, after) : first;
}

std::string Range::Beyond() const {
  std::string beyond = PrefixEnd(prefix);
  const auto lower = [&beyond](const std::string& other) {
    if (beyond.empty() || other < beyond) beyond = other;
  };
  if (has_end) lower(end);
  if (has_after && reverse) lower(after);
  return beyond;
}

}  // namespace chainstore
