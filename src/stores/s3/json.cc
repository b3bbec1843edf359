#include "stores/s3/json.h"

#include <charconv>

namespace chainstore::s3 {
namespace {

bool IsDecimal(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t point, std::string* out) {
  const auto tail = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | ((point >> shift) & 0x3f)));
  };
  if (point < 0x80) {
    out->push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out->push_back(static_cast<char>(0xc0 | (point >> 6)));
    tail(0);
  } else if (point < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | (point >> 12)));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xf0 | (point >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

class JsonReader {
 public:
  explicit JsonReader(Bytes text) : rest_(text) {}

  bool Document(JsonValue* out) {
    if (!Value(out, 0)) return false;
    SkipSpace();
    return rest_.empty() || Refuse("there is more behind the JSON");
  }
  const char* why() const noexcept { return why_; }

 private:
  bool Refuse(const char* why) {
    if (!*why_) why_ = why;
    return false;
  }
  void SkipSpace() {
    const size_t space = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(space == Bytes::npos ? rest_.size() : space);
  }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool Value(JsonValue* out, int depth) {
    if (depth == kMaxJsonDepth) return Refuse("the JSON is nested too deeply");
    if (++values_ > kMaxJsonValues) return Refuse("the JSON has too many values");
    SkipSpace();
    if (Take('{')) return Object(out, depth);
    if (Take('[')) return List(out, depth);
    if (Take('"')) {
      out->kind = JsonValue::Kind::kText;
      std::string text;
      const bool read = Text(&text);
      out->text = Secret(std::move(text));
      return read;
    }
    return Word(out);
  }

  bool Object(JsonValue* out, int depth) {
    out->kind = JsonValue::Kind::kObject;
    SkipSpace();
    if (Take('}')) return true;
    do {
      SkipSpace();
      std::string name;
      if (!Take('"')) return Refuse("the JSON has an object with no name where one belongs");
      if (!Text(&name)) return false;
      if (out->Find(name)) return Refuse("the JSON has a name twice in one object");
      SkipSpace();
      if (!Take(':')) return Refuse("the JSON has a name without a colon");
      out->members.emplace_back().name = std::move(name);
      if (!Value(&out->members.back(), depth + 1)) return false;
      SkipSpace();
    } while (Take(','));
    return Take('}') || Refuse("the JSON has an object that does not end");
  }

  bool List(JsonValue* out, int depth) {
    out->kind = JsonValue::Kind::kList;
    SkipSpace();
    if (Take(']')) return true;
    do {
      if (!Value(&out->members.emplace_back(), depth + 1)) return false;
      SkipSpace();
    } while (Take(','));
    return Take(']') || Refuse("the JSON has a list that does not end");
  }

  // What follows the opening quote, and the closing one. `out` gets its room at once: a string that
  // grows leaves copies behind.
  bool Text(std::string* out) {
    size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return Refuse("the JSON has a text that does not end");
    out->reserve(end);
    Bytes raw = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    while (!raw.empty()) {
      const char c = raw.front();
      raw.remove_prefix(1);
      if (static_cast<unsigned char>(c) < 0x20) {
        return Refuse("the JSON has a control character in a text");
      }
      if (c != '\\') {
        out->push_back(c);
      } else if (!Escape(&raw, out)) {
        return Refuse("the JSON has an escape that is none");
      }
    }
    return true;
  }

  static bool Escape(Bytes* raw, std::string* out) {
    constexpr Bytes kNames = "\"\\/bfnrt";
    constexpr Bytes kMeant = "\"\\/\b\f\n\r\t";
    const char c = raw->front();  // there is one: Text has looked
    raw->remove_prefix(1);
    if (const size_t at = kNames.find(c); at != Bytes::npos) {
      out->push_back(kMeant[at]);
      return true;
    }
    uint32_t point = 0;
    if (c != 'u' || !Hex4(raw, &point)) return false;
    if (point >= 0xdc00 && point < 0xe000) return false;
    if (point >= 0xd800 && point < 0xdc00) {  // the first half of a pair
      uint32_t low = 0;
      if (!raw->starts_with("\\u")) return false;
      raw->remove_prefix(2);
      if (!Hex4(raw, &low) || low < 0xdc00 || low > 0xdfff) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    AppendUtf8(point, out);
    return true;
  }

  static bool Hex4(Bytes* raw, uint32_t* number) {
    if (raw->size() < 4) return false;
    const char* const end = raw->data() + 4;
    const auto [stopped, error] = std::from_chars(raw->data(), end, *number, 16);
    if (error != std::errc() || stopped != end) return false;
    raw->remove_prefix(4);
    return true;
  }

  bool Word(JsonValue* out) {
    const size_t size = std::min(rest_.find_first_of(" \t\r\n,]}"), rest_.size());
    const Bytes word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (word == "null") return true;
    if (word == "true" || word == "false") {
      out->kind = JsonValue::Kind::kFlag;
    } else if (IsNumber(word)) {
      out->kind = JsonValue::Kind::kNumber;
    } else {
      return Refuse("this is no JSON");
    }
    out->text = Secret(word);
    return true;
  }

  static bool IsNumber(Bytes word) {
    const auto digits = [&word] {
      const size_t begin = word.size();
      while (!word.empty() && IsDecimal(word.front())) word.remove_prefix(1);
      return word.size() != begin;
    };
    if (word.starts_with('-')) word.remove_prefix(1);
    if (word.size() > 1 && word[0] == '0' && IsDecimal(word[1])) return false;
    if (!digits()) return false;
    if (word.starts_with('.')) {
      word.remove_prefix(1);
      if (!digits()) return false;
    }
    if (word.starts_with('e') || word.starts_with('E')) {
      word.remove_prefix(1);
      if (word.starts_with('+') || word.starts_with('-')) word.remove_prefix(1);
      if (!digits()) return false;
    }
    return word.empty();
  }

  Bytes rest_;
  size_t values_ = 0;
  const char* why_ = "";
};

}  // namespace

const JsonValue* JsonValue::Find(Bytes name) const noexcept {
  for (const JsonValue& member : members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

Bytes JsonValue::Text(Bytes name) const noexcept {
  const JsonValue* const found = Find(name);
  return found && found->kind == Kind::kText ? Bytes(found->text.Reveal()) : Bytes();
}

std::unique_ptr<JsonValue> ParseJson(Bytes text, std::string* why) {
  if (text.size() > kMaxJsonBytes) {
    *why = "the JSON has more than 64 KiB";
    return nullptr;
  }
  JsonReader reader(text);
  auto root = std::make_unique<JsonValue>();
  if (reader.Document(root.get())) return root;
  *why = reader.why();
  return nullptr;
}

}  // namespace chainstore::s3
