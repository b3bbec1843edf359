// ObjectMeta: what a store keeps with an object beside its bytes, as metadata of the object:
//
//   x-amz-meta-cs-crc32c   CRC32C of the value, 8 hex digits
//   x-amz-meta-cs-expires  when it expires, Unix time in milliseconds, decimal; absent: never
//   x-amz-meta-cs-key      base64 of the key, where the object's own key is a digest of it
//   x-amz-meta-cs-write    16 hex digits that name one conditional put
//
// Objects of other programs have none of it, and are read as they are.
// Thread safety: a value.
#pragma once

#include <string>

#include "core/answer.h"
#include "stores/s3/s3_client.h"

namespace chainstore::s3 {

struct ObjectMeta {
  Meta meta;  // the version is a hash of the ETag
  bool has_crc = false;
  uint32_t crc32c = 0;
  std::string key;  // empty: the object's own key tells it
  std::string write_id;
  std::string etag;

  // From the headers of a get, stat or put. `total_size` is left 0.
  static ObjectMeta Read(const Headers& headers);
};

// The headers of a put.
void AppendMeta(Headers* headers, uint32_t crc32c, int64_t expires_at_ms, Bytes digest_key,
                Bytes write_id);
uint64_t VersionOfEtag(Bytes etag) noexcept;

// "bytes 3-9/20" and "bytes */20". False: neither.
struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t total = 0;
  bool unsatisfied = false;
};
bool ParseContentRange(Bytes text, ContentRange* range) noexcept;

}  // namespace chainstore::s3
