// Secret: a text that is wiped when it goes, and has no way into a stream, a message or a log.
// Thread safety: immutable after construction.
#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>
#include <utility>

namespace chainstore::s3 {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  // Takes the text over; what is left in the caller's string is wiped.
  explicit Secret(std::string&& text) : text_(text) { OPENSSL_cleanse(text.data(), text.size()); }
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.Wipe(); }
  Secret& operator=(Secret other) noexcept {
    std::swap(text_, other.text_);
    return *this;
  }
  ~Secret() { Wipe(); }

  bool empty() const noexcept { return text_.empty(); }
  // For signing, and for nothing else.
  std::string_view Reveal() const noexcept { return text_; }

 private:
  void Wipe() noexcept {
    if (!text_.empty()) OPENSSL_cleanse(text_.data(), text_.size());
  }
  std::string text_;
};

}  // namespace chainstore::s3
