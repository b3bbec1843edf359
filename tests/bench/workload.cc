#include "workload.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace bench {
namespace {

constexpr double kTheta = 0.99;
constexpr double kZetaItems = 26.46902820178302;  // zeta(10^10, 0.99), as YCSB has it
constexpr double kItems = 1e10;

uint64_t Fnv1a(uint64_t value) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int byte = 0; byte < 8; ++byte) {
    hash ^= value & 0xff;
    hash *= 0x100000001b3;
    value >>= 8;
  }
  return hash;
}

}  // namespace

ScrambledZipf::ScrambledZipf(uint64_t items, uint64_t seed) : items_(items), random_(seed) {
  zeta2_ = 1 + std::pow(0.5, kTheta);
  alpha_ = 1 / (1 - kTheta);
  eta_ = (1 - std::pow(2 / kItems, 1 - kTheta)) / (1 - zeta2_ / kZetaItems);
}

uint64_t ScrambledZipf::Next() {
  const double uniform = random_.Uniform();
  const double scaled = uniform * kZetaItems;
  uint64_t rank;
  if (scaled < 1)
    rank = 0;
  else if (scaled < zeta2_)
    rank = 1;
  else
    rank = static_cast<uint64_t>(kItems * std::pow(eta_ * uniform - eta_ + 1, alpha_));
  return Fnv1a(rank) % items_;
}

void WriteKey(uint64_t number, char* out) {
  memcpy(out, "user", 4);
  for (size_t at = kKeySize; at-- > 4;) {
    out[at] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

std::string KeyOf(uint64_t number) {
  std::string key(kKeySize, 0);
  WriteKey(number, key.data());
  return key;
}

KeyStream KeyStream::Zipf(uint64_t items, size_t length, uint64_t seed) {
  KeyStream stream(length);
  ScrambledZipf zipf(items, seed);
  for (size_t at = 0; at < length; ++at)
    WriteKey(zipf.Next(), stream.bytes_.data() + at * kKeySize);
  return stream;
}

KeyStream KeyStream::Sequential(uint64_t items) {
  KeyStream stream(items);
  for (size_t at = 0; at < items; ++at) WriteKey(at, stream.bytes_.data() + at * kKeySize);
  return stream;
}

KeyStream KeyStream::Shuffled(uint64_t items, uint64_t seed) {
  std::vector<uint64_t> numbers(items);
  std::iota(numbers.begin(), numbers.end(), uint64_t{0});
  Random random(seed);
  for (size_t at = items; at > 1; --at) std::swap(numbers[at - 1], numbers[random.Next() % at]);
  KeyStream stream(items);
  for (size_t at = 0; at < items; ++at) WriteKey(numbers[at], stream.bytes_.data() + at * kKeySize);
  return stream;
}

}  // namespace bench
