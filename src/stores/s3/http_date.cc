#include "stores/s3/http_date.h"

#include <ctime>

namespace chainstore::s3 {
namespace {

// The number at `at`, of exactly `digits` digits; -1: there is none.
int Number(Bytes text, size_t at, size_t digits) noexcept {
  int number = 0;
  for (size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = 10 * number + (text[i] - '0');
  }
  return number;
}

}  // namespace

int64_t ParseHttpDate(Bytes text) noexcept {
  constexpr Bytes kForm = "Sun, 06 Nov 1994 08:49:37 GMT";
  constexpr Bytes kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != kForm.size()) return -1;
  for (const size_t at : {3, 4, 7, 11, 16, 19, 22, 25}) {
    if (text[at] != kForm[at]) return -1;
  }
  if (!text.ends_with("GMT")) return -1;
  const size_t month = kMonths.find(text.substr(8, 3));
  if (month == Bytes::npos || month % 3 != 0) return -1;
  tm parts = {};
  parts.tm_mday = Number(text, 5, 2);
  parts.tm_mon = static_cast<int>(month / 3);
  parts.tm_year = Number(text, 12, 4) - 1900;
  parts.tm_hour = Number(text, 17, 2);
  parts.tm_min = Number(text, 20, 2);
  parts.tm_sec = Number(text, 23, 2);
  if (parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_year < 70 || parts.tm_hour < 0 ||
      parts.tm_hour > 23 || parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 ||
      parts.tm_sec > 60) {
    return -1;
  }
  return timegm(&parts);
}

}  // namespace chainstore::s3
