#include "core/trace.h"

#include <cstdio>

#include "core/store.h"
#include "core/trace_sink.h"

namespace chainstore {
namespace {

std::string Micros(int64_t ns) {
  char text[32];
  (void)snprintf(text, sizeof(text), "%.1f", static_cast<double>(ns) / 1000);
  return text;
}

// Printable ASCII as it is; a key with anything else is shown in hexadecimal.
bool IsPlain(Bytes text) {
  for (const char each : text) {
    if (each < ' ' || each > '~') return false;
  }
  return true;
}

std::string Quoted(Bytes text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      out += {'\\', each};
    } else if (byte < ' ' || byte == 0x7f) {
      out += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += each;
    }
  }
  return out + "\"";
}

std::string Hex(Bytes bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    out += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

}  // namespace

Trace::Trace(Store& root, Bytes key)
    : root_(&root),
      key_(key),
      wall_ms_(root.runtime().clock().WallMs()),
      begin_ns_(root.runtime().clock().SteadyNs()) {}

Trace::~Trace() {
  {
    MutexLock lock(mutex_);
    // Who only asked, and would have had to wait, leaves no trace: he will ask again.
    if (spans_.empty() || spans_[0].code == Code::kWouldBlock) return;
  }
  try {
    root_->trace_sink().Post(ToJson());
  } catch (...) {
    // No memory: a trace less.
  }
}

uint16_t Trace::Begin(uint16_t parent, const Store& store, const char* operation, uint32_t flags) {
  const int64_t now_ns = root_->runtime().clock().SteadyNs();
  MutexLock lock(mutex_);
  if (spans_.size() == kMaxSpans) {
    ++not_shown_;
    return kNone;
  }
  Span span;
  span.parent = parent;
  span.store = store.name();
  span.operation = operation;
  span.is_fill = (flags & Call::kFill) != 0;
  span.begin_ns = now_ns - begin_ns_;
  spans_.push_back(std::move(span));
  return static_cast<uint16_t>(spans_.size() - 1);
}

Trace::Span* Trace::EndLocked(uint16_t span, Code code) noexcept {
  if (span >= spans_.size() || spans_[span].end_ns >= 0) return nullptr;
  spans_[span].end_ns = root_->runtime().clock().SteadyNs() - begin_ns_;
  spans_[span].code = code;
  return &spans_[span];
}

void Trace::End(uint16_t span, const Answer& answer) noexcept {
  MutexLock lock(mutex_);
  Span* const ended = EndLocked(span, answer.status.code());
  if (ended) ended->tier = answer.tier;
}
void Trace::End(uint16_t span, const Receipt& receipt) noexcept {
  MutexLock lock(mutex_);
  EndLocked(span, receipt.status.code());
}
void Trace::End(uint16_t span, const Entries& entries) noexcept {
  MutexLock lock(mutex_);
  EndLocked(span, entries.status.code());
}
void Trace::End(uint16_t span, const Page& page) noexcept {
  MutexLock lock(mutex_);
  EndLocked(span, page.status.code());
}
void Trace::End(uint16_t span, const Status& status) noexcept {
  MutexLock lock(mutex_);
  EndLocked(span, status.code());
}

void Trace::Note(uint16_t span, const char* name, uint64_t number) {
  MutexLock lock(mutex_);
  if (span >= spans_.size()) return;
  for (auto& [known, sum] : spans_[span].notes) {
    if (std::string_view(known) == name) {
      sum += number;
      return;
    }
  }
  spans_[span].notes.emplace_back(name, number);
}

void Trace::AppendLocked(size_t at, std::string* out) const {
  const Span& span = spans_[at];
  *out += "{\"op\":" + Quoted(span.operation) + ",\"store\":" + Quoted(span.store);
  if (at == 0) {
    if (!key_.empty()) {
      *out += IsPlain(key_) ? ",\"key\":" + Quoted(key_) : ",\"key_hex\":\"" + Hex(key_) + "\"";
    }
    *out += ",\"at_ms\":" + std::to_string(wall_ms_);
    if (not_shown_ != 0) *out += ",\"not_shown\":" + std::to_string(not_shown_);
  }
  if (span.is_fill) *out += ",\"fill\":true";
  *out += ",\"start_us\":" + Micros(span.begin_ns);
  if (span.end_ns >= 0) {
    *out += ",\"us\":" + Micros(span.end_ns - span.begin_ns) +
            ",\"status\":" + Quoted(CodeName(span.code));
  }
  if (span.tier != 0) *out += ",\"tier\":" + std::to_string(span.tier);
  for (const auto& [name, number] : span.notes) {
    *out += "," + Quoted(name) + ":" + std::to_string(number);
  }
  bool has_inner = false;
  // A span stands behind the one that it is below.
  for (size_t inner = at + 1; inner < spans_.size(); ++inner) {
    if (spans_[inner].parent != at) continue;
    *out += has_inner ? "," : ",\"spans\":[";
    has_inner = true;
    AppendLocked(inner, out);
  }
  *out += has_inner ? "]}" : "}";
}

std::string Trace::ToJson() const {
  MutexLock lock(mutex_);
  std::string out;
  if (!spans_.empty()) AppendLocked(0, &out);
  return out;
}

}  // namespace chainstore
