// Variables: the environment as it was when a store was made: what the program does with its
// environment later, on other threads, is not seen.
// Thread safety: immutable after construction.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "stores/s3/secret.h"

namespace chainstore::s3 {

class Variables {
 public:
  Variables() = default;
  // Those that credentials may come from: AWS_* and HOME.
  static Variables OfProcess();
  void Set(std::string name, Bytes value);
  // Empty: not set, or blank, which counts as not set. The view lives as long as this.
  Bytes Get(Bytes name) const noexcept;
  std::string Text(Bytes name) const { return std::string(Get(name)); }

 private:
  std::vector<std::pair<std::string, Secret>> values_;  // some are secrets
};

}  // namespace chainstore::s3
