#include "stores/record.h"

#include <cstring>

#include "base/checksum.h"
#include "base/little_endian.h"

namespace chainstore {
namespace {

constexpr unsigned char kFormat = 1;
constexpr unsigned char kHasKey = 1u << 0;
constexpr size_t kVersionOffset = 8;
constexpr size_t kChecksumOffset = 16;

// `key_size` is the field of a key that is kept, or empty.
uint32_t Checksum(Bytes header, Bytes key_size, Bytes key, Bytes value) {
  uint32_t fields = Crc32c(header.substr(0, kChecksumOffset));
  if (!key_size.empty()) fields = Crc32c(key_size, fields);
  return Crc32c(value, Crc32c(key, fields));
}

}  // namespace

void EncodeRecordHeader(Bytes key, Bytes value, const Meta& meta, bool keep_key,
                        char* out) noexcept {
  // Format, flags and expiry: the first 8 bytes as one number.
  PutLittleEndian(out, uint64_t{kFormat} | uint64_t{keep_key ? kHasKey : 0u} << 8 |
                           static_cast<uint64_t>(meta.expires_at_ms) << 16);
  PutLittleEndian(out + kVersionOffset, meta.version);
  char* const after = out + kRecordHeaderSize;
  if (keep_key) {
    PutLittleEndian(after, static_cast<uint16_t>(key.size()));
    memcpy(after + 2, key.data(), key.size());
  }
  PutLittleEndian(out + kChecksumOffset, Checksum(Bytes(out, kChecksumOffset),
                                                  Bytes(after, keep_key ? 2 : 0), key, value));
}

void EncodeRecord(Bytes key, Bytes value, const Meta& meta, bool keep_key, std::string* out) {
  const size_t header = RecordHeaderSize(key, keep_key);
  out->resize(header + value.size());
  EncodeRecordHeader(key, value, meta, keep_key, out->data());
  if (!value.empty()) memcpy(out->data() + header, value.data(), value.size());
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
  out->meta.expires_at_ms = static_cast<int64_t>(GetLittleEndian<uint64_t>(stored.data()) >> 16);
  out->meta.version = GetLittleEndian<uint64_t>(stored.data() + kVersionOffset);
  out->key = Bytes();
  size_t value_at = kRecordHeaderSize;
  Bytes key_size_field;
  if (flags & kHasKey) {
    if (stored.size() < value_at + 2) {
      *why = "a record is cut off before its key";
      return false;
    }
    key_size_field = stored.substr(value_at, 2);
    const size_t key_size = GetLittleEndian<uint16_t>(key_size_field.data());
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
  const auto expected = GetLittleEndian<uint32_t>(stored.data() + kChecksumOffset);
  const Bytes whole_key = key.empty() ? out->key : key;
  if (Checksum(stored, key_size_field, whole_key, out->value) == expected) return true;
  *why = "checksum mismatch";
  return false;
}

}  // namespace chainstore
