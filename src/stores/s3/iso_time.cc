#include "stores/s3/iso_time.h"

#include <ctime>

namespace chainstore::s3 {
namespace {

bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }

// The next `digits` digits as a number; -1: they are not there.
int TakeNumber(Bytes* text, size_t digits) noexcept {
  if (text->size() < digits) return -1;
  int number = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!IsDigit((*text)[i])) return -1;
    number = 10 * number + ((*text)[i] - '0');
  }
  text->remove_prefix(digits);
  return number;
}

bool Take(Bytes* text, char c) noexcept {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// Seconds east of Greenwich. False: this is no zone.
bool TakeZone(Bytes text, int* east) noexcept {
  *east = 0;
  if (text == "Z" || text == "UTC") return true;
  const bool plus = text.starts_with('+');
  if (!plus && !text.starts_with('-')) return false;
  text.remove_prefix(1);
  const int hours = TakeNumber(&text, 2);
  Take(&text, ':');
  const int minutes = TakeNumber(&text, 2);
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59 || !text.empty()) return false;
  *east = (plus ? 1 : -1) * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

int64_t ParseIsoTime(Bytes text) noexcept {
  tm parts = {};
  parts.tm_year = TakeNumber(&text, 4) - 1900;
  if (!Take(&text, '-')) return -1;
  parts.tm_mon = TakeNumber(&text, 2) - 1;
  if (!Take(&text, '-')) return -1;
  parts.tm_mday = TakeNumber(&text, 2);
  if (!Take(&text, 'T')) return -1;
  parts.tm_hour = TakeNumber(&text, 2);
  if (!Take(&text, ':')) return -1;
  parts.tm_min = TakeNumber(&text, 2);
  if (!Take(&text, ':')) return -1;
  parts.tm_sec = TakeNumber(&text, 2);
  if (Take(&text, '.')) {
    if (text.empty() || !IsDigit(text.front())) return -1;
    while (!text.empty() && IsDigit(text.front())) text.remove_prefix(1);
  }
  int east = 0;
  if (!TakeZone(text, &east)) return -1;
  if (parts.tm_year < 70 || parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday < 1 ||
      parts.tm_mday > 31 || parts.tm_hour < 0 || parts.tm_hour > 23 || parts.tm_min < 0 ||
      parts.tm_min > 59 || parts.tm_sec < 0 || parts.tm_sec > 60) {
    return -1;
  }
  return (int64_t{timegm(&parts)} - east) * 1000;
}

}  // namespace chainstore::s3
