// cs_options: the core's Options, built by the caller.
// Thread safety: one thread at a time.
#pragma once

#include "capi/s3_keys.h"
#include "chainstore.h"
#include "core/option.h"

struct cs_options {
  chainstore::Options options;
  chainstore::Ref<const chainstore::UserKeys> s3_keys;  // null: the stores look themselves
};

namespace chainstore {

inline const Options* OptionsOf(const cs_options* options) noexcept {
  return options ? &options->options : nullptr;
}

}  // namespace chainstore
