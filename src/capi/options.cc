#include "capi/options.h"

#include <cstring>

#include "capi/guard.h"

namespace {

// Longer than any option's name, and than any text that an option could mean.
constexpr size_t kMaxNameSize = 256;
constexpr size_t kMaxValueSize = size_t{64} << 10;
constexpr size_t kMaxOptions = 1024;

}  // namespace

extern "C" {

cs_options* cs_options_new(void) { return new (std::nothrow) cs_options; }

void cs_options_free(cs_options* options) { delete options; }

cs_status cs_options_set(cs_options* options, const char* name, const char* value) {
  if (!options || !name || !value) return CS_INVALID;
  const size_t name_size = strnlen(name, kMaxNameSize + 1);
  if (name_size == 0 || name_size > kMaxNameSize) return CS_INVALID;
  if (strnlen(value, kMaxValueSize + 1) > kMaxValueSize) return CS_TOO_LARGE;
  return chainstore::Guard([&]() -> cs_status {
    auto& values = options->options.values;
    if (values.size() >= kMaxOptions && !values.contains(name)) return CS_TOO_LARGE;
    values.insert_or_assign(name, value);
    return CS_OK;
  });
}

cs_status cs_options_set_runtime(cs_options* options, cs_runtime* runtime) {
  if (!options) return CS_INVALID;
  if (runtime && chainstore::Unwrap(runtime)->IsForked()) return CS_FORKED;
  options->options.runtime = chainstore::Ref<chainstore::RuntimeSlot>(chainstore::Unwrap(runtime));
  return CS_OK;
}

}  // extern "C"
