// Output: what goes to a descriptor, collected into large writes. A write that fails is told once.
// Thread safety: one thread.
#pragma once

#include <string>
#include <string_view>

namespace cli {

class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  // False: it failed now or before. errno_ says why.
  bool Write(std::string_view bytes);
  bool Line(std::string_view text) { return Write(text) && Write("\n"); }
  bool Flush();
  int error() const noexcept { return error_; }

 private:
  const int fd_;
  std::string kept_;
  int error_ = 0;
};

// A line for people on the standard error: "chainstore: ...".
void Complain(const std::string& text);
// The same without the name in front, for notes that more than one line belong to.
void Note(const std::string& text);

}  // namespace cli
