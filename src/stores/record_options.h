// The options that stores of records (record.h) have in common.
#pragma once

#include "core/option.h"

namespace chainstore {

inline constexpr OptionSpec kRecordDurability = {
    "durability", OptionSpec::Type::kChoice, "full",
    "full: an acknowledged write survives power loss; cache: only for a directory made for it, "
    "which is emptied after a power loss",
    "full|cache"};
inline constexpr OptionSpec kRecordFormat = {
    "format", OptionSpec::Type::kChoice, "record",
    "record: with expiry, version and checksum; raw: the plain values of other programs",
    "record|raw"};
inline constexpr OptionSpec kRecordVerify = {"verify", OptionSpec::Type::kChoice, "on",
                                             "verify checksums on every read", "on|off"};

}  // namespace chainstore
