// The LRU manager: only the most recently used entries stay in the store that it wraps, within a
// capacity in bytes that is never exceeded.
#pragma once

#include "core/option.h"
#include "core/store.h"

namespace chainstore {

inline constexpr OptionSpec kLruOptions[] = {
    {"policy", OptionSpec::Type::kChoice, "lru",
     "which entries stay: the most recently used, or by S3-FIFO, which a scan does not flush",
     "lru|s3fifo"},
    {"cushion", OptionSpec::Type::kPercent, "10%",
     "share of the capacity that is freed, in the background, whenever it was full"},
    {"oversize", OptionSpec::Type::kChoice, "bypass",
     "a copy by a chain that is larger than the capacity is passed by, or refused",
     "bypass|reject"},
    {"shards", OptionSpec::Type::kCount, "0",
     "parts with a lock each: a power of two up to 256; 1 is exact LRU; 0: 16 from 16 MiB on, else "
     "1"},
    {"recency_interval", OptionSpec::Type::kDuration, "2s",
     "how often the order of use is written down, around a store that has a directory"},
};

// Around any store, or a whole chain. `max_bytes` is what the entries may take in `inner`, in its
// own terms (Store::EntryCost, Store::UsedBytes). 0 is kInvalid; 256 TiB and above is no limit.
Result<Ref<Store>> NewLru(Ref<Store> inner, uint64_t max_bytes, const Options* options);

}  // namespace chainstore
