// XmlNode: a server's XML, read by expat into a tree. What comes from a server is not trusted: no
// document type (so no entities of its own), and limits on everything.
// Thread safety: a value.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace chainstore::s3 {

struct XmlNode {
  std::string name;  // without a namespace prefix
  std::string text;  // of this element itself
  std::vector<XmlNode> children;

  const XmlNode* Find(Bytes child) const noexcept;
  // The text of a child; empty if there is none.
  Bytes Text(Bytes child) const noexcept;
};

inline constexpr size_t kMaxXmlBytes = size_t{8} << 20;
inline constexpr int kMaxXmlDepth = 32;
// A list of 1,000 keys has 10,000; what one costs in memory bounds a bomb.
inline constexpr size_t kMaxXmlNodes = 100'000;

// Null, and *why, if these bytes are no document within the limits.
std::unique_ptr<XmlNode> ParseXml(Bytes text, std::string* why);

// `text` as the content of an element. Characters that XML cannot hold must not be in it.
std::string EscapeXml(Bytes text);

}  // namespace chainstore::s3
