#include "stores/s3/list_reply.h"

#include <charconv>

#include "stores/s3/uri.h"

namespace chainstore::s3 {

const char* ListReply::Read(const XmlNode& root, Bytes prefix, Bytes start_after) {
  truncated = root.Text("IsTruncated") == "true";
  const bool encoded = root.Text("EncodingType") == "url";
  std::string last(start_after);
  for (const XmlNode& node : root.children) {
    if (node.name != "Contents") continue;
    Object object;
    if (!encoded) {
      object.key = node.Text("Key");
    } else if (!DecodeUrl(node.Text("Key"), &object.key)) {
      return "a key in the list is not encoded as the list says";
    }
    const Bytes size = node.Text("Size");
    const char* const end = size.data() + size.size();
    const auto [stopped, error] = std::from_chars(size.data(), end, object.size);
    if (error != std::errc() || stopped != end) return "an object in the list has no size";
    if (!object.key.starts_with(prefix)) return "the list holds a key outside its prefix";
    // Also what a list that goes round in circles would break.
    if (object.key <= last) return "the list is not in the order of its keys";
    object.etag = node.Text("ETag");
    last = object.key;
    objects.push_back(std::move(object));
  }
  if (truncated && objects.empty()) return "the list goes on, and holds nothing";
  return nullptr;
}

void DeleteReply::Read(const XmlNode& root) {
  for (const XmlNode& node : root.children) {
    if (node.name != "Error") continue;
    refused.push_back({std::string(node.Text("Key")), std::string(node.Text("Code")),
                       std::string(node.Text("Message"))});
  }
}

std::string DeleteDocument(const std::vector<std::string>& keys) {
  std::string text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const std::string& key : keys) {
    text.append("<Object><Key>").append(EscapeXml(key)).append("</Key></Object>");
  }
  return text + "<Quiet>true</Quiet></Delete>";
}

}  // namespace chainstore::s3
