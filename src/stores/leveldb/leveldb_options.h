// The options of a LevelDB store, for builds with and without one.
#pragma once

#include "stores/record_options.h"

namespace chainstore {

inline constexpr OptionSpec kLevelDbOptions[] = {
    kRecordDurability,
    kRecordFormat,
    kRecordVerify,
    {"write_buffer_size", OptionSpec::Type::kSize, "4MiB",
     "memory for new entries before they become a table, 64KiB to 1GiB"},
    {"max_open_files", OptionSpec::Type::kCount, "1000", "table files held open, 74 to 50000"},
    {"block_cache", OptionSpec::Type::kSize, "8MiB", "memory for uncompressed blocks"},
    {"block_size", OptionSpec::Type::kSize, "4KiB", "bytes of a block, 1KiB to 4MiB"},
    {"bloom_bits", OptionSpec::Type::kCount, "10",
     "bits per key of the filter that saves disk reads for misses, 0 to 64; 0: none"},
    {"compression", OptionSpec::Type::kChoice, "snappy", "of blocks", "snappy|none"},
};

}  // namespace chainstore
