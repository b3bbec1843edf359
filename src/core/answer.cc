#include "core/answer.h"

namespace chainstore {

void Entries::Summarise(std::string_view store, std::string_view operation) {
  size_t failed = 0;
  const Entry* first = nullptr;
  for (const Entry& entry : entries) {
    if (!entry.status.failed()) continue;
    if (++failed == 1) first = &entry;
  }
  if (failed == 0) {
    status = Code::kOk;
  } else if (failed == entries.size()) {
    status = first->status;
  } else {
    Failure partial(Code::kPartial, std::to_string(failed) + " of " +
                                        std::to_string(entries.size()) + " entries failed");
    partial.Store(store).Op(operation);
    bool retryable = true;
    for (const Entry& entry : entries) {
      if (!entry.status.failed()) continue;
      partial.Cause(entry.status);
      retryable = retryable && entry.status.retryable();
    }
    status = partial.Retryable(retryable);
  }
}

}  // namespace chainstore
