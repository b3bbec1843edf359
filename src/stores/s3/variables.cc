#include "stores/s3/variables.h"

#include <unistd.h>

namespace chainstore::s3 {

Variables Variables::OfProcess() {
  Variables out;
  for (char** each = environ; each && *each; ++each) {
    const Bytes line = *each;
    const size_t equals = line.find('=');
    if (equals == Bytes::npos) continue;
    const Bytes name = line.substr(0, equals);
    if (name == "HOME" || name.starts_with("AWS_")) {
      out.Set(std::string(name), line.substr(equals + 1));
    }
  }
  return out;
}

void Variables::Set(std::string name, Bytes value) {
  for (auto& [known, text] : values_) {
    if (known != name) continue;
    text = Secret(value);
    return;
  }
  values_.emplace_back(std::move(name), Secret(value));
}

Bytes Variables::Get(Bytes name) const noexcept {
  for (const auto& [known, text] : values_) {
    if (known != name) continue;
    const Bytes value = text.Reveal();
    return value.find_first_not_of(" \t\r\n") == Bytes::npos ? Bytes() : value;
  }
  return {};
}

}  // namespace chainstore::s3
