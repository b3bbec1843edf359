// Which headers let others in (credentials, tokens, keys), and how their values go: overwritten,
// so that memory which is given back does not hold them.
// Thread safety: functions of their arguments.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace chainstore::s3 {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// `name` is in lower case.
bool IsSecretHeader(Bytes name) noexcept;
void WipeSecrets(HeaderList* headers) noexcept;

}  // namespace chainstore::s3
