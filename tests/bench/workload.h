// Keys, values and the order in which they are asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr size_t kKeySize = 24;

// A small fast generator (xorshift64*, Vigna 2016); every side of a comparison gets the same seed.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

// YCSB's scrambled zipfian generator (Cooper et al., SoCC 2010): ranks by Gray's method over ten
// thousand million items with constant 0.99, spread over `items` by FNV-1a.
class ScrambledZipf {
 public:
  ScrambledZipf(uint64_t items, uint64_t seed);
  uint64_t Next();

 private:
  const uint64_t items_;
  Random random_;
  double zeta2_, eta_, alpha_;
};

// Writes key number `number`, 24 bytes: "user" and twenty digits, as YCSB names them.
void WriteKey(uint64_t number, char* out);
std::string KeyOf(uint64_t number);

// Keys in the order in which they are asked for, packed: reading them costs both sides the same
// few nanoseconds, and no cache miss.
class KeyStream {
 public:
  static KeyStream Zipf(uint64_t items, size_t length, uint64_t seed);
  static KeyStream Sequential(uint64_t items);
  static KeyStream Shuffled(uint64_t items, uint64_t seed);
  size_t size() const { return bytes_.size() / kKeySize; }
  const char* at(size_t index) const { return bytes_.data() + index * kKeySize; }
  std::string_view view(size_t index) const { return {at(index), kKeySize}; }

 private:
  explicit KeyStream(size_t length) : bytes_(length * kKeySize, 0) {}
  std::string bytes_;
};

}  // namespace bench
