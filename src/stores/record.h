// Record: the form in which LMDB and LevelDB keep an entry: a header, then the value.
//
//   offset  bytes
//        0      1  format: 1
//        1      1  flags: bit 0, the whole key stands between header and value (see below)
//        2      6  expiry: Unix time in ms, little-endian; 0: never
//        8      8  version, little-endian
//       16      4  CRC32C of bytes 0 to 15, the size field of a kept key, the whole key, and the
//                  value, little-endian
//       20      2  with flag bit 0 only: size of the key, little-endian; then the key
//    then          the value
//
// The checksum covers the key, so that a value that lands under another key is found out.
// Readable for ever: a newer format gets a new first byte.
#pragma once

#include <string>

#include "base/bytes.h"
#include "core/answer.h"

namespace chainstore {

inline constexpr size_t kRecordHeaderSize = 20;
// Seconds since 1970 fit 6 bytes of milliseconds until the year 10889.
inline constexpr int64_t kMaxExpiryMs = (int64_t{1} << 48) - 1;

struct RecordView {
  Meta meta;
  Bytes key;    // empty unless the whole key is kept in the record
  Bytes value;  // points into the stored bytes
};

// What stands before the value. `keep_key` puts the whole key into it.
inline size_t RecordHeaderSize(Bytes key, bool keep_key) noexcept {
  return kRecordHeaderSize + (keep_key ? 2 + key.size() : 0);
}
void EncodeRecordHeader(Bytes key, Bytes value, const Meta& meta, bool keep_key,
                        char* out) noexcept;
// The whole record; the memory of `out` is used again.
void EncodeRecord(Bytes key, Bytes value, const Meta& meta, bool keep_key, std::string* out);

// False: these bytes are no record of `key` (what is wrong goes into *why). The checksum is
// verified only if `verify`. An empty `key` takes the one that the record keeps.
bool DecodeRecord(Bytes stored, Bytes key, bool verify, RecordView* out, std::string* why);

}  // namespace chainstore
