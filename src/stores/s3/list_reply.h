// ListReply: an answer to ListObjectsV2. DeleteReply: to DeleteObjects. Both are checked before
// they are believed.
// Thread safety: a value.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stores/s3/xml.h"

namespace chainstore::s3 {

struct ListReply {
  struct Object {
    std::string key;
    uint64_t size = 0;
    std::string etag;
  };
  std::vector<Object> objects;
  bool truncated = false;

  // Null if it is as it must be: keys below `prefix`, beyond `start_after`, each beyond the last.
  const char* Read(const XmlNode& root, Bytes prefix, Bytes start_after);
};

// What stands against deleting some keys; the others are gone.
struct DeleteReply {
  struct Refused {
    std::string key;
    std::string code;
    std::string message;
  };
  std::vector<Refused> refused;
  void Read(const XmlNode& root);
};

std::string DeleteDocument(const std::vector<std::string>& keys);

}  // namespace chainstore::s3
