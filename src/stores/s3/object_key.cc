#include "stores/s3/object_key.h"

#include <algorithm>
#include <cstdint>

#include "stores/s3/digest.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kDigestText = 1 + 64;  // "~" and a SHA-256 in hex
constexpr Bytes kReserved = ".chainstore/";

// The size of the character at the begin of `text`, 0 if it is not UTF-8; *point is what it is.
size_t CharacterSize(Bytes text, uint32_t* point) noexcept {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    *point = first;
    return 1;
  }
  const size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  uint32_t value = first & (0x7fu >> size);
  for (size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
    value = value << 6 | (byte(at) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
  *point = value;
  return size;
}

bool IsPlainPoint(uint32_t point) noexcept {
  // C1 controls are text to XML, and no more use in a key than the others.
  return point >= 0x20 && !(point >= 0x7f && point < 0xa0) && point != 0xfffe && point != 0xffff;
}

void AppendCharacter(uint32_t point, std::string* out) {
  if (point < 0x80) {
    out->push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out->push_back(static_cast<char>(0xc0 | point >> 6));
    out->push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else if (point < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | point >> 12));
    out->push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else {
    out->push_back(static_cast<char>(0xf0 | point >> 18));
    out->push_back(static_cast<char>(0x80 | (point >> 12 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (point & 0x3f)));
  }
}

constexpr uint32_t kLastPoint = 0x10fffd;  // the last two of the plane are no characters

// A text before which no plain text that is >= `text` sorts, and which is not itself >= it: its
// last character made one less, and the last of all characters behind it.
std::string JustBefore(Bytes text) {
  const size_t plain = PlainSize(text);
  std::string out(text.substr(0, plain));
  if (plain < text.size()) {
    // What cannot be in a plain key: everything that starts with `out` and goes on lower than it.
    const auto byte = static_cast<unsigned char>(text[plain]);
    if (byte >= 0x7f) AppendCharacter(0x7e, &out), AppendCharacter(kLastPoint, &out);
    return out;
  }
  if (out.empty()) return out;
  size_t last = out.size() - 1;
  while ((static_cast<unsigned char>(out[last]) & 0xc0) == 0x80) --last;
  uint32_t point = 0;
  CharacterSize(Bytes(out).substr(last), &point);
  out.resize(last);
  do {
    if (point == 0x20) return out;
    point = point == 0xe000 ? 0xd7ff : point - 1;
  } while (!IsPlainPoint(point));
  AppendCharacter(point, &out);
  AppendCharacter(kLastPoint, &out);
  return out;
}

// A start may not be longer than a key; what is shorter sorts before.
std::string Fitting(std::string text) {
  if (text.size() <= kMaxObjectKeySize) return text;
  return text.substr(0, PlainSize(Bytes(text).substr(0, kMaxObjectKeySize)));
}

// Whether ".." at some point climbs above where the key begins.
bool ClimbsAboveRoot(Bytes key) noexcept {
  int depth = 0;
  while (!key.empty()) {
    const size_t slash = key.find('/');
    const Bytes segment = key.substr(0, slash);
    if (segment == "..") {
      if (--depth < 0) return true;
    } else if (!segment.empty() && segment != ".") {
      ++depth;
    }
    key.remove_prefix(slash == Bytes::npos ? key.size() : slash + 1);
  }
  return false;
}

}  // namespace

size_t PlainSize(Bytes text) noexcept {
  size_t at = 0;
  while (at < text.size()) {
    uint32_t point = 0;
    const size_t size = CharacterSize(text.substr(at), &point);
    if (size == 0 || !IsPlainPoint(point)) break;
    at += size;
  }
  return at;
}

bool IsPlainText(Bytes text) noexcept { return PlainSize(text) == text.size(); }

bool IsBucketName(Bytes name) noexcept {
  if (name.size() < 3 || name.size() > 255 || name == "..." || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

ObjectKeys::ObjectKeys(std::string prefix)
    : prefix_(std::move(prefix)),
      escaped_prefix_(prefix_ + std::string(kEscapedFolder)),
      hex_bytes_((kMaxObjectKeySize - escaped_prefix_.size()) / 2),
      digest_bytes_((kMaxObjectKeySize - escaped_prefix_.size() - kDigestText) / 2) {}

bool ObjectKeys::IsPlain(Bytes key) const noexcept {
  return prefix_.size() + key.size() <= kMaxObjectKeySize && !key.starts_with(kReserved) &&
         IsPlainText(key) && !ClimbsAboveRoot(key);
}

bool ObjectKeys::IsDigest(Bytes key) const noexcept {
  return key.size() > hex_bytes_ && !IsPlain(key);
}

std::string ObjectKeys::Encode(Bytes key) const {
  if (IsPlain(key)) return prefix_ + std::string(key);
  if (key.size() <= hex_bytes_) return escaped_prefix_ + Hex(key);
  return escaped_prefix_ + Hex(GroupOf(key)) + "~" + Hex(AsBytes(Sha256(key)));
}

ObjectKeys::Form ObjectKeys::Decode(Bytes object, std::string* key) const {
  if (!object.starts_with(prefix_)) return Form::kForeign;
  if (!object.starts_with(escaped_prefix_)) {
    *key = object.substr(prefix_.size());
    return !key->empty() && IsPlain(*key) ? Form::kPlain : Form::kForeign;
  }
  const Bytes form = object.substr(escaped_prefix_.size());
  if (form.size() == 2 * digest_bytes_ + kDigestText && form[2 * digest_bytes_] == '~') {
    return Form::kDigest;
  }
  if (!Unhex(form, key) || key->empty() || key->size() > hex_bytes_ || IsPlain(*key)) {
    return Form::kForeign;
  }
  return Form::kHex;
}

std::string ObjectKeys::GroupOfObject(Bytes object) const {
  std::string group;
  Unhex(object.substr(escaped_prefix_.size(), 2 * digest_bytes_), &group);
  return group;
}

std::string ObjectKeys::PlainListStart(Bytes first, bool exclusive) const {
  if (first.empty()) return "";
  if (exclusive && IsPlainText(first)) return Fitting(prefix_ + std::string(first));
  return Fitting(prefix_ + JustBefore(first));
}

std::string ObjectKeys::EscapedListStart(Bytes first) const {
  if (first.empty()) return "";
  return JustBefore(escaped_prefix_ + Hex(GroupOf(first)));
}

}  // namespace chainstore::s3
