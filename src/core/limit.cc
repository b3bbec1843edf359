#include "core/limit.h"

namespace chainstore {

Status EndedStatus(Code code, std::string_view store, std::string_view operation) {
  Failure failure(code,
                  code == Code::kTimeout ? "the call's time is up" : "the call was cancelled");
  return failure.Store(store).Op(operation);
}

}  // namespace chainstore
