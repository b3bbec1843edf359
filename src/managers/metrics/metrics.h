// Metrics: counts what goes through it: operations by how they ended, hits and misses, bytes, and
// how long operations took. cs_metrics_text shows them together with what the stores below tell.
//
// Cost: each thread counts in plain memory of its own. Where a get may be answered from memory the
// latency of one in 64 is measured, because reading a clock twice costs more than the hit itself;
// of all other operations every one is.
//
// Thread safety: as Store.
#pragma once

#include "core/option.h"
#include "core/wrapper.h"

namespace chainstore {

inline constexpr std::span<const OptionSpec> kMetricsOptions = {};

// `name` labels the numbers: any text, not empty.
Result<Ref<Store>> NewMetrics(Ref<Store> inner, std::string_view name, const Options* options);

}  // namespace chainstore
