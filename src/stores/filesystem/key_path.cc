#include "stores/filesystem/key_path.h"

#include <array>
#include <cassert>
#include <cstring>

namespace chainstore {
namespace {

constexpr char kReservedName[] = ".chainstore";
constexpr char kPieceMark[] = "%~";
constexpr size_t kPieceMarkSize = 2;
constexpr char kHex[] = "0123456789ABCDEF";

constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain = {};
  for (int c = 'A'; c <= 'Z'; ++c) plain[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) plain[static_cast<size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) plain[static_cast<size_t>(c)] = true;
  for (const char c : {'.', '_', '-', '+', '=', '@', ',', ' '}) {
    plain[static_cast<size_t>(c)] = true;
  }
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlain();

bool IsPlain(char c) noexcept { return kPlain[static_cast<unsigned char>(c)]; }

// As they are written: "%2f" is no name of a key, so that no key has two.
int UpperHexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

size_t EncodedSize(Bytes part) noexcept {
  size_t size = 0;
  for (const char c : part) size += IsPlain(c) ? 1 : 3;
  return size;
}

bool DecodeEscapes(Bytes name, std::string* out) {
  for (size_t at = 0; at < name.size(); ++at) {
    if (name[at] != '%') {
      out->push_back(name[at]);
      continue;
    }
    if (name.size() - at < 3) return false;
    const int high = UpperHexDigit(name[at + 1]);
    const int low = UpperHexDigit(name[at + 2]);
    if (high < 0 || low < 0) return false;
    out->push_back(static_cast<char>(high * 16 + low));
    at += 2;
  }
  return true;
}

}  // namespace

KeyPath::KeyPath(Bytes key) noexcept {
  assert(!key.empty() && key.size() <= kMaxKeySize);
  for (bool first = true;; first = false) {
    const size_t slash = key.find('/');
    AppendPart(key.substr(0, slash), first);
    if (slash == Bytes::npos) break;
    Append("/");
    key.remove_prefix(slash + 1);
  }
  buffer_[size_] = '\0';
}

void KeyPath::Append(Bytes bytes) noexcept {
  assert(bytes.size() < kCapacity - size_);
  memcpy(buffer_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void KeyPath::AppendPart(Bytes part, bool first) noexcept {
  name_at_ = size_;
  if (part.empty()) return Append("%");
  if (part == ".") return Append("%2E");
  if (part == "..") return Append("%2E%2E");
  if (first && part == kReservedName) {
    Append("%2E");
    part.remove_prefix(1);
  }
  // Whether the name must be continued is known only at its end: `left` is what is still to come.
  const size_t encoded_size = EncodedSize(part);
  size_t used = size_ - name_at_;
  size_t left = encoded_size + used;
  if (encoded_size == part.size() && left <= kMaxNameSize) return Append(part);  // the usual name
  for (const char c : part) {
    const size_t width = IsPlain(c) ? 1 : 3;
    if (left > kMaxNameSize && used + width > kMaxNameSize - kPieceMarkSize) {
      Append(kPieceMark);
      Append("/");
      name_at_ = size_;
      left -= used;
      used = 0;
    }
    if (width == 1) {
      Append(Bytes(&c, 1));
    } else {
      const auto byte = static_cast<unsigned char>(c);
      const char escape[] = {'%', kHex[byte >> 4], kHex[byte & 15]};
      Append(Bytes(escape, sizeof escape));
    }
    used += width;
  }
}

NameKind DecodeName(Bytes name, std::string* out) {
  if (name == kOwnFile) return NameKind::kOwn;
  if (name == "%") return NameKind::kPart;
  NameKind kind = NameKind::kPart;
  if (name.ends_with(kPieceMark)) {
    name.remove_suffix(kPieceMarkSize);
    kind = NameKind::kPiece;
  }
  return DecodeEscapes(name, out) ? kind : NameKind::kForeign;
}

bool DecodePath(Bytes path, std::string* key) {
  key->clear();
  Bytes rest = path;
  for (;;) {
    const size_t slash = rest.find('/');
    const bool last = slash == Bytes::npos;
    const NameKind kind = DecodeName(rest.substr(0, slash), key);
    if (kind == NameKind::kForeign) return false;
    if (kind == NameKind::kOwn) {
      if (!last || key->empty()) return false;
      key->pop_back();  // the slash that its folder has brought
    }
    if (last) break;
    if (kind == NameKind::kPart) key->push_back('/');
    if (key->size() > kMaxKeySize) return false;
    rest.remove_prefix(slash + 1);
  }
  // Whatever else decodes to a key (an escape that need not be one, a piece cut elsewhere) is not
  // the path that the key has.
  return IsPathOf(path, *key);
}

bool IsPathOf(Bytes path, Bytes key) {
  if (key.empty() || key.size() > kMaxKeySize) return false;
  const KeyPath exact(key);
  if (!path.starts_with(exact.text())) return false;
  path.remove_prefix(exact.text().size());
  return path.empty() || (path[0] == '/' && path.substr(1) == kOwnFile);
}

}  // namespace chainstore
