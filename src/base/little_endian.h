// Numbers as stored formats have them: little-endian, at any address.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

namespace chainstore {

template <class Number>
void PutLittleEndian(char* at, Number number) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    memcpy(at, &number, sizeof(number));
  } else {
    for (size_t i = 0; i < sizeof(number); ++i) at[i] = static_cast<char>(number >> (8 * i));
  }
}

template <class Number>
Number GetLittleEndian(const char* at) noexcept {
  Number number = 0;
  if constexpr (std::endian::native == std::endian::little) {
    memcpy(&number, at, sizeof(number));
  } else {
    for (size_t i = 0; i < sizeof(number); ++i) {
      number |= static_cast<Number>(Number{static_cast<unsigned char>(at[i])} << (8 * i));
    }
  }
  return number;
}

}  // namespace chainstore
