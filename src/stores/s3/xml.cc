#include "stores/s3/xml.h"

#include <expat.h>

namespace chainstore::s3 {
namespace {

class XmlReader {
 public:
  XmlReader() : parser_(XML_ParserCreate(nullptr)) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, Begin, End);
    XML_SetCharacterDataHandler(parser_, Text);
    XML_SetStartDoctypeDeclHandler(parser_, Doctype);
  }
  ~XmlReader() { XML_ParserFree(parser_); }
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;

  std::unique_ptr<XmlNode> Parse(Bytes text, std::string* why) {
    if (text.size() > kMaxXmlBytes) {
      *why = "the XML has more than 8 MiB";
      return nullptr;
    }
    const auto parsed = XML_Parse(parser_, text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (no_memory_) throw std::bad_alloc();
    if (parsed == XML_STATUS_OK) return std::move(root_);
    *why = refused_ ? refused_ : XML_ErrorString(XML_GetErrorCode(parser_));
    return nullptr;
  }

 private:
  // No exception may pass through expat, which is C.
  template <class Step>
  void Guarded(Step&& step) {
    if (refused_ || no_memory_) return;
    try {
      step();
    } catch (...) {
      no_memory_ = true;
      XML_StopParser(parser_, XML_FALSE);
    }
  }
  void Refuse(const char* why) {
    refused_ = why;
    XML_StopParser(parser_, XML_FALSE);
  }

  static void XMLCALL Begin(void* self, const XML_Char* name, const XML_Char**) {
    auto* reader = static_cast<XmlReader*>(self);
    reader->Guarded([&] { reader->BeginElement(name); });
  }
  static void XMLCALL End(void* self, const XML_Char*) {
    auto* reader = static_cast<XmlReader*>(self);
    reader->Guarded([&] { reader->open_.pop_back(); });
  }
  static void XMLCALL Text(void* self, const XML_Char* text, int size) {
    auto* reader = static_cast<XmlReader*>(self);
    reader->Guarded([&] {
      if (!reader->open_.empty())
        reader->open_.back()->text.append(text, static_cast<size_t>(size));
    });
  }
  static void XMLCALL Doctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    static_cast<XmlReader*>(self)->Refuse("the XML declares a document type");
  }

  void BeginElement(Bytes name) {
    if (open_.size() == kMaxXmlDepth) return Refuse("the XML is nested too deeply");
    if (++nodes_ > kMaxXmlNodes) return Refuse("the XML has too many elements");
    name.remove_prefix(name.find(':') + 1);
    XmlNode* node;
    if (open_.empty()) {
      root_ = std::make_unique<XmlNode>();
      node = root_.get();
    } else {
      // A sibling that is open would move; there is none: siblings come one after the other.
      node = &open_.back()->children.emplace_back();
    }
    node->name = name;
    open_.push_back(node);
  }

  const XML_Parser parser_;
  std::unique_ptr<XmlNode> root_;
  std::vector<XmlNode*> open_;
  size_t nodes_ = 0;
  const char* refused_ = nullptr;
  bool no_memory_ = false;
};

}  // namespace

const XmlNode* XmlNode::Find(Bytes child) const noexcept {
  for (const XmlNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

Bytes XmlNode::Text(Bytes child) const noexcept {
  const XmlNode* const node = Find(child);
  return node ? Bytes(node->text) : Bytes();
}

std::unique_ptr<XmlNode> ParseXml(Bytes text, std::string* why) {
  return XmlReader().Parse(text, why);
}

std::string EscapeXml(Bytes text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace chainstore::s3
