// The engine's options, from the caller's strings to what LevelDB takes.
#pragma once

#include <string>

#include "core/option.h"
#include "stores/leveldb/database.h"

namespace chainstore {

// Fills in what `values` (of kLevelDbOptions) says of the engine. A number that LevelDB would
// silently replace by the nearest that it takes is kInvalid; compression that this LevelDB was not
// built with, and that was asked for, is kUnsupported.
Status ReadEngineOptions(const std::string& store, const OptionValues& values,
                         DatabaseSettings* settings);

// Whether this LevelDB was built with Snappy: it has no function that tells, and without Snappy it
// takes the option and stores plain blocks.
bool EngineHasSnappy();

}  // namespace chainstore
