#include "stores/record.h"

#include <bit>
#include <cstring>

#include "base/checksum.h"

namespace chainstore {
namespace {

constexpr unsigned char kFormat = 1;
constexpr unsigned char kHasKey = 1u << 0;
constexpr size_t kChecksumOffset = 16;

template <size_t kSize>
void PutLittleEndian(std::string* out, uint64_t number) {
  for (size_t i = 0; i < kSize; ++i) out->push_back(static_cast<char>(number >> (8 * i)));
}

template <size_t kSize>
uint64_t GetLittleEndian(const char* at) {
  uint64_t number = 0;
  for (size_t i = 0; i < kSize; ++i) {
    number |= uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  return number;
}

// `key_size` is the field of a key that is kept, or empty.
uint32_t Checksum(Bytes header, Bytes key_size, Bytes key, Bytes value) {
  const uint32_t fields = Crc32c(key_size, Crc32c(header.substr(0, kChecksumOffset)));
  return Crc32c(value, Crc32c(key, fields));
}

}  // namespace

std::string EncodeRecordHeader(Bytes key, Bytes value, const Meta& meta, bool keep_key) {
  std::string header;
  header.reserve(kRecordHeaderSize + (keep_key ? 2 + key.size() : 0));
  header.push_back(kFormat);
  header.push_back(keep_key ? kHasKey : 0);
  PutLittleEndian<6>(&header, static_cast<uint64_t>(meta.expires_at_ms));
  PutLittleEndian<8>(&header, meta.version);
  std::string key_size;
  if (keep_key) PutLittleEndian<2>(&key_size, key.size());
  PutLittleEndian<4>(&header, Checksum(header, key_size, key, value));
  if (keep_key) header.append(key_size).append(key);
  return header;
}

bool DecodeRecord(Bytes stored, Bytes key, bool verify, RecordView* out, std::string* why) {
  if (stored.size() < kRecordHeaderSize) {
    *why = "a record of " + std::to_string(stored.size()) + " bytes is cut off";
    return false;
  }
  if (stored[0] != kFormat) {
    *why = "unknown record format " + std::to_string(static_cast<unsigned char>(stored[0])) +
           " (written by other software? format=raw reads plain values)";
    return false;
  }
  const auto flags = static_cast<unsigned char>(stored[1]);
  if ((flags & ~kHasKey) != 0) {
    *why = "unknown record flags " + std::to_string(flags);
    return false;
  }
  out->meta.expires_at_ms = static_cast<int64_t>(GetLittleEndian<6>(stored.data() + 2));
  out->meta.version = GetLittleEndian<8>(stored.data() + 8);
  out->key = Bytes();
  size_t value_at = kRecordHeaderSize;
  Bytes key_size_field;
  if (flags & kHasKey) {
    if (stored.size() < value_at + 2) {
      *why = "a record is cut off before its key";
      return false;
    }
    key_size_field = stored.substr(value_at, 2);
    const size_t key_size = GetLittleEndian<2>(key_size_field.data());
    value_at += 2;
    if (key_size > stored.size() - value_at) {
      *why = "a record is cut off within its key";
      return false;
    }
    out->key = stored.substr(value_at, key_size);
    value_at += key_size;
  }
  out->value = stored.substr(value_at);
  out->meta.total_size = out->value.size();
  if (!verify) return true;
  const auto expected = static_cast<uint32_t>(GetLittleEndian<4>(stored.data() + kChecksumOffset));
  const Bytes whole_key = key.empty() ? out->key : key;
  if (Checksum(stored, key_size_field, whole_key, out->value) == expected) return true;
  *why = "checksum mismatch";
  return false;
}

}  // namespace chainstore
